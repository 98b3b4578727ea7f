"""An open case database: its table is read whole, as of one instant, and handed on once its count is right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestration.errors import PermanentError
from orchestration.sources.azure_sql.connection import AzureSqlConnection
from orchestration.sources.azure_sql.streams import SnapshotStream
from orchestration.sources.core.records import Extract, Record, RequestStats, Stream, TokenStore
from orchestration.sources.core.retry import TryAgain
from orchestration.sources.core.source import attributed
from orchestration.sources.core.spool import Spool
from orchestration.sources.core.sql import Database
from orchestration.sources.core.sql_link import Link


@contextmanager
def open_cases(
    connection: dict[str, Any], *, organization: str, timezone: str, token_store: TokenStore | None = None
) -> Iterator[CaseDatabase]:
    """Open one case database; see ``core.source.Opener``. Nothing is connected to before something is read."""
    with attributed("azure_sql", organization):
        settings = AzureSqlConnection.resolved(connection)
        database = Database(settings.url)
    with database:
        yield CaseDatabase(database, settings, organization, database.stats)


@dataclass
class CaseDatabase:
    """A ``records.Session`` on one case database. For one thread."""

    database: Database
    settings: AzureSqlConnection
    organization: str
    stats: RequestStats

    def read(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        """See ``records.Session``. Always the whole table, which is read before this returns.

        No column names a row, so records have no ids: the loader keeps and counts identical rows. Nothing is handed on
        of a reading that broke off, or whose rows are not as many as the table counts.
        """
        with self.attributed(stream):
            if not isinstance(stream, SnapshotStream):
                raise PermanentError(f"{stream.name} is not a stream of the case database")
            if window is not None:
                raise PermanentError(
                    "rows of the case table have no key, so a window of them can't be told from the rest",
                    hint="run it without --from and --to: every run reads the whole table.",
                )
            snapshot = self.database.ask(lambda link: self._snapshot(link, stream), consistent=True)
        return Extract(_records(snapshot.rows), mode="full", state=snapshot.state, notes=snapshot.notes)

    def attributed(self, stream: Stream | None = None) -> AbstractContextManager[None]:
        """Errors that pass say whose they are."""
        return attributed("azure_sql", self.organization, stream)

    def _snapshot(self, link: Link, stream: SnapshotStream) -> _Snapshot:
        read_at = link.now()
        found = link.find(stream.table, self.settings.database_schema)
        ((counted,),) = link.values(found.count())
        spool = Spool()
        try:
            for row in link.rows(found.select()):
                spool.add(row)
            if len(spool) != counted:
                raise TryAgain(
                    f"{found.name} changed while it was read: it counted {counted} rows, {len(spool)} came",
                    hint="allow snapshot isolation in the database (ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON), "
                    "or let the run begin when nobody writes to it.",
                )
        except BaseException:
            spool.close()
            raise
        notes = []
        if found.missing:
            notes.append(f"columns that the table does not have: {', '.join(found.missing)}")
        return _Snapshot(spool, {"read_at": read_at.isoformat(), "rows": counted}, notes)


@dataclass
class _Snapshot:
    """A table as of one instant. ``state``: when by the server's clock, and how many rows."""

    rows: Spool
    state: dict[str, Any]
    notes: list[str]


def _records(rows: Spool) -> Iterator[Record]:
    for row in rows.drain():
        yield Record("", row)
