"""Landed GA4 records for tests of the models: written by hand as the extractor and the loader leave them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from orchestration.warehouse.landed_tables import landed_table

SECOND = 1_000_000


def part(
    day: str,
    user: str | None,
    session: int | None,
    *,
    first: float = 0,
    last: float | None = None,
    stream: str = "app",
    platform: str = "IOS",
    screens: Mapping[str, int] | None = None,
    **facts: Any,
) -> tuple[str, dict[str, Any]]:
    """Key and payload of what a user did in a session on a date (YYYY-MM-DD); ``first`` and ``last`` in seconds."""
    views = dict(screens or {})
    payload = {
        "date": day,
        "stream_id": stream,
        "user": user,
        "session_id": session,
        "platform": platform,
        "session_number": 1,
        "session_engaged": 1,
        "is_active": user is not None,
        "first_event_us": round(first * SECOND),
        "last_event_us": round((first if last is None else last) * SECOND),
        "engagement_ms": 0,
        "first_opens": 0,
        "first_visits": 0,
        "events": 1,
        "deliveries": 1,
        "views": sum(views.values()),
        "screen_views": 0 if platform == "WEB" else sum(views.values()),
        "screens": [{"name": name, "views": count} for name, count in views.items()],
        **facts,
    }
    return json.dumps([day.replace("-", ""), stream, user, session]), payload


def prepare(connection: psycopg.Connection, organizations: int = 2) -> None:
    """Organizations 1..n, connected to GA4."""
    for number in range(1, organizations + 1):
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (%s, %s, %s, gen_random_uuid(), 'America/Chicago', 'USD')",
            [number, f"org_{number}", f"Organization {number}"],
        )
        connection.execute("insert into ops.connections (org_id, source, settings) values (%s, 'ga4', '{}')", [number])


def land(
    connection: psycopg.Connection,
    org_id: int,
    *parts: tuple[str, dict[str, Any]],
    known: Mapping[str, str] | None = None,
    since: str = "",
    deleted: bool = False,
) -> None:
    """One load: these records, written by a run of their own, and the dates that are known after it.

    ``known``: table by date (YYYY-MM-DD); ``since``: the first date exported, by default the first known one.
    """
    with connection.transaction():
        row = connection.execute(
            "insert into ops.sync_runs (batch_id, org_id, source, stream, status, started_at)"
            " values (gen_random_uuid(), %s, 'ga4', 'sessions', 'succeeded', now()) returning run_id",
            [org_id],
        ).fetchone()
        assert row is not None
        for record_id, payload in parts:
            text = json.dumps(payload, sort_keys=True)
            connection.execute(
                sql.SQL(
                    "insert into {table} (org_id, record_id, payload, payload_hash, deleted_at, extracted_at, run_id)"
                    " values (%s, %s, %s, %s, case when %s then now() end, now(), %s)"
                    " on conflict (org_id, record_id) do update set payload = excluded.payload, payload_hash ="
                    " excluded.payload_hash, deleted_at = excluded.deleted_at, run_id = excluded.run_id"
                ).format(table=landed_table("ga4", "sessions")),
                [org_id, record_id, text, blake2b(text.encode(), digest_size=16).digest(), deleted, row[0]],
            )
        if known is not None:
            dates = {day.replace("-", ""): [table, 1] for day, table in known.items()}
            state = {"dates": dates, "exported_since": (since or min(known, default="")).replace("-", "")}
            connection.execute(
                "insert into ops.watermarks (org_id, source, stream, run_id, state, last_success_at)"
                " values (%s, 'ga4', 'sessions', 0, %s, now())"
                " on conflict (org_id, source, stream) do update set state = excluded.state",
                [org_id, Jsonb(state)],
            )


def describe(connection: psycopg.Connection, org_id: int, rows: Mapping[str, int]) -> None:
    """Tables as BigQuery describes them: how many rows each date's (YYYY-MM-DD) daily one has."""
    for day, count in rows.items():
        payload = {"date": day, "table": f"events_{day.replace('-', '')}", "provisional": False, "rows": count}
        text = json.dumps(payload)
        connection.execute(
            sql.SQL(
                "insert into {table} (org_id, record_id, payload, payload_hash, extracted_at, run_id)"
                " values (%s, %s, %s, %s, now(), 1)"
            ).format(table=landed_table("ga4", "days")),
            [org_id, day.replace("-", ""), text, blake2b(text.encode(), digest_size=16).digest()],
        )


def daily(first: str, last: str, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Daily tables of all dates from first to last, both included, but for some."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    days = [date.fromordinal(number).isoformat() for number in range(start.toordinal(), end.toordinal() + 1)]
    return {day: f"events_{day.replace('-', '')}" for day in days if day not in without}
