"""A property's figures by date, from the raw events as its tables hold them: plain Python, no SQL, no extractor.

Known are the dates that have a table. A trailing window with an unknown date in it has no count; it begins where the
export begins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.demo.ga4.export import Table
from orchestration.demo.ga4.life import Row

_SCREEN_KEYS = ("firebase_screen", "firebase_screen_class", "page_title")
_CENT = Decimal("0.01")


def figures(tables: Mapping[str, Table], now: datetime, zone: ZoneInfo) -> dict[date, dict[str, Any]]:
    """Date -> columns of mart_app_analytics."""
    days = {day: _unique(table.rows) for day, table in _by_day(tables, now.astimezone(zone).date()).items()}
    spans = {day: _spans(rows) for day, rows in days.items()}
    found = {}
    for day, rows in days.items():
        active = _active(rows)
        new = {row["user_pseudo_id"] for row in rows if row["event_name"] in ("first_open", "first_visit")} - {None}
        began = [key for key in spans[day] if key not in spans.get(day - timedelta(days=1), {})]
        microseconds = sum(_length(key, day, spans) for key in began)
        screens = Counter(_screen(row) for row in rows if row["event_name"] in ("screen_view", "page_view"))
        top = sorted(screens.items(), key=lambda one: (-one[1], one[0].encode()))[:10]
        found[day] = {
            "daily_active_users": len(active),
            "weekly_active_users": _window(days, day, 7),
            "monthly_active_users": _window(days, day, 28),
            "new_users": len(new),
            "returning_users": len(active - new),
            "total_sessions": len(began),
            "avg_session_duration_secs": _ratio(Decimal(microseconds) / 1_000_000, len(began)),
            "screens_per_session": _ratio(Decimal(sum(row["event_name"] == "screen_view" for row in rows)), len(began)),
            "ios_downloads": _first_opens(rows, "IOS"),
            "android_downloads": _first_opens(rows, "ANDROID"),
            "top_screens": [
                {"screen_name": name, "views": views, "users": _viewers(rows, name)} for name, views in top
            ],
        }
    return found


def _by_day(tables: Mapping[str, Table], today: date) -> dict[date, Table]:
    chosen: dict[date, Table] = {}
    for name in sorted(tables, reverse=True):  # events_intraday_… before events_2…, which replaces it
        parts = re.fullmatch(r"events_(intraday_)?(\d{8})", name)
        if parts:
            day = datetime.strptime(parts[2], "%Y%m%d").date()  # noqa: DTZ007 - a date
            if not parts[1] or day < today:
                chosen[day] = tables[name]
    return chosen


def _unique(rows: list[Row]) -> list[Row]:
    seen = {}
    for row in rows:
        parameters = sorted(str(sorted(one["value"].items())) + one["key"] for one in row["event_params"])
        facts = (row["stream_id"], row["user_pseudo_id"], row["event_name"], row["event_timestamp"], *parameters)
        seen.setdefault(facts, row)
    return list(seen.values())


def _number(row: Row, key: str) -> int | None:
    for one in row["event_params"]:
        if one["key"] == key:
            value = one["value"]
            return value["int_value"] if value["int_value"] is not None else int(value["string_value"])
    return None


def _active(rows: list[Row]) -> set[str]:
    found = set()
    for row in rows:
        flag = row.get("is_active_user")
        engaged = row["event_name"] == "user_engagement" or (_number(row, "engagement_time_msec") or 0) > 0
        if row["event_name"] in ("first_open", "first_visit") or (engaged if flag is None else flag):
            found.add(row["user_pseudo_id"])
    return found - {None}


def _window(days: Mapping[date, list[Row]], last: date, length: int) -> int | None:
    first = max(last - timedelta(days=length - 1), min(days))
    window = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if any(day not in days for day in window):
        return None
    return len(set().union(*(_active(days[day]) for day in window)))


def _spans(rows: list[Row]) -> dict[tuple, tuple[int, int]]:
    found: dict[tuple, tuple[int, int]] = {}
    for row in rows:
        session = _number(row, "ga_session_id")
        if row["user_pseudo_id"] is not None and session is not None:
            key, at = (row["stream_id"], row["user_pseudo_id"], session), row["event_timestamp"]
            first, last = found.get(key, (at, at))
            found[key] = (min(first, at), max(last, at))
    return found


def _length(key: tuple, day: date, spans: Mapping[date, Mapping[tuple, tuple[int, int]]]) -> int:
    first = spans[day][key][0]
    last = spans[day][key][1]
    while key in spans.get(day := day + timedelta(days=1), {}):
        first, last = min(first, spans[day][key][0]), max(last, spans[day][key][1])
    return last - first


def _screen(row: Row) -> str:
    texts = {one["key"]: (one["value"]["string_value"] or "").strip() for one in row["event_params"]}
    return next((texts[key] for key in _SCREEN_KEYS if texts.get(key)), "(not set)")


def _viewers(rows: list[Row], screen: str) -> int:
    views = [row for row in rows if row["event_name"] in ("screen_view", "page_view") and _screen(row) == screen]
    return len({row["user_pseudo_id"] for row in views} - {None})


def _first_opens(rows: list[Row], platform: str) -> int:
    return sum(row["event_name"] == "first_open" and row["platform"] == platform for row in rows)


def _ratio(value: Decimal, count: int) -> Decimal | None:
    return (value / count).quantize(_CENT, ROUND_HALF_UP) if count else None
