"""Landed cases for tests of the models: as the loader leaves them, numbered where they are identical."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

STREAM = "case_data_summary_nophi"


def case(created: object = "2026-01-05", closed: object = None, **columns: object) -> dict[str, Any]:
    """A row of the case table; underscores in names stand for blanks."""
    held = {"Case Type": "EAP", "Workflow Status": "Open", "Primary Presenting Problem": "Anxiety"}
    named = {name.replace("_", " "): value for name, value in columns.items()}
    return {"Case Create Date": created, "Date Closed": closed, **held, **named}


def prepare(
    connection: psycopg.Connection, zones: Iterable[str] = ("America/Chicago", "America/Chicago"), first: int = 1
) -> None:
    """One organization a time zone, numbered from ``first``, connected to a case database."""
    for number, zone in enumerate(zones, start=first):
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (%s, %s, %s, gen_random_uuid(), %s, 'USD')",
            [number, f"org_{number}", f"Organization {number}", zone],
        )
        connection.execute(
            "insert into ops.connections (org_id, source, settings) values (%s, 'azure_sql', '{}')", [number]
        )


def land(connection: psycopg.Connection, org_id: int, rows: Iterable[Any]) -> None:
    """Make these the organization's cases; those that were there and are not among them are gone."""
    connection.execute(f"update staging_azure_sql.{STREAM} set deleted_at = now() where org_id = %s", [org_id])
    seen: Counter[str] = Counter()
    for row in rows:
        text = json.dumps(row, sort_keys=True)
        seen[text] += 1
        digest = blake2b(text.encode(), digest_size=16)
        connection.execute(
            f"insert into staging_azure_sql.{STREAM} (org_id, record_id, payload, payload_hash, extracted_at, run_id)"
            " values (%s, %s, %s, %s, now(), 1) on conflict (org_id, record_id) do update set deleted_at = null",
            [org_id, f"{digest.hexdigest()}#{seen[text]}", text, digest.digest()],
        )


def was_read(connection: psycopg.Connection, org_id: int, at: str) -> None:
    """The watermark of a table read at an instant of the server's clock."""
    connection.execute(
        "insert into ops.watermarks (org_id, source, stream, run_id, state, last_success_at)"
        " values (%s, 'azure_sql', %s, 0, %s, now())"
        " on conflict (org_id, source, stream) do update set state = excluded.state",
        [org_id, STREAM, Jsonb({"read_at": at})],
    )
