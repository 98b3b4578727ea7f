"""The threads of a sync: each reads and lands one organization after the other on a connection of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import structlog

from orchestration.errors import ConfigurationError, DatabaseError, StreamUnavailable
from orchestration.sources.core.records import Extract, Record, Session, Stream
from orchestration.sources.core.source import Source
from orchestration.sync_errors import Stopped, explain
from orchestration.sync_report import Event, Failure, SyncReport
from orchestration.warehouse import database, sync_runs
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.erased import OrganizationErased, is_erasure
from orchestration.warehouse.loader import load
from orchestration.warehouse.organizations import Organization
from orchestration.warehouse.secrets import resolve
from orchestration.warehouse.tokens import PostgresTokenStore, TokenSession

# Of the database, by a worker: one that lands, and one that holds locks on tokens.
SESSIONS = 2
_RECEIVED_EVERY_SECONDS = 5.0
# A crash of the server may cost the last loads, whole, as if they had not run. Who reports them waits for the disk once
# for all of them: docs/decisions/003-commits.md.
_LANDING = {"synchronous_commit": "off"}
# The first finds a session that broke, the second a new one.
_SETTLE_ATTEMPTS = 2

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """One organization's part of a sync. ``settings``: its connection, references unresolved."""

    organization: Organization
    settings: Mapping[str, Any]
    streams: Sequence[Stream]


@dataclass
class Batch:
    """What the threads of one sync share."""

    source: Source
    report: SyncReport
    window: tuple[date, date] | None
    allow_deletes: frozenset[str]
    progress: Callable[[Event], None]
    dagster_run_id: str | None
    stop: threading.Event = field(default_factory=threading.Event)
    _told: threading.Lock = field(default_factory=threading.Lock)

    @property
    def application_name(self) -> str:
        return f"aiop sync {self.source.name}"

    def tell(self, event: Event) -> None:
        """Note an outcome and pass the event on, one at a time."""
        with self._told:
            if event.result is not None:
                self.report.results[event.organization, event.stream] = event.result
            if event.error is not None:
                self.report.results.pop((event.organization, event.stream), None)
                self.report.failures.append(Failure(event.organization, event.stream, event.error))
            self.progress(event)

    def forget(self, organization: str) -> None:
        """Take an organization that was erased meanwhile out of the report: nothing of it may be shown or kept."""
        with self._told:
            report = self.report
            report.organizations = [slug for slug in report.organizations if slug != organization]
            report.results = {key: result for key, result in report.results.items() if key[0] != organization}
            report.failures = [one for one in report.failures if one.organization != organization]


class Worker(threading.Thread):
    """Takes organizations from the queue, one after the other, on one database connection."""

    def __init__(
        self, batch: Batch, waiting: queue.SimpleQueue[Job], ended: queue.SimpleQueue[BaseException | None]
    ) -> None:
        # A request that hangs must not keep an interrupted process alive.
        super().__init__(name=f"sync {batch.source.name}", daemon=True)
        self._batch = batch
        self._waiting = waiting
        self._ended = ended
        self._connection: psycopg.Connection | None = None
        self._tokens = TokenSession()
        # The current organization's loads, by run: they are sure once they are settled.
        self._landed: dict[int, tuple[Stream, datetime]] = {}

    def run(self) -> None:
        error: BaseException | None = None
        try:
            while not self._batch.stop.is_set():
                self._organization(self._waiting.get_nowait())
        except (queue.Empty, Stopped):
            pass
        except BaseException as raised:  # noqa: BLE001 - raised again in the thread that waits
            error = raised
        finally:
            if self._connection is not None:
                self._connection.close()
            self._tokens.close()
            self._ended.put(error)

    def cancel(self) -> None:
        """End the statement that the database works on for this thread, from another thread."""
        connection = self._connection
        if connection is not None and not connection.closed:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=2.0)

    def _organization(self, job: Job) -> None:
        try:
            self._read(job)
        except OrganizationErased:
            self._batch.forget(job.organization.slug)
            _log.warning("an organization was erased meanwhile: nothing landed", org_id=job.organization.id)

    def _read(self, job: Job) -> None:
        begun, self._landed = time.monotonic(), {}
        slug, source = job.organization.slug, self._batch.source
        self._batch.tell(Event("started", slug, streams=len(job.streams)))
        left = list(job.streams)
        try:
            connection = resolve(job.settings, organization=slug, source=source.name)
            tokens = PostgresTokenStore(job.organization.id, source.name, slug, self._tokens)
            zone = job.organization.timezone
            with source.open(connection, organization=slug, timezone=zone, token_store=tokens) as session:
                while left:
                    self._stream(job, left[0], session)
                    left.pop(0)
        except (Stopped, OrganizationErased):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other organizations go on
            # Credentials are wrong, or the session can't be had: that holds for the other streams as well.
            for stream in left:
                self._fail(job.organization, stream, error, datetime.now(UTC))
        self._settle(job.organization)
        self._batch.tell(Event("finished", slug, seconds=time.monotonic() - begun))

    def _stream(self, job: Job, stream: Stream, session: Session) -> None:
        organization, batch, started = job.organization, self._batch, datetime.now(UTC)
        slug = organization.slug

        def read(state: Mapping[str, Any] | None) -> Extract:
            extract = session.read(stream, state, batch.window)
            extract.records = self._watched(extract.records)
            return extract

        try:
            result = load(
                self._connected(),
                org_id=organization.id,
                source=batch.source.name,
                stream=stream.name,
                extract=read,
                batch_id=batch.report.batch_id,
                organization=slug,
                allow_deletes=stream.name in batch.allow_deletes,
                backfill=batch.window is not None,
                settings=job.settings,
                stats=session.stats,
                dagster_run_id=batch.dagster_run_id,
                on_wait=lambda: batch.tell(Event("waiting", slug, stream.name)),
                on_received=_every(
                    _RECEIVED_EVERY_SECONDS, lambda count: batch.tell(Event("received", slug, stream.name, count))
                ),
            )
        except StreamUnavailable as error:
            self._fail(organization, stream, error, started)
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other streams go on
            if is_erasure(error):
                raise OrganizationErased(f"organization {organization.id} was erased") from None
            if batch.stop.is_set():
                self._fail(organization, stream, Stopped(), started)
                raise Stopped from None
            self._fail(organization, stream, error, started)
        else:
            self._landed[result.run_id] = (stream, started)
            batch.tell(Event("loaded", slug, stream.name, result.received, result))

    def _settle(self, organization: Organization) -> None:
        """Wait until what was landed for an organization is on disk; what a crash of the server took has failed."""
        landed = self._landed
        lost = set(landed)
        error = DatabaseError("the server crashed, or is gone", hint="run the sync again")
        for _ in range(_SETTLE_ATTEMPTS if landed else 0):
            try:
                with database_errors():
                    lost = sync_runs.make_durable(self._connected(), list(landed))
                break
            except DatabaseError as raised:
                error = raised
        for run_id in sorted(lost):
            stream, started = landed[run_id]
            message = f"landed, but not on disk when the database server crashed: nothing was changed ({error.message})"
            self._fail(organization, stream, DatabaseError(message, hint=error.hint), started)

    def _watched(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if self._batch.stop.is_set():
                raise Stopped
            yield record

    def _fail(self, organization: Organization, stream: Stream, error: Exception, started: datetime) -> None:
        batch = self._batch
        explained = explain(error, organization.slug, batch.source.name, stream.name)
        run = sync_runs.Run(
            batch.report.batch_id,
            organization.id,
            batch.source.name,
            stream.name,
            started,
            dagster_run_id=batch.dagster_run_id,
            is_window=batch.window is not None,
        )
        try:
            with database_errors():
                sync_runs.record_failure(self._connected(), run, explained.kind, str(explained))
        except DatabaseError as unrecorded:
            if is_erasure(unrecorded):
                raise OrganizationErased(f"organization {organization.id} was erased") from None
            _log.error("a failure could not be recorded", failure=str(explained), reason=str(unrecorded))
        batch.tell(Event("failed", organization.slug, stream.name, error=explained))

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(
                autocommit=True, application_name=self._batch.application_name, settings=_LANDING
            )
        return self._connection


def _every(seconds: float, tell: Callable[[int], None]) -> Callable[[int], None]:
    last = time.monotonic()

    def call(count: int) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            tell(count)

    return call
