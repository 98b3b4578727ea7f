"""Lands one stream of one organization: rows, watermark and run row in one transaction, or nothing at all.

Keep the newest of duplicates, then update what differs and insert what is new. A row that did not change is neither
written nor locked. docs/loading.md says why it is so, docs/decisions/001-landing.md what was measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from orchestration.errors import PermanentError
from orchestration.sources.core.records import Extract, RequestStats
from orchestration.warehouse import locks, sync_runs
from orchestration.warehouse.connections import refuse_if_moved
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.incoming import receive
from orchestration.warehouse.merging import Merge, MissingTooMany
from orchestration.warehouse.shapes import Change, record_drift

DEFAULT_MAX_DELETED_SHARE = 0.2


@dataclass
class LoadResult:
    """What a load did, in rows. received = duplicates + inserted + updated + unchanged + deleted by the source.

    ``deleted`` counts rows that were there and are gone now: those the source named, and those it did not deliver
    any more though all of them, or their part of the stream, were read. ``unchanged`` counts those delivered that led
    to no change.
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
    """What was read whole would have lost more of its rows than is believable; nothing was changed."""

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
    settings: Mapping[str, Any] | None = None,
    stats: RequestStats | None = None,
    dagster_run_id: str | None = None,
    wait_seconds: float = locks.DEFAULT_WAIT_SECONDS,
    on_wait: Callable[[], None] | None = None,
    on_received: Callable[[int], None] | None = None,
) -> LoadResult:
    """Land what ``extract`` gives into ``staging_<source>.<stream>``, which must exist (``ensure_tables``).

    ``extract`` may be a function of the stored state: it is called once the stream is locked, so that of two loads at
    once the second reads on from where the first ended. ``backfill``: a window of the past, after which nothing but
    what belongs to parts that were read whole (``Extract.replaced``) is taken for gone, and the stored state stays.
    ``settings``: those of the connection that is read with, which must not lead elsewhere at the end.
    ``stats``: the session's counters, of which this load's part is kept. ``on_received`` gets the number of records so
    far.

    Raises MassDeletionRefused, DatabaseError, and what reading the records raises; the warehouse is then as before.
    """
    begun = time.monotonic()
    before = RequestStats(stats.requests, stats.retries, stats.waited_seconds) if stats else RequestStats()
    started = datetime.now(UTC)
    run = sync_runs.Run(batch_id, org_id, source, stream, started, dagster_run_id=dagster_run_id, is_window=backfill)
    lock, what = lock_name(org_id, source, stream), f"{organization or org_id} / {source} / {stream}"
    with database_errors(), locks.exclusive(connection, lock, what=what, wait_seconds=wait_seconds, on_wait=on_wait):
        begun_run = sync_runs.begin(connection, org_id, source, stream)
        run_id = begun_run.run_id
        reading = extract(begun_run.state) if callable(extract) else extract
        # Of a new account everything comes, also where later reads bring changes only.
        full = (reading.mode == "full" or begun_run.anew) and not backfill
        incoming = receive(connection, reading.records, on_received, lambda: stats.received_bytes if stats else 0)
        share = 1.0 if allow_deletes else max_deleted_share
        merge = Merge(connection, source, stream, org_id, run_id, full, reading.replaced, share)
        try:
            merged = merge.run(incoming)
        except MissingTooMany as missing:
            names = organization or str(org_id), source, stream
            raise _refused(missing, max_deleted_share, begun_run.anew, *names) from None
        changes = record_drift(connection, org_id, source, stream, run_id, incoming.shapes)
        result = LoadResult(
            run_id,
            reading.mode,
            received=incoming.received,
            inserted=merged.inserted,
            updated=merged.updated,
            deleted=merged.named + merged.missing,
            unchanged=incoming.distinct - merged.inserted - merged.updated - merged.named,
            duplicates=incoming.received - incoming.distinct,
            seconds=time.monotonic() - begun,
            notes=[*reading.notes, *incoming.notes, *_drift_notes(changes)],
        )
        run.mode, run.counts, run.notes = reading.mode, vars(result), result.notes
        if reading.reread_days and not backfill:
            run.reread_days = reading.reread_days
            run.reread_rows = incoming.received if reading.reread_records is None else reading.reread_records
        run.stats = _spent(before, stats)
        if settings is not None:
            refuse_if_moved(connection, org_id, source, settings)
        sync_runs.record_success(connection, run_id, run, None if backfill else reading.state)
    return result


def _refused(
    found: MissingTooMany, max_share: float, anew: bool, organization: str, source: str, stream: str
) -> MassDeletionRefused:
    missing, present = found.missing, found.present
    if anew:
        return MassDeletionRefused(
            f"the first read since the connection was changed came without {missing} of the {present} records that the "
            f"warehouse holds ({missing / present:.0%}, more than {max_share:.0%}), as that of another account would: "
            "refused, nothing was changed",
            hint=f"if it is meant to be another account, run again with --allow-deletes {stream}; "
            "otherwise correct the connection",
            source=source,
            organization=organization,
            stream=stream,
        )
    return MassDeletionRefused(
        f"the source delivered all its records without {missing} of the {present} that the warehouse holds "
        f"({missing / present:.0%}, more than {max_share:.0%}): refused, nothing was changed",
        hint=f"if they really are gone, run again with --allow-deletes {stream}",
        source=source,
        organization=organization,
        stream=stream,
    )


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
