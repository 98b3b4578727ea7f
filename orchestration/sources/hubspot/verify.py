"""A portal's figures asked afresh, read by other means than those that fill the warehouse.

Records are listed whole, with the few properties that count, and counted here: no search, no state, no associations.
An error on the long way from HubSpot to a mart shows as a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from orchestration.errors import PermanentError
from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.paging import LoopGuard
from orchestration.sources.core.records import Session
from orchestration.sources.hubspot.session import Portal

Figures = dict[str, int | Decimal | None]
Properties = Mapping[str, object]

_LIFECYCLE = {
    "subscriber": "subscribers",
    "lead": "leads",
    "marketingqualifiedlead": "marketing_qualified",
    "salesqualifiedlead": "sales_qualified",
    "opportunity": "opportunities",
    "customer": "customers",
    "evangelist": "evangelists",
}
_AMOUNTS = ("amount_in_home_currency", "hs_amount_in_home_currency", "amount")
_OUTCOMES = ("open", "won", "lost")
# Where a record names those that were merged into it: "7;8", or "7:1700000000000;8:1700000000000".
_MERGED = {"contacts": ("hs_merged_object_ids", "hs_calculated_merged_vids"), "deals": ("hs_merged_object_ids",)}
_CENT = Decimal("0.01")


def contact_figures(session: Session, day: date) -> Figures:
    """Contacts as they are now, by column of mart_crm_contacts. ``day``: the local date that new ones are new by."""
    portal = _portal(session)
    figures: Counter[str] = Counter(dict.fromkeys([*_LIFECYCLE.values(), "other_lifecycle"], 0))
    total = 0
    with portal.attributed():
        for contact in _listed(portal, "contacts", ["lifecyclestage", "createdate"]):
            total += 1
            figures[_LIFECYCLE.get(str(contact.get("lifecyclestage")), "other_lifecycle")] += 1
            created = parse_iso(contact.get("createdate"))
            age = day - created.astimezone(portal.api.zone).date() if created else timedelta(days=-1)
            for days in (7, 30):
                figures[f"new_contacts_{days}d"] += timedelta() <= age < timedelta(days=days)
    return {"total_contacts": total, **figures}


def deal_figures(session: Session) -> Figures:
    """Deals as they are now, by column of mart_crm_deals, in the portal's currency.

    Each stage that deals are at is a figure of its own: ``deals_by_stage <pipeline id>/<stage id>``.
    """
    portal = _portal(session)
    counts: Counter[str] = Counter(dict.fromkeys(_OUTCOMES, 0))
    stages: Counter[str] = Counter()
    values = dict.fromkeys(_OUTCOMES, Decimal(0))
    with portal.attributed():
        outcomes = _outcomes(portal)
        for deal in _listed(portal, "deals", ["pipeline", "dealstage", *_AMOUNTS]):
            key = f"{deal.get('pipeline')}/{deal.get('dealstage')}"
            outcome = outcomes.get(key, "open")
            counts[outcome] += 1
            stages[key if key in outcomes else "unknown"] += 1
            values[outcome] += _amount(next((deal[name] for name in _AMOUNTS if deal.get(name)), None))
    return {
        "total_deals": counts.total(),
        **{f"{outcome}_deals": counts[outcome] for outcome in _OUTCOMES},
        "total_pipeline_value": _cents(values["open"]),
        "won_value": _cents(values["won"]),
        "lost_value": _cents(values["lost"]),
        "average_deal_size": _cents(values["won"] / counts["won"]) if counts["won"] else None,
        **{f"deals_by_stage {key}": number for key, number in stages.items()},
    }


def _portal(session: Session) -> Portal:
    if not isinstance(session, Portal):
        raise TypeError("a session on HubSpot is needed")
    return session


def _listed(portal: Portal, kind: str, properties: list[str]) -> list[Properties]:
    """Properties of every live record that no other, live or archived, names as merged into it.

    A loser may look alive for a while, or for good.
    """
    names = _MERGED[kind]
    live = dict(_pages(portal, kind, [*properties, *names]))
    archived = dict(_pages(portal, kind, list(names), archived=True))
    merged = {
        one
        for winner, held in (*live.items(), *archived.items())
        for one in _ids(held.get(name) for name in names)
        if one != winner
    }
    return [held for one, held in live.items() if one not in merged]


def _pages(
    portal: Portal, kind: str, properties: list[str], *, archived: bool = False
) -> Iterator[tuple[str, Properties]]:
    guard, after = LoopGuard(f"list of {kind}"), None
    while True:
        page = portal.api.listed(kind, properties, after=after, archived=archived)
        for row in page.rows:
            held = row.get("properties")
            yield str(row.get("id")), held if isinstance(held, Mapping) else {}
        if page.after is None:
            return
        after = page.after
        guard.see(after)


def _ids(texts: Iterable[object]) -> Iterator[str]:
    """Contacts name themselves among their parts."""
    for text in texts:
        yield from (part.partition(":")[0].strip() for part in str(text or "").split(";"))


def _outcomes(portal: Portal) -> dict[str, str]:
    """What becomes of a deal at each stage, by ``<pipeline id>/<stage id>``."""
    found = {}
    for pipeline in portal.api.pipelines("deals").rows:
        for stage in pipeline.get("stages") or ():
            facts = stage.get("metadata") or {}
            probability = facts.get("probability")
            likely = _amount("0.5" if probability in (None, "") else probability)
            # A stage need not say that it is closed; what says that it is not stays open, however sure.
            stays_open = str(facts.get("isClosed")).lower() == "false"
            ending = {Decimal(1): "won", Decimal(0): "lost"}.get(likely, "open")
            found[f"{pipeline.get('id')}/{stage.get('id')}"] = "open" if stays_open else ending
    return found


def _amount(text: object) -> Decimal:
    try:
        return Decimal(str(text or 0))
    except InvalidOperation:
        raise PermanentError(f"HubSpot states {str(text)[:40]!r} where a number should be") from None


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)
