"""An account's figures asked afresh, read by other means than those that fill the warehouse.

Users, phone users and queues are taken from the totals that lists state; calls are asked for day by day, without state,
and put together here; meetings are the daily report's. An error on the long way to the mart shows as a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import product

from orchestration.sources.core.records import Session
from orchestration.sources.zoom.api import ALONE, TOGETHER, Row
from orchestration.sources.zoom.calls import call_key, call_pages
from orchestration.sources.zoom.days import MARGIN, MAY_BE_LEFT_OUT, local_date, month_of, month_windows
from orchestration.sources.zoom.directories import members
from orchestration.sources.zoom.faults import Forbidden, Gone, Refused
from orchestration.sources.zoom.meetings import meeting_pages
from orchestration.sources.zoom.session import Account
from orchestration.sources.zoom.streams import CALL_QUEUES, PHONE_USERS, USERS

Value = Decimal | int | None
Figures = dict[date, dict[str, Value]]

# As seeds/reference/zoom_call_results.csv has them; written down a second time to be held against it.
_MISSED = frozenset(
    ("voicemail", "hang_up", "canceled", "no_answer", "ring_timeout", "abandoned", "rejected", "busy", "overflowed")
)
_COUNTS = {
    "total_users": (USERS, "active"),
    "phone_users": (PHONE_USERS, "activate"),
    "queue_count": (CALL_QUEUES, None),
}
_MEETINGS = {
    "total_meetings": "meetings",
    "total_meeting_minutes": "meeting_minutes",
    "total_participants": "participants",
}
_HUNDREDTH = Decimal("0.01")


def day_figures(session: Session, marted: Mapping[date, Mapping[str, Value]]) -> Figures:
    """The same figures that a mart has of its days, by column of mart_zoom_metrics.

    ``marted``: by local date. What the mart does not know (None) is not asked for, and stands as None here too: a
    stream that may not be read is no difference. Left out is what Zoom can't tell any more: meetings of a host who was
    deleted since are in no host's list, though in the report.
    """
    if not isinstance(session, Account):
        raise TypeError("a session on Zoom is needed")
    with session.attributed():
        asked = {day: {name for name, value in known.items() if value is not None} for day, known in marted.items()}
        met = {day for day, names in asked.items() if names & _MEETINGS.keys()}
        report, (hosted, all_told) = _reported(session, met), _hosted(session, met)
        found: Figures = {}
        for day, known in marted.items():
            figures: dict[str, Value] = dict.fromkeys(known)
            for name in _COUNTS.keys() & asked[day]:
                figures[name] = _count(session, name)
            if _MEETINGS.keys() & asked[day]:
                meetings = hosted[day] if hosted is not None else []
                told = _of_report(report, day, session)
                figures |= told or _added_up(meetings)
                figures["avg_meeting_duration_mins"] = _ratio(_sum(meetings, "duration"), len(meetings))
                if told and all_told and len(meetings) < (told["total_meetings"] or 0):
                    del figures["avg_meeting_duration_mins"]
            if "total_calls" in asked[day]:
                figures |= _calls(session, day)
            found[day] = {name: figures[name] for name in known if name in figures}
        return found


def _count(account: Account, name: str) -> int:
    """By the list's own total where its filter says what counts; else member by member."""
    stream, status = _COUNTS[name]
    if status is not None:
        total = account.api.directory(stream, status, None).total
        if total is not None:
            return total
    rows = [row for page in members(account.api, stream, status, []) for row in page]
    return sum((_word(row, "status") or "active") == (status or "active") for row in rows)


def _reported(account: Account, days: set[date]) -> dict[date, dict[str, Value]] | None:
    """The daily report of these days' months; None where it may not be read."""
    found: dict[date, dict[str, Value]] = {}
    try:
        for month in sorted({month_of(day) for day in days}):
            for row in account.api.daily(month).rows:
                day = date.fromisoformat(str(row.get("date")))
                found[day] = {name: _sum([row], field) for name, field in _MEETINGS.items()}
    except Forbidden:
        return None
    return found


def _of_report(report: dict[date, dict[str, Value]] | None, day: date, account: Account) -> dict[str, Value] | None:
    """What the report says of a day. One that it leaves out had no meetings, unless the report may still come to it.

    Days to come, and a zero for one that has only just ended, are no word of it.
    """
    if report is None:
        return None
    today = account.api.now().astimezone(account.api.zone).date()
    yesterday = today - timedelta(1)
    told = {one for one, row in report.items() if one <= today and (one < yesterday or row["total_meetings"] != 0)}
    if day in told:
        return report[day]
    over = day < yesterday or any(later > day for later in told)
    return dict.fromkeys(_MEETINGS, 0) if over else None


def _added_up(meetings: list[Row]) -> dict[str, Value]:
    return {
        "total_meetings": len(meetings),
        "total_meeting_minutes": _sum(meetings, "total_minutes"),
        "total_participants": _sum(meetings, "participants_count"),
    }


def _hosted(account: Account, days: set[date]) -> tuple[dict[date, list[Row]] | None, bool]:
    """Meetings of every host by the local date they began on; None where they may not be read.

    Besides, whether those that one was in are among them.
    """
    found: dict[str, Row] = {}
    notes: list[str] = []
    all_told = True
    if not days:
        return {}, all_told
    windows = list(month_windows(min(days) - MARGIN, min(max(days) + MARGIN + MAY_BE_LEFT_OUT, _newest(account))))
    try:
        pages = (page for status in ("active", "inactive") for page in members(account.api, USERS, status, notes))
        for host in [str(row["id"]) for page in pages for row in page if row.get("id")]:
            try:
                for kind, (first, last) in product((TOGETHER, ALONE), windows):
                    for page in meeting_pages(account.api, host, first, last, notes, kind):
                        found |= {str(row.get("uuid")): row for row in page}
            except Gone:
                continue
            except Refused as error:
                # Read, they are noted as not to be had.
                if kind != ALONE or not error.is_not_valid:
                    raise
                all_told = False
    except Forbidden:
        return None, all_told
    by_day: dict[date, list[Row]] = {day: [] for day in days}
    for row in found.values():
        day = local_date(row.get("start_time"), account.api.zone)
        if day in by_day:
            by_day[day].append(row)
    return by_day, all_told


def _calls(account: Account, day: date) -> dict[str, Value]:
    """Calls whose first leg began on a local date; a day on either side, for calls are passed on past midnight.

    Each day is asked for with the one after it, for Zoom may leave out the day that a range ends on; a leg that comes
    twice counts once.
    """
    legs: dict[str, Row] = {}
    newest = _newest(account)
    for asked in (day - timedelta(1), day, day + timedelta(1)):
        if asked > newest:
            continue
        for page in call_pages(account.api, asked, min(asked + MAY_BE_LEFT_OUT, newest), []):
            legs |= {call_key(row): row for row in page}
    calls: dict[str, list[Row]] = defaultdict(list)
    for key, row in legs.items():
        calls[str(row.get("call_id") or key)].append(row)
    ordered = [sorted(one, key=lambda row: (str(row.get("start_time")), call_key(row))) for one in calls.values()]
    todays = [one for one in ordered if local_date(one[0].get("start_time"), account.api.zone) == day]
    inbound = [one for one in todays if _word(one[0], "direction") == "inbound"]
    seconds = _sum([row for one in todays for row in one], "duration")
    return {
        "total_calls": len(todays),
        "inbound_calls": len(inbound),
        "outbound_calls": sum(_word(one[0], "direction") == "outbound" for one in todays),
        "missed_calls": sum(all(_word(row, "call_result") in _MISSED for row in one) for one in inbound),
        "total_call_minutes": None if seconds is None else int((seconds / 60).quantize(Decimal(1), ROUND_HALF_UP)),
        "avg_call_duration_mins": None if seconds is None else _ratio(seconds / 60, len(todays)),
    }


def _word(row: Row, name: str) -> str:
    """One of Zoom's words, which it spells one way in its documentation and in capitals elsewhere."""
    return str(row.get(name) or "").lower()


def _newest(account: Account) -> date:
    """The latest date that it can be anywhere it matters."""
    now = account.api.now()
    return max(now.date(), now.astimezone(account.api.zone).date())


def _ratio(total: Decimal | None, count: int) -> Decimal | None:
    return (total / count).quantize(_HUNDREDTH, ROUND_HALF_UP) if total is not None and count else None


def _sum(rows: list[Row], field: str) -> Decimal | None:
    """Unknown as soon as one of its parts is no number, as in the mart."""
    total = Decimal(0)
    for row in rows:
        try:
            total += Decimal(str(row.get(field)))
        except InvalidOperation:
            return None
    return total
