"""Control requests: not HubSpot, but the way tests and demos steer the stand-in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.demo.crm.kinds import KINDS
from orchestration.demo.crm.records import Record
from orchestration.demo.crm.truth import snapshot_of
from orchestration.demo.hubspot.account import Account


def behave(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """Change how a portal answers; what is not named stays. Raises ValueError for what it doesn't know.

    missing_scopes, revoked, search_lag_seconds, ahead_seconds
        As on the portal and the account.
    limits
        Any of per_ten_seconds, per_day, searches_per_second; None lifts one.
    retry_after
        Whether 429 answers carry the header.
    shapes
        Kind -> lengths of the next pages, None for one as asked.
    repeat_after
        Kinds whose pages all link to the same page.
    ignores_archived
        Whether lists and batches give live records where archived ones are asked for.
    raw
        Kind -> id -> JSON text to stand in lists for the record.
    """
    actions: dict[str, Callable[[Any], None]] = {
        "missing_scopes": lambda value: setattr(account, "missing_scopes", set(value)),
        "revoked": lambda value: setattr(account, "revoked", bool(value)),
        "search_lag_seconds": lambda value: setattr(account, "search_lag_ms", int(value * 1000)),
        "ahead_seconds": lambda value: setattr(account, "ahead_ms", int(value * 1000)),
        "limits": lambda value: setattr(account.meter, "limits", replace(account.meter.limits, **value)),
        "retry_after": lambda value: setattr(account.meter, "retry_after", bool(value)),
        "shapes": lambda value: account.shapes.update({_kind(kind): deque(sizes) for kind, sizes in value.items()}),
        "raw": lambda value: account.raw.update(_raw(value)),
        "ignores_archived": lambda value: setattr(account, "ignores_archived", bool(value)),
        "repeat_after": lambda value: setattr(account, "repeat_after", {_kind(kind) for kind in value}),
    }
    if unknown := sorted(set(given) - set(actions)):
        raise ValueError(f"unknown: {', '.join(unknown)}; known: {', '.join(actions)}")
    for name, value in given.items():
        actions[name](value)
    return {"portal": account.portal.slug, "limits": asdict(account.meter.limits)}


def edit(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """Change the CRM at the portal's instant: ``action`` on ``kind`` and ``id``; gives the id it ended in.

    Actions: create (``properties``, an ``id`` if it matters), change (``properties``), archive, restore (``touch``),
    purge, merge (``id`` wins over ``losers``; ``new_record``), link (``to``: [kind, id], ``label``).
    It lives in memory only: a restarted server has forgotten it. Raises KeyError where a record is not there.
    """
    crm, at, kind = account.crm, account.now, _kind(given["kind"])
    action, properties = given["action"], given.get("properties") or {}
    if action == "create":
        number = int(given["id"]) if "id" in given else None
        return {"id": crm.create(kind, at, properties, number).id}
    record = _record(account, kind, given["id"])
    match action:
        case "change":
            crm.change(record, at, **properties)
        case "archive":
            crm.archive(record, at)
        case "restore":
            crm.restore(record, at, touch=bool(given.get("touch", True)))
        case "purge":
            crm.purge(record)
        case "merge":
            losers = [_record(account, kind, number) for number in given["losers"]]
            record = crm.merge(record, losers, at, new_record=bool(given.get("new_record")))
        case "link":
            other = _record(account, _kind(given["to"][0]), given["to"][1])
            crm.link(record, other, *filter(None, [given.get("label")]))
        case _:
            raise ValueError(f"no action {action}")
    return {"id": record.id}


def truth(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """What a snapshot taken now must show, for ``timezone`` or the portal's own."""
    zone = ZoneInfo(given["timezone"]) if "timezone" in given else account.portal.zone
    shown = snapshot_of(account.crm, account.instant, zone)
    stages = [
        {"pipeline": pipeline, "stage": stage, "label": figures.label, "deals": figures.deals, "value": figures.value}
        for (pipeline, stage), figures in shown.deals_by_stage.items()
    ]
    return {
        "at": shown.at.isoformat(),
        "snapshot_date": shown.snapshot_date.isoformat(),
        "contacts": shown.contacts,
        "deals": shown.deals,
        "deals_by_stage": stages,
        "records": shown.records,
    }


def _raw(given: dict[str, dict[str, str]]) -> dict[tuple[str, int], bytes]:
    texts = ((_kind(kind), number, text) for kind, by_id in given.items() for number, text in by_id.items())
    return {(kind, int(number)): text.encode() for kind, number, text in texts}


def _kind(name: str) -> str:
    if name not in KINDS:
        raise ValueError(f"no kind {name}")
    return name


def _record(account: Account, kind: str, number: object) -> Record:
    return account.crm.records[kind][int(str(number))]
