"""Lands one stream of one organization: rows, watermark and run row in one transaction, or nothing at all.

COPY into a temporary table, keep the newest of duplicates, then update what differs and insert what is new. A row
that did not change is neither written nor locked. docs/loading.md says why it is so, docs/decisions/001-landing.md
what was measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from orchestration.errors import PermanentError
from orchestration.sources.core.records import Extract, RequestStats
from orchestration.warehouse import locks, sync_runs
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.incoming import Incoming, receive
from orchestration.warehouse.landed_tables import landed_table
from orchestration.warehouse.shapes import Change, record_drift

DEFAULT_MAX_DELETED_SHARE = 0.2

_MISSING = """
select count(*), count(*) filter (where i.record_id is null)
from {table} as t
left join aiop_incoming as i on i.record_id = t.record_id
where t.org_id = %(org_id)s and t.deleted_at is null
"""
_DELETE_MISSING = """
update {table} as t
set deleted_at = now(), extracted_at = now(), run_id = %(run_id)s
where t.org_id = %(org_id)s and t.deleted_at is null
    and not exists (select from aiop_incoming as i where i.record_id = t.record_id)
"""
# A deleted record keeps the payload it had.
_DELETE_NAMED = """
update {table} as t
set deleted_at = coalesce(i.updated_at, now()), extracted_at = now(), run_id = %(run_id)s,
    source_updated_at = coalesce(i.updated_at, t.source_updated_at)
from aiop_incoming as i
where t.org_id = %(org_id)s and t.record_id = i.record_id and i.deleted and t.deleted_at is null
"""
_UPDATE = """
update {table} as t
set payload = i.payload::jsonb, payload_hash = i.payload_hash, source_updated_at = i.updated_at, deleted_at = null,
    extracted_at = now(), run_id = %(run_id)s
from aiop_incoming as i
where t.org_id = %(org_id)s and t.record_id = i.record_id and not i.deleted
    and (t.payload_hash <> i.payload_hash or t.deleted_at is not null)
"""
_INSERT = """
insert into {table} (
    org_id, record_id, payload, payload_hash, source_updated_at, deleted_at, extracted_at, run_id
)
select %(org_id)s, i.record_id, i.payload::jsonb, i.payload_hash, i.updated_at,
    case when i.deleted then coalesce(i.updated_at, now()) end, now(), %(run_id)s
from aiop_incoming as i
where i.payload is not null
    and not exists (select from {table} as t where t.org_id = %(org_id)s and t.record_id = i.record_id)
"""


@dataclass
class LoadResult:
    """What a load did, in rows. received = duplicates + inserted + updated + unchanged + deleted by the source.

    ``deleted`` counts rows that were there and are gone now: those the source named, and in a full read those it
    did not deliver any more. ``unchanged`` counts those delivered that led to no change.
    """

    run_id: int
    mode: str
    received: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    duplicates: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """Rows written."""
        return self.inserted + self.updated + self.deleted


class MassDeletionRefused(PermanentError):
    """A full read would have deleted more of an organization's rows than is believable; nothing was changed."""

    kind = "refused"


def lock_name(org_id: int, source: str, stream: str) -> str:
    """The row of ``ops.locks`` that a load holds."""
    return f"load {org_id} {source} {stream}"


def load(
    connection: psycopg.Connection,
    *,
    org_id: int,
    source: str,
    stream: str,
    extract: Extract | Callable[[Mapping[str, Any] | None], Extract],
    batch_id: UUID,
    organization: str = "",
    max_deleted_share: float = DEFAULT_MAX_DELETED_SHARE,
    allow_deletes: bool = False,
    backfill: bool = False,
    stats: RequestStats | None = None,
    dagster_run_id: str | None = None,
    wait_seconds: float = locks.DEFAULT_WAIT_SECONDS,
    on_wait: Callable[[], None] | None = None,
    on_received: Callable[[int], None] | None = None,
) -> LoadResult:
    """Land what ``extract`` gives into ``staging_<source>.<stream>``, which must exist (``ensure_tables``).

    ``extract`` may be a function of the stored state: it is called once the stream is locked, so that of two loads at
    once the second reads on from where the first ended. ``backfill``: a window of the past, after which nothing is
    taken for gone and the stored state stays. ``stats``: the session's counters, of which this load's part is kept.
    ``on_received`` gets the number of records so far.

    Raises MassDeletionRefused, DatabaseError, and what reading the records raises; the warehouse is then as before.
    """
    begun = time.monotonic()
    before = RequestStats(stats.requests, stats.retries, stats.waited_seconds) if stats else RequestStats()
    run = sync_runs.Run(batch_id, org_id, source, stream, datetime.now(UTC), dagster_run_id=dagster_run_id)
    lock, what = lock_name(org_id, source, stream), f"{organization or org_id} / {source} / {stream}"
    with database_errors(), locks.exclusive(connection, lock, what=what, wait_seconds=wait_seconds, on_wait=on_wait):
        _lift_timeouts(connection)
        run_id, state = sync_runs.begin(connection, org_id, source, stream)
        reading = extract(state) if callable(extract) else extract
        full = reading.mode == "full" and not backfill
        incoming = receive(connection, reading.records, on_received, table_needed=full)
        result = LoadResult(run_id, reading.mode, incoming.received)
        table = _Table(connection, landed_table(source, stream), {"org_id": org_id, "run_id": run_id})
        missing = 0
        if full:
            missing = _missing(table, max_deleted_share, allow_deletes, organization or str(org_id), source, stream)
        _merge(table, incoming, result)
        if missing:
            result.deleted += table.run(_DELETE_MISSING)
        changes = record_drift(connection, org_id, source, stream, run_id, incoming.shapes)
        result.notes = [*reading.notes, *incoming.notes, *_drift_notes(changes)]
        result.seconds = time.monotonic() - begun
        run.mode, run.counts, run.notes = reading.mode, vars(result), result.notes
        run.stats = _spent(before, stats)
        with connection.pipeline():
            sync_runs.record_success(connection, run_id, run)
            if not backfill:
                sync_runs.write_watermark(connection, run_id, run, reading.state)
    return result


@dataclass
class _Table:
    """A landed table and the names its statements are run with."""

    connection: psycopg.Connection
    name: sql.Identifier
    names: Mapping[str, Any]

    def run(self, statement: str) -> int:
        return self.query(statement).rowcount

    def query(self, statement: str) -> psycopg.Cursor:
        # Not prepared: a plan kept from a load of ten would not do for one of a million.
        return self.connection.execute(sql.SQL(statement).format(table=self.name), self.names, prepare=False)


def _merge(table: _Table, incoming: Incoming, result: LoadResult) -> None:
    result.duplicates = incoming.received - incoming.distinct
    if incoming.deletions:
        result.deleted = table.run(_DELETE_NAMED)
    if incoming.distinct:
        result.updated = table.run(_UPDATE)
        result.inserted = table.run(_INSERT)
    result.unchanged = incoming.distinct - result.inserted - result.updated - result.deleted


def _missing(table: _Table, max_share: float, allowed: bool, organization: str, source: str, stream: str) -> int:
    """How many rows a full read did not deliver any more; refuses a share that looks like a fault of the source."""
    row = table.query(_MISSING).fetchone()
    assert row is not None
    present, missing = row
    if missing > max_share * present and not allowed:
        raise MassDeletionRefused(
            f"the source delivered all its records without {missing} of the {present} that the warehouse holds "
            f"({missing / present:.0%}, more than {max_share:.0%}): refused, nothing was changed",
            hint=f"if they really are gone, run again with --allow-deletes {stream}",
            source=source,
            organization=organization,
            stream=stream,
        )
    return int(missing)


def _lift_timeouts(connection: psycopg.Connection) -> None:
    """Lift, for this transaction, limits meant for short statements: reading a source may take hours."""
    names = ["statement_timeout", "idle_in_transaction_session_timeout"]
    if connection.info.server_version >= 170000:
        names.append("transaction_timeout")
    connection.execute("select set_config(name, '0', true) from unnest(%s::text[]) as name", [names])


def _drift_notes(changes: list[Change]) -> list[str]:
    if not changes:
        return []
    words = [f"{change.path} ({change.change})" for change in changes]
    more = f" and {len(words) - 5} more" if len(words) > 5 else ""
    return [f"the shape of the records changed: {', '.join(words[:5])}{more}; see ops.schema_drift"]


def _spent(before: RequestStats, now: RequestStats | None) -> RequestStats:
    if now is None:
        return RequestStats()
    return RequestStats(
        now.requests - before.requests, now.retries - before.retries, now.waited_seconds - before.waited_seconds
    )
