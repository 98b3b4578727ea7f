"""Landed HubSpot records for tests of the models: written by hand as the loader leaves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from orchestration.warehouse.landed_tables import landed_table


def record(number: str, **properties: str | None) -> dict[str, Any]:
    """A live record with these properties."""
    instant = "2026-01-05T12:00:00.250Z"
    held = {"createdate": instant, "hs_object_id": number, **properties}
    return {"id": number, "properties": held, "createdAt": instant, "updatedAt": instant, "archived": False}


def pipeline(pipeline_id: str, stages: Mapping[str, tuple[str, str]], kind: str = "deals") -> dict[str, Any]:
    """A pipeline; ``stages``: id -> (isClosed, probability), both text as in HubSpot. Labels say the contrary."""
    labels = {"1.0": "Closed lost", "0.0": "Closed won"}
    return {
        "objectType": kind,
        "id": pipeline_id,
        "label": f"Pipeline {pipeline_id}",
        "archived": False,
        "stages": [
            {
                "id": stage,
                "label": labels.get(probability, "Won or lost"),
                "metadata": {"isClosed": closed, "probability": probability},
            }
            for stage, (closed, probability) in stages.items()
        ],
    }


def prepare(connection: psycopg.Connection, organizations: int = 2) -> None:
    """Organizations 1..n in Chicago, connected to HubSpot."""
    for number in range(1, organizations + 1):
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (%s, %s, %s, gen_random_uuid(), 'America/Chicago', 'USD')",
            [number, f"org_{number}", f"Organization {number}"],
        )
        connection.execute(
            "insert into ops.connections (org_id, source, settings) values (%s, 'hubspot', '{}')", [number]
        )


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
            ).format(table=landed_table("hubspot", stream)),
            [org_id, record_id, text, blake2b(text.encode(), digest_size=16).digest(), deleted],
        )


def was_read(connection: psycopg.Connection, org_id: int, at: str, *streams: str) -> None:
    """The watermarks of streams read at an instant of the server's clock; with an empty one, not allowed to be read."""
    for stream in streams or ("pipelines", "contacts", "deals"):
        connection.execute(
            "insert into ops.watermarks (org_id, source, stream, run_id, state, last_success_at)"
            " values (%s, 'hubspot', %s, 0, %s, now())"
            " on conflict (org_id, source, stream) do update set state = excluded.state",
            [org_id, stream, Jsonb({"read_at": at} if at else {})],
        )
