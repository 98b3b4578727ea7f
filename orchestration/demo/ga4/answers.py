"""What the stand-in answers to the statements it understands, computed from raw events in plain Python.

Written from the statements' documented meaning (docs/sources/ga4.md), not from their text; tests compare both on an
emulator that runs the text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from orchestration.demo.ga4.life import Row

VIEWS = {"screen_view", "page_view"}
FIRSTS = {"first_open", "first_visit"}
NOT_SET = "(not set)"


@dataclass
class Occurrence:
    """An event as it counts: once, however often it was delivered."""

    stream_id: str | None
    user: str | None
    session_id: int | None
    session_number: int | None
    session_engaged: int | None
    name: str
    at: int
    platform: str | None
    engagement_ms: int | None
    active: bool
    screen: str | None
    deliveries: int = 1


def occurrences(rows: Iterable[Row]) -> list[Occurrence]:
    """Events without what was delivered more than once."""
    found: dict[tuple, Occurrence] = {}
    for row in rows:
        texts, numbers = _parameters(row)
        user = row["user_pseudo_id"]
        parameters = tuple(sorted((one["key"], repr(sorted(one["value"].items()))) for one in row["event_params"]))
        session_id = numbers.get("ga_session_id") if user is not None else None
        key = (row.get("stream_id"), user, session_id, row["event_name"], row["event_timestamp"], parameters)
        if key in found:
            found[key].deliveries += 1
            continue
        screen = None
        if row["event_name"] in VIEWS:
            names = (texts.get(name) for name in ("firebase_screen", "firebase_screen_class", "page_title"))
            screen = next((name for name in names if name), NOT_SET)
        engagement = numbers.get("engagement_time_msec")
        flag = row.get("is_active_user")
        engaged = row["event_name"] == "user_engagement" or (engagement or 0) > 0
        found[key] = Occurrence(
            row.get("stream_id"),
            user,
            session_id,
            numbers.get("ga_session_number"),
            numbers.get("session_engaged"),
            row["event_name"],
            row["event_timestamp"],
            row.get("platform"),
            engagement,
            row["event_name"] in FIRSTS or (engaged if flag is None else flag),
            screen,
        )
    return list(found.values())


def sessions(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """The result of the statement that reads a date."""
    groups: dict[tuple, list[Occurrence]] = defaultdict(list)
    for one in occurrences(rows):
        groups[one.stream_id, one.user, one.session_id].append(one)
    for (stream_id, user, session_id), events in groups.items():
        views: dict[str, int] = defaultdict(int)
        for one in events:
            if one.screen is not None:
                views[one.screen] += 1
        yield {
            "stream_id": stream_id,
            "user_pseudo_id": user,
            "session_id": session_id,
            "platform": _largest(one.platform for one in events),
            "session_number": _largest(one.session_number for one in events),
            "session_engaged": _largest(one.session_engaged for one in events),
            "is_active": any(one.active for one in events),
            "first_event_us": min(one.at for one in events),
            "last_event_us": max(one.at for one in events),
            "engagement_ms": sum(one.engagement_ms or 0 for one in events),
            "first_opens": sum(one.name == "first_open" for one in events),
            "first_visits": sum(one.name == "first_visit" for one in events),
            "events": len(events),
            "deliveries": sum(one.deliveries for one in events),
            "views": sum(views.values()),
            "screen_views": sum(one.name == "screen_view" for one in events),
            "screens": [{"name": name, "views": count} for name, count in sorted(views.items())],
        }


def figures(days: Mapping[str, Iterable[Row]], last: str) -> Iterator[dict[str, Any]]:
    """The result of the statement that a date of a mart is compared with: one row. ``days``: rows by YYYYMMDD."""
    seen = {day: occurrences(rows) for day, rows in days.items()}
    instants = {day: _instants(events) for day, events in seen.items()}
    began = instants.get(last, {}).keys() - instants.get(min(_days_back(last, 2)), {}).keys()
    week = sorted(_days_back(last, 7))
    today = seen.get(last, [])
    yield {
        "daily": len(_active(today)),
        "weekly": len(set[str]().union(*(_active(seen.get(day, [])) for day in week))),
        "monthly": len(set[str]().union(*(_active(events) for day, events in seen.items() if day <= last))),
        "new_users": len({one.user for one in today if one.name in FIRSTS} - {None}),
        "sessions": len(began),
        "duration_us": sum(_duration(key, last, instants) for key in began),
        "screen_views": sum(one.name == "screen_view" for one in today),
        "ios_downloads": sum(one.name == "first_open" and one.platform == "IOS" for one in today),
        "android_downloads": sum(one.name == "first_open" and one.platform == "ANDROID" for one in today),
        "days": len(seen),
    }


def _active(events: Iterable[Occurrence]) -> set[str]:
    return {one.user for one in events if one.active and one.user is not None}


def _instants(events: Iterable[Occurrence]) -> dict[tuple, list[int]]:
    """When the events of each session were."""
    found: dict[tuple, list[int]] = defaultdict(list)
    for one in events:
        if one.user and one.session_id is not None:
            found[one.stream_id, one.user, one.session_id].append(one.at)
    return found


def _duration(key: tuple, first: str, instants: Mapping[str, Mapping[tuple, list[int]]]) -> int:
    """From a session's first event to its last, on the date it began and those right behind that it goes on on."""
    found: list[int] = []
    while own := instants.get(first, {}).get(key):
        found += own
        first = f"{date(int(first[:4]), int(first[4:6]), int(first[6:])) + timedelta(days=1):%Y%m%d}"
    return max(found) - min(found)


def _days_back(last: str, count: int) -> list[str]:
    day = date(int(last[:4]), int(last[4:6]), int(last[6:]))
    return [f"{day - timedelta(days=back):%Y%m%d}" for back in range(count)]


def _parameters(row: Row) -> tuple[dict[str, str], dict[str, int]]:
    texts: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for one in row["event_params"]:
        text, number = one["value"].get("string_value"), one["value"].get("int_value")
        if text is not None and text.strip():
            texts[one["key"]] = max(texts.get(one["key"], ""), text.strip())
        if number is None and text is not None:
            number = int(text) if text.strip().lstrip("+-").isdigit() else None
        if number is not None:
            numbers[one["key"]] = max(numbers.get(one["key"], number), number)
    return texts, numbers


def _largest(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)
