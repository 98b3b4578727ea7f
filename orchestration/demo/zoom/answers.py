"""What each address answers about an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orchestration.demo.zoom.account import Account
from orchestration.demo.zoom.dates import asked_range, holds, oldest_day
from orchestration.demo.zoom.errors import failure, not_valid
from orchestration.demo.zoom.lists import Row, page
from orchestration.demo.zoom.records import Leg, Meeting, Person, Stay

# Kinds of meetings that are webinars: once, and those that come again.
WEBINARS = {5, 6, 9}


@dataclass(frozen=True)
class Call:
    """One request: the path's variable part, decoded as often as Zoom decodes it, and the query."""

    part: str
    query: dict[str, str]


def users(account: Account, call: Call) -> Row:
    """GET /users: active ones unless another status is asked for; pending ones have no id."""
    status = call.query.get("status", "active")
    if status not in ("active", "inactive", "pending"):
        raise not_valid("Invalid field: status.")
    found = [(one.id, _user(one, status)) for one in account.life.people if one.status(account.now) == status]
    return _named(account, page(account, "users", call.query, found, 30, 300), "users", status == "active")


def _user(person: Person, status: str) -> Row:
    first, _, last = person.name.partition(" ")
    row: Row = {
        "id": person.id,
        "first_name": first,
        "last_name": last,
        "display_name": person.name,
        "email": person.email,
        "type": 2,
        "status": status,
        "verified": 1,
        "created_at": _iso(person.created),
        "user_created_at": _iso(person.created),
        **person.extra,
    }
    if status == "pending":
        return {key: row[key] for key in ("first_name", "last_name", "email", "type", "created_at", "status")}
    return row


def phone_users(account: Account, call: Call) -> Row:
    """GET /phone/users: of one status, or all."""
    wanted = call.query.get("status")
    found = [
        (one.id, _phone_user(one, status))
        for one in account.life.people
        if (status := one.phone_status(account.now)) and (wanted is None or wanted == status)
    ]
    listed = page(account, "phone_users", call.query, found, 30, 100)
    return _named(account, listed, "users", wanted in (None, "activate"), "phone_users")


def _phone_user(person: Person, status: str) -> Row:
    return {
        "id": person.id,
        "phone_user_id": f"p-{person.id}",
        "email": person.email,
        "name": person.name,
        "extension_number": 10_000 + len(person.name),
        "status": status,
        "calling_plans": [{"name": "US/CA Unlimited Calling Plan", "type": 200}],
        **person.extra,
    }


def call_queues(account: Account, call: Call) -> Row:
    """GET /phone/call_queues: active and inactive ones."""
    found = [
        (
            queue.id,
            {
                "id": queue.id,
                "name": queue.name,
                "extension_number": queue.number,
                "status": queue.status(account.now),
                "site": {"id": "site1", "name": "Main Site"},
                "phone_numbers": [{"id": f"n-{queue.id}", "number": "+12058945717", "source": "internal"}],
            },
        )
        for queue in account.life.queues
    ]
    return _named(account, page(account, "call_queues", call.query, found, 30, 100), "call_queues", True)


def call_history(account: Account, call: Call) -> Row:
    """GET /phone/call_history: every row twice, under its new name and the deprecated one."""
    first, last = asked_range(account, call.query, timedelta(days=1))
    kept = [leg for leg in account.life.legs if leg.shown <= account.now and holds(account, first, last, leg.start)]
    body = page(account, "call_history", call.query, [(leg.uuid, _leg(leg)) for leg in kept], 30, 300)
    rows = body.pop("rows")
    body |= {"from": first.isoformat(), "to": last.isoformat()}
    if account.quirks.arrays != "call_history":
        body["call_logs"] = [_old(row) for row in rows]
    if account.quirks.arrays != "call_logs":
        body["call_history"] = rows
    return body


def _leg(leg: Leg) -> Row:
    return {
        "call_history_uuid": leg.uuid,
        "call_id": leg.call_id,
        "direction": leg.direction,
        "international": False,
        "start_time": _iso(leg.start),
        # Not what end and start would give: Zoom's own examples differ, too.
        "answer_time": _iso(leg.start + timedelta(seconds=6)),
        "end_time": _iso(leg.start + timedelta(seconds=leg.seconds + 9)),
        "duration": leg.seconds,
        "connect_type": "external",
        "call_type": "general",
        "call_result": leg.result,
        "caller_did_number": leg.caller,
        "caller_name": "Caller name",
        "callee_did_number": leg.callee,
        "callee_name": "Callee name",
        "recording_status": "non_recorded" if leg.seconds % 3 else "recorded",
        **leg.extra,
    }


def _old(row: Row) -> Row:
    return {"id": row["call_history_uuid"], **{key: value for key, value in row.items() if key != "call_history_uuid"}}


def daily_report(account: Account, call: Call) -> Row:
    """GET /report/daily of a month; the days are the account's own."""
    try:
        month = date(int(call.query["year"]), int(call.query["month"]), 1)
    except (KeyError, ValueError):
        raise not_valid("Invalid field: year or month.") from None
    zone = account.facts.zone
    today = account.now.astimezone(zone).date()
    end = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    if end < oldest_day(today) or month > today:
        raise not_valid("The report of this month is not available.")
    counted = account.quirks.counted_until or date.max
    known = [
        one
        for one in account.life.meetings
        if one.shown <= account.now and one.start.astimezone(zone).date() <= counted
    ]
    dates = []
    for number in range(((end if account.quirks.whole_months else min(end, today)) - month).days + 1):
        day = month + timedelta(days=number)
        todays = [one for one in known if one.start.astimezone(zone).date() == day]
        new = [one for one in account.life.people if one.created.astimezone(zone).date() == day]
        if todays or account.facts.lists_zero_days or account.quirks.whole_months:
            dates.append(
                {
                    "date": day.isoformat(),
                    "new_users": len(new),
                    "meetings": len(todays),
                    "participants": sum(one.participants for one in todays),
                    "meeting_minutes": sum(one.participant_minutes for one in todays),
                }
            )
    return {"year": month.year, "month": month.month, "dates": dates}


def user_meetings(account: Account, call: Call) -> Row:
    """GET /report/users/{userId}/meetings: those of two people and more unless ``type`` asks for those of one."""
    host = next((one for one in account.life.people if one.id == call.part and one.status(account.now)), None)
    if host is None or host.status(account.now) == "pending":
        raise failure(404, 1001, f"User does not exist: {call.part}.")
    if host.extra.get("may_not_host"):
        raise failure(400, 3161, "Your user account is not allowed meeting hosting and scheduling capabilities.")
    first, last = asked_range(account, call.query, None)
    kind = call.query.get("type", "past")
    if kind not in ("past", "pastOne") or (kind == "pastOne" and not account.quirks.knows_alone):
        raise not_valid("Invalid field: type.")
    found = [
        (one.uuid, _meeting(one))
        for one in account.life.meetings
        if one.host is host
        and (one.participants < 2) == (kind == "pastOne")
        and one.shown <= account.now
        and holds(account, first, last, one.start)
    ]
    body = page(account, "meetings", call.query, found, 30, 300)
    return _named(account, body | {"from": first.isoformat(), "to": last.isoformat()}, "meetings", True)


def _meeting(one: Meeting) -> Row:
    return {
        "uuid": one.uuid,
        "id": one.number,
        "type": one.kind,
        "topic": one.topic,
        "user_name": one.host.name,
        "user_email": one.host.email,
        "start_time": _iso(one.start),
        "end_time": _iso(one.end),
        "duration": one.minutes,
        "total_minutes": one.participant_minutes,
        "participants_count": one.participants,
        "source": "Zoom",
    }


def participants(account: Account, call: Call) -> Row:
    """GET /report/meetings/{meetingId}/participants: everybody, once for each time they joined."""
    meeting = next((one for one in account.life.meetings if one.uuid == call.part and one.shown <= account.now), None)
    if meeting is None:
        raise failure(404, 3001, f"Meeting does not exist: {call.part}.")
    if meeting.kind in WEBINARS:
        raise failure(400, 300, f"Can not access webinar info, {meeting.number}.")
    found = [(f"{number:06d}", _stay(stay)) for number, stay in enumerate(meeting.stays)]
    return _named(account, page(account, "participants", call.query, found, 30, 300), "participants", True)


def _stay(stay: Stay) -> Row:
    return {
        "id": "",
        "user_id": stay.user_id,
        "name": stay.name,
        "user_email": stay.email,
        "join_time": _iso(stay.join),
        "leave_time": _iso(stay.leave),
        "duration": stay.seconds,
        "status": "in_meeting",
    }


def _named(account: Account, body: Row, member: str, raw_here: bool, name: str = "") -> Row:
    """The page with its rows under their own name; or with texts somebody put there instead."""
    rows: Any = body.pop("rows")
    texts = account.quirks.raw.get(name or member)
    if texts is not None:
        return {member: texts if raw_here else [], "next_page_token": "", "\0raw": raw_here}
    return body | {member: rows}


def _iso(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


Answer = Callable[[Account, Call], Row]
