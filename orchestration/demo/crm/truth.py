"""What a snapshot of a CRM must show, counted straight from its objects.

The rules are those of the marts, written down a second time on purpose: nothing here is shared with what extracts,
loads or builds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from orchestration.demo.crm.formats import local_date, parse_instant, to_ms
from orchestration.demo.crm.kinds import KINDS
from orchestration.demo.crm.life import Life
from orchestration.demo.crm.portals import Portal
from orchestration.demo.crm.store import Crm
from orchestration.demo.world import World

_COLUMN_OF = {
    "subscriber": "subscribers",
    "lead": "leads",
    "marketingqualifiedlead": "marketing_qualified",
    "salesqualifiedlead": "sales_qualified",
    "opportunity": "opportunities",
    "customer": "customers",
    "evangelist": "evangelists",
}
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class StageFigures:
    """Deals at one stage; ``label`` is None for what no pipeline knows."""

    label: str | None
    deals: int
    value: Decimal


@dataclass(frozen=True)
class Snapshot:
    """A CRM at one instant.

    contacts, deals
        By column of mart_crm_contacts and mart_crm_deals, values with two decimals in the portal's currency.
        ``average_deal_size`` is None where no deal was won.
    deals_by_stage
        By (pipeline id, stage id) where a pipeline has that stage; all others together under ("", "unknown").
    records
        Per kind, how many are live and how many are listed as archived.
    """

    at: datetime
    snapshot_date: date
    contacts: dict[str, int]
    deals: dict[str, int | Decimal | None]
    deals_by_stage: dict[tuple[str, str], StageFigures]
    records: dict[str, tuple[int, int]]


def snapshot(portal: Portal, world: World, at: datetime | date | None = None, zone: ZoneInfo | None = None) -> Snapshot:
    """The truth about a portal that nobody but its own life has changed.

    at
        An aware instant, a date (its end in ``zone``), or None: the world's now.
    zone
        Whose dates count; the portal's own unless given.
    """
    zone = zone or portal.zone
    if at is None:
        instant = world.now
    elif isinstance(at, datetime):
        instant = at
    else:
        midnight = datetime.combine(at + timedelta(days=1), datetime.min.time(), tzinfo=zone)
        instant = midnight - timedelta(milliseconds=1)
    life = Life(portal, world.seed, world.base)
    life.continue_until(to_ms(instant))
    return snapshot_of(life.crm, instant, zone)


def snapshot_of(crm: Crm, at: datetime, zone: ZoneInfo) -> Snapshot:
    """The truth about a CRM as it stands, taken at the aware instant ``at``."""
    today = local_date(to_ms(at), zone)
    deals, by_stage = _deals(crm)
    return Snapshot(
        at=at,
        snapshot_date=today,
        contacts=_contacts(crm, today, zone),
        deals=deals,
        deals_by_stage=by_stage,
        records={kind: (crm.count(kind), crm.count(kind, archived=True)) for kind in KINDS},
    )


def _contacts(crm: Crm, today: date, zone: ZoneInfo) -> dict[str, int]:
    """New in n days: created on one of the last n local dates, today's included."""
    contacts = crm.live("contacts")
    figures: Counter[str] = Counter(dict.fromkeys((*_COLUMN_OF.values(), "other_lifecycle"), 0))
    for contact in contacts:
        figures[_COLUMN_OF.get(contact.get("lifecyclestage") or "", "other_lifecycle")] += 1
        age = (today - local_date(parse_instant(contact.properties["createdate"]), zone)).days
        for days in (7, 30):
            figures[f"new_contacts_{days}d"] += 0 <= age < days
    return {"total_contacts": len(contacts), **figures}


def _deals(crm: Crm) -> tuple[dict[str, int | Decimal | None], dict[tuple[str, str], StageFigures]]:
    """Won and lost by what the stage is within its pipeline; every other deal is open."""
    counts: Counter[str] = Counter()
    values = {"open": Decimal(0), "won": Decimal(0), "lost": Decimal(0)}
    stages: dict[tuple[str, str], tuple[str | None, int, Decimal]] = {}
    for deal in crm.live("deals"):
        pipeline = crm.pipeline("deals", deal.get("pipeline"))
        stage = pipeline.stage(deal.get("dealstage")) if pipeline is not None else None
        outcome = "open"
        if stage is not None and stage.metadata["isClosed"] == "true":
            outcome = {Decimal(1): "won", Decimal(0): "lost"}.get(Decimal(stage.metadata["probability"]), "open")
        value = Decimal(deal.get("amount_in_home_currency") or deal.get("amount") or 0)
        counts[outcome] += 1
        values[outcome] += value
        key = ("", "unknown") if pipeline is None or stage is None else (pipeline.id, stage.id)
        _, number, total = stages.get(key, (None, 0, Decimal(0)))
        stages[key] = (stage.label if stage is not None else None, number + 1, total + value)
    figures: dict[str, int | Decimal | None] = {
        "total_deals": sum(counts.values()),
        "open_deals": counts["open"],
        "won_deals": counts["won"],
        "lost_deals": counts["lost"],
        "total_pipeline_value": _cents(values["open"]),
        "won_value": _cents(values["won"]),
        "lost_value": _cents(values["lost"]),
        "average_deal_size": _cents(values["won"] / counts["won"]) if counts["won"] else None,
    }
    return figures, {key: StageFigures(label, number, _cents(total)) for key, (label, number, total) in stages.items()}


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)
