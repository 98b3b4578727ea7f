"""Landed Zoom records for tests of the models: written by hand as the loader leaves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from orchestration.warehouse.landed_tables import landed_table


def leg(call: str, start: str, seconds: Any, result: str = "answered", direction: str = "inbound") -> dict[str, Any]:
    """A record of the call history."""
    return {
        "call_id": call,
        "direction": direction,
        "start_time": start,
        "duration": seconds,
        "call_result": result,
    }


def meeting(start: str, minutes: Any, total: Any, people: Any) -> dict[str, Any]:
    """A host's past meeting."""
    return {"start_time": start, "duration": minutes, "total_minutes": total, "participants_count": people}


def day(date: str, meetings: Any, participants: Any, minutes: Any) -> dict[str, Any]:
    """A row of the daily report."""
    return {
        "date": date,
        "new_users": 0,
        "meetings": meetings,
        "participants": participants,
        "meeting_minutes": minutes,
    }


def prepare(connection: psycopg.Connection, organizations: int = 2) -> None:
    """Organizations 1..n in Chicago, connected to Zoom."""
    for number in range(1, organizations + 1):
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (%s, %s, %s, gen_random_uuid(), 'America/Chicago', 'USD')",
            [number, f"org_{number}", f"Organization {number}"],
        )
        connection.execute("insert into ops.connections (org_id, source, settings) values (%s, 'zoom', '{}')", [number])


def land(
    connection: psycopg.Connection, org_id: int, stream: str, records: Mapping[str, Any], *, deleted: bool = False
) -> None:
    """Put records where the loader would, by their keys."""
    for record_id, payload in records.items():
        text = json.dumps(payload, sort_keys=True)
        connection.execute(
            sql.SQL(
                "insert into {table} (org_id, record_id, payload, payload_hash, deleted_at, extracted_at, run_id)"
                " values (%s, %s, %s, %s, case when %s then now() end, now(), 1)"
                " on conflict (org_id, record_id) do update set payload = excluded.payload,"
                " payload_hash = excluded.payload_hash, deleted_at = excluded.deleted_at"
            ).format(table=landed_table("zoom", stream)),
            [org_id, record_id, text, blake2b(text.encode(), digest_size=16).digest(), deleted],
        )


def was_read(connection: psycopg.Connection, org_id: int, at: str, stream: str, *covered: tuple[str, str]) -> None:
    """The watermark of a stream read at an instant of Zoom's clock; an empty one: not allowed to be read."""
    state: dict[str, Any] = {"read_at": at} if at else {}
    if covered:
        state["covered"] = [list(span) for span in covered]
    connection.execute(
        "insert into ops.watermarks (org_id, source, stream, run_id, state, last_success_at)"
        " values (%s, 'zoom', %s, 0, %s, now())"
        " on conflict (org_id, source, stream) do update set state = excluded.state",
        [org_id, stream, Jsonb(state)],
    )
