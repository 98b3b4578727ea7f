"""Reads a source for every organization connected to it and lands what it gives, organizations side by side.

One organization's failure is recorded, reported by name, and stops nobody else.
"""

from __future__ import annotations

import queue
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime

import psycopg

from orchestration.errors import DatabaseError, UsageError
from orchestration.settings import MOST_SYNC_WORKERS, sync_workers
from orchestration.sources import SOURCES
from orchestration.sources.core.source import Source
from orchestration.sync_report import Event, Failure, SyncReport
from orchestration.sync_worker import SESSIONS, Batch, Job, Worker
from orchestration.warehouse import database, locks, sync_runs
from orchestration.warehouse.landed_tables import analyze_new, ensure_tables
from orchestration.warehouse.loader import lock_name
from orchestration.warehouse.organizations import connected
from orchestration.warehouse.session_limits import require_sessions

__all__ = ["Event", "Failure", "SyncReport", "sync"]

# What an interrupted sync waits for its threads; what they hold ends with the process anyway.
_GRACE_SECONDS = 5.0


def sync(
    source: str,
    *,
    orgs: Iterable[str] = (),
    streams: Iterable[str] = (),
    start: date | None = None,
    end: date | None = None,
    only_failed: bool = False,
    unless_since: datetime | None = None,
    allow_deletes: Iterable[str] = (),
    workers: int | None = None,
    progress: Callable[[Event], None] | None = None,
    dagster_run_id: str | None = None,
) -> SyncReport:
    """Read ``source`` for all organizations connected to it, or the slugs in ``orgs``, and land the records.

    ``streams``: just these, without any all of the source's; with each, those that the source reads beside it.
    ``start`` and ``end`` (inclusive, no ``end``: up to now) read a window again and leave the watermarks alone.
    ``only_failed``: just the streams whose last attempt failed; with a window, whose last window did. ``unless_since``:
    just those without a success since that instant. ``allow_deletes``: streams for which a full read may delete any
    share of the rows. ``workers`` organizations are read at a time, without it as many as ``AIOP_SYNC_WORKERS`` says;
    ``progress`` is called from their threads, one call at a time.

    Raises UsageError and DatabaseError before anything is read. What fails later is in the report. An interrupt ends
    the threads, undoes what they had begun, and is raised.
    """
    begun = time.monotonic()
    kind, workers = _source(source), _workers(workers)
    window = _window(start, end)
    batch = Batch(
        kind,
        SyncReport(source, uuid.uuid4()),
        window,
        _known_streams(kind, allow_deletes),
        progress or (lambda _: None),
        dagster_run_id,
    )
    chosen = _known_streams(kind, streams)
    with database.connect(autocommit=True, application_name=batch.application_name) as connection:
        jobs = _plan(connection, batch, tuple(orgs), chosen, only_failed, unless_since)
        workers = min(workers, len(jobs))
        require_sessions(connection, SESSIONS * workers)
    batch.report.organizations = [job.organization.slug for job in jobs]
    _run(batch, jobs, workers)
    if jobs:
        # What could not be landed is in the report, also where it is the server that is gone.
        with suppress(DatabaseError, psycopg.OperationalError):
            with database.connect(autocommit=True, application_name=batch.application_name) as connection:
                analyze_new(connection, source)
    order = {stream.name: place for place, stream in enumerate(kind.streams)}
    places = {slug: place for place, slug in enumerate(batch.report.organizations)}
    batch.report.failures.sort(key=lambda failure: (places[failure.organization], order[failure.stream]))
    batch.report.seconds = time.monotonic() - begun
    return batch.report


def _plan(
    connection: psycopg.Connection,
    batch: Batch,
    slugs: Sequence[str],
    chosen: frozenset[str],
    only_failed: bool,
    unless_since: datetime | None,
) -> list[Job]:
    """Which streams are read for whom; makes sure that they can land."""
    from orchestration.warehouse.migrate import require_current  # Alembic and SQLAlchemy: for who syncs

    source, windows = batch.source, batch.window is not None
    names = [stream.name for stream in source.streams]
    # Before anything is asked of a source: what it gives could not land in a warehouse of another version.
    require_current(connection)
    organizations = connected(connection, source.name, slugs)
    failed = sync_runs.failed_streams(connection, source.name, names, windows=windows) if only_failed else set()
    fresh = sync_runs.fresh_streams(connection, source.name, unless_since) if unless_since else set()
    jobs = []
    for organization, settings in organizations:
        due = {
            name
            for name in names
            if (not chosen or name in chosen)
            and (not only_failed or (organization.id, name) in failed)
            and (organization.id, name) not in fresh
        }
        due.update(*(source.beside.get(name, ()) for name in due))
        streams = [one for one in source.streams if one.name in due]
        if streams:
            jobs.append(Job(organization, settings, streams))
    # Models read the tables of every source, connected or not.
    ensure_tables(connection, source.name, source.streams)
    locks.prepare(
        connection,
        (lock_name(job.organization.id, source.name, stream.name) for job in jobs for stream in job.streams),
    )
    return jobs


def _run(batch: Batch, jobs: Sequence[Job], workers: int) -> None:
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    threads = [Worker(batch, waiting, ended) for _ in range(workers)]
    try:
        for thread in threads:
            thread.start()
        for _ in threads:
            error = ended.get()
            if error is not None:
                raise error
    except BaseException:
        batch.stop.set()
        deadline = time.monotonic() + _GRACE_SECONDS
        for thread in threads:
            thread.cancel()
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        raise


def _workers(number: int | None) -> int:
    if number is None:
        return sync_workers()
    if not 1 <= number <= MOST_SYNC_WORKERS:
        raise UsageError(f"workers: {number} is not a number from 1 to {MOST_SYNC_WORKERS}")
    return number


def _source(name: str) -> Source:
    if name not in SOURCES:
        raise UsageError(f"there is no source {name!r}", hint=f"sources: {', '.join(sorted(SOURCES))}")
    return SOURCES[name]


def _known_streams(source: Source, names: Iterable[str]) -> frozenset[str]:
    asked = frozenset(names)
    known = [stream.name for stream in source.streams]
    unknown = sorted(asked.difference(known))
    if unknown:
        raise UsageError(f"{source.name} has no stream {', '.join(unknown)}", hint=f"streams: {', '.join(known)}")
    return asked


def _window(start: date | None, end: date | None) -> tuple[date, date] | None:
    if start is None:
        if end is not None:
            raise UsageError("an end without a start says no window", hint="give --from as well")
        return None
    # What "now" is, the source's clock says.
    end = end or date.max
    if end < start:
        raise UsageError(f"the window ends ({end}) before it starts ({start})")
    return start, end
