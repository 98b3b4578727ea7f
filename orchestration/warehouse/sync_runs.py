"""What is kept about each attempt to read and land a stream: ``ops.sync_runs`` and ``ops.watermarks``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from orchestration.logs import redact
from orchestration.sources.core.records import RequestStats
from orchestration.warehouse.erased import OrganizationErased

_NEXT_ID = "nextval(pg_get_serial_sequence('ops.sync_runs', 'run_id'))"
_RUN = """
insert into ops.sync_runs (
    run_id, batch_id, org_id, source, stream, mode, status, started_at, finished_at,
    rows_received, rows_inserted, rows_updated, rows_deleted, rows_unchanged,
    requests, retries, waited_seconds, notes, error_kind, error_message, dagster_run_id, is_window,
    reread_days, reread_rows
) values (
    %(run)s, %(batch)s, %(org)s, %(source)s, %(stream)s, %(mode)s, %(status)s, %(started_at)s, clock_timestamp(),
    %(received)s, %(inserted)s, %(updated)s, %(deleted)s, %(unchanged)s,
    %(requests)s, %(retries)s, %(waited)s, %(notes)s, %(kind)s, %(message)s, %(dagster_run)s, %(window)s,
    %(reread_days)s, %(reread_rows)s
)
"""
_WATERMARK = """
insert into ops.watermarks as kept (org_id, source, stream, state, run_id, last_success_at, last_full_at)
values (
    %(org)s, %(source)s, %(stream)s, %(state)s, %(run)s, clock_timestamp(),
    case when %(full)s then clock_timestamp() end
)
on conflict (org_id, source, stream) do update set
    state = excluded.state,
    run_id = excluded.run_id,
    last_success_at = excluded.last_success_at,
    last_full_at = coalesce(excluded.last_full_at, kept.last_full_at)
"""
_json = msgspec.json.Encoder(decimal_format="number")


@dataclass
class Run:
    """One attempt. ``counts``: received, inserted, updated, deleted, unchanged; empty where it failed.

    ``is_window``: a window of the past was read again, which says nothing of the read that goes on from the watermark.
    ``reread_days``, ``reread_rows``: as an extract's ``reread_days`` and ``reread_records``; None where there are none.
    """

    batch_id: UUID
    org_id: int
    source: str
    stream: str
    started_at: datetime
    mode: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    stats: RequestStats = field(default_factory=RequestStats)
    notes: Sequence[str] = ()
    dagster_run_id: str | None = None
    is_window: bool = False
    reread_days: int | None = None
    reread_rows: int | None = None


@dataclass(frozen=True)
class Begun:
    """A new run: its id, for the rows that it lands, and the state that the last successful read left.

    ``anew``: the rows that are there may be another account's (``connections.write_connection``).
    """

    run_id: int
    state: dict[str, Any] | None
    anew: bool


def begin(connection: psycopg.Connection, org_id: int, source: str, stream: str) -> Begun:
    """Begin an attempt. Raises OrganizationErased: what would be read could not land."""
    row = connection.execute(
        f"""
        select new.run_id, w.state, w.state is not null and w.run_id is null,
            exists (select from ops.erased_organizations where id = %(org)s)
        from (select {_NEXT_ID} as run_id) as new
        left join ops.watermarks as w on w.org_id = %(org)s and w.source = %(source)s and w.stream = %(stream)s
        """,  # noqa: S608
        {"org": org_id, "source": source, "stream": stream},
    ).fetchone()
    assert row is not None
    run_id, state, anew, erased = row
    if erased:
        raise OrganizationErased(f"organization {org_id} was erased")
    return Begun(run_id, None if anew else state, anew)


def record_success(connection: psycopg.Connection, run_id: int, run: Run, state: Mapping[str, Any] | None) -> None:
    """Add the row of a load, and keep the state for the next read, in the transaction of the rows it stands for.

    ``state`` None: the one that is there stays.
    """
    values = _values(run, "succeeded", run_id)
    if state is None:
        connection.execute(_RUN, values)
    else:
        values |= {"state": Jsonb(dict(state), dumps=_json.encode), "full": run.mode == "full"}
        connection.execute(f"with run as ({_RUN}) {_WATERMARK}", values)


def record_failure(connection: psycopg.Connection, run: Run, kind: str, message: str) -> None:
    """Add the row of an attempt that changed nothing, in a transaction of its own."""
    with connection.transaction():
        row = connection.execute(f"select {_NEXT_ID}").fetchone()
        assert row is not None
        connection.execute(_RUN, _values(run, "failed", row[0], kind, redact(message)))


def _values(run: Run, status: str, run_id: int, kind: str | None = None, message: str | None = None) -> dict[str, Any]:
    return {
        "run": run_id,
        "batch": run.batch_id,
        "org": run.org_id,
        "source": run.source,
        "stream": run.stream,
        "mode": run.mode,
        "status": status,
        "started_at": run.started_at,
        **{name: run.counts.get(name) for name in ("received", "inserted", "updated", "deleted", "unchanged")},
        "requests": run.stats.requests,
        "retries": run.stats.retries,
        "waited": round(run.stats.waited_seconds, 3),
        "notes": [redact(note) for note in run.notes],
        "kind": kind,
        "message": message,
        "dagster_run": run.dagster_run_id,
        "window": run.is_window,
        "reread_days": run.reread_days,
        "reread_rows": run.reread_rows,
    }


def make_durable(connection: psycopg.Connection, run_ids: Sequence[int]) -> set[int]:
    """Return once these runs are on disk, though their own commits did not wait for it; the ids of those that are lost.

    The log is written in order: a commit that is waited for is behind all those before it. This one's only content is
    a message that nobody reads. Lost is what was committed shortly before the server crashed.
    """
    row = connection.execute(
        """
        select array(
            select wanted.id from unnest(%s::bigint[]) as wanted (id)
            where not exists (select from ops.sync_runs as r where r.run_id = wanted.id)
        ), set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'aiop sync', 'landed')
        """,
        [list(run_ids)],
    ).fetchone()
    assert row is not None
    return set(row[0])


def failed_streams(
    connection: psycopg.Connection, source: str, streams: Sequence[str], *, windows: bool = False
) -> set[tuple[int, str]]:
    """(org_id, stream) of those whose last attempt failed: to go on from the watermark, or to read a window."""
    rows = connection.execute(
        """
        select c.org_id, s.stream
        from ops.connections as c
        cross join unnest(%(streams)s::text[]) as s (stream)
        cross join lateral (
            select r.status
            from ops.sync_runs as r
            where r.org_id = c.org_id and r.source = c.source and r.stream = s.stream and r.is_window = %(windows)s
            order by r.started_at desc, r.run_id desc
            limit 1
        ) as last
        where c.source = %(source)s and last.status = 'failed'
        """,
        {"source": source, "streams": list(streams), "windows": windows},
    ).fetchall()
    return {(row[0], row[1]) for row in rows}


def fresh_streams(connection: psycopg.Connection, source: str, since: datetime) -> set[tuple[int, str]]:
    """(org_id, stream) of those that were landed successfully at or after ``since``, from the account of today."""
    rows = connection.execute(
        """
        select org_id, stream from ops.watermarks
        where source = %s and last_success_at >= %s and run_id is not null
        """,
        [source, since],
    ).fetchall()
    return {(row[0], row[1]) for row in rows}
