"""An open Softbase schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.errors import PermanentError
from orchestration.sources.core.records import Extract, Record, RequestStats, Stream, TokenStore
from orchestration.sources.core.source import attributed
from orchestration.sources.core.sql import Database
from orchestration.sources.softbase.connection import SoftbaseConnection
from orchestration.sources.softbase.streams import ViewStream
from orchestration.sources.softbase.views import ViewReader


@contextmanager
def open_dealership(
    connection: dict[str, Any], *, organization: str, timezone: str, token_store: TokenStore | None = None
) -> Iterator[Dealership]:
    """Open one dealership's schema; see ``core.source.Opener``. No connection is made before something is read."""
    with attributed("softbase", organization):
        settings = SoftbaseConnection.resolved(connection)
        database = Database(settings.url, RequestStats())
    with database:
        yield Dealership(database, settings, organization, ZoneInfo(settings.timezone or timezone), database.stats)


@dataclass
class Dealership:
    """A ``records.Session`` on one tenant's views. ``zone``: whose wall clock its times are. For one thread."""

    database: Database
    connection: SoftbaseConnection
    organization: str
    zone: ZoneInfo
    stats: RequestStats

    def read(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        """See ``records.Session``. What the view has is asked at once, rows while they are consumed.

        A view that some dealerships lack is skipped where it never was there: an incremental extract without records,
        whose note says so.
        """
        if not isinstance(stream, ViewStream):
            raise PermanentError(f"{stream.name} is not a stream of Softbase")
        with self.attributed(stream):
            reader = ViewReader(
                self.database,
                self.connection.schema_name,
                stream,
                state or {},
                self.zone,
                self.connection.start_date,
            )
            extract = reader.read(window)
        extract.records = self._lazily(stream, extract.records)
        return extract

    def attributed(self, stream: Stream | None = None) -> AbstractContextManager[None]:
        """Errors that pass say whose they are."""
        return attributed("softbase", self.organization, stream)

    def _lazily(self, stream: Stream, records: Iterable[Record]) -> Iterator[Record]:
        with self.attributed(stream):
            yield from records
