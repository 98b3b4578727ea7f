"""One open connection to a source database: queries in pages of one cursor, each exchange bounded in time."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, column, func, select, table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from orchestration.errors import PermanentError
from orchestration.sources.core import sql_pymssql
from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.records import RequestStats
from orchestration.sources.core.retry import TryAgain
from orchestration.sources.core.sql_errors import explained
from orchestration.sources.core.sql_tables import FoundTable, Table, columns_statement, found_table
from orchestration.sources.core.sql_values import json_value

# A statement's first page and each further one may take so many seconds.
PAGE_SECONDS = 120.0
PAGE = 1000


class Link:
    """One open connection. Errors that pass may be TryAgain; the connection is then of no more use."""

    def __init__(self, connection: Connection, what: str, stats: RequestStats) -> None:
        self._connection = connection
        self._what = what
        self._stats = stats
        self.dialect = connection.dialect.name
        self._descriptor = _descriptor(connection)

    def pages(self, statement: Select[Any]) -> Iterator[list[dict[str, Any]]]:
        """A query's rows as the database gives them, by column name, in pages of one cursor."""
        with self._asking():
            result = self._connection.execution_options(yield_per=PAGE).execute(_only_select(statement))
            names = [str(name) for name in result.keys()]  # noqa: SIM118 - a result is no mapping
            page = result.fetchmany(PAGE)
        while page:
            yield [dict(zip(names, row, strict=True)) for row in page]
            if len(page) < PAGE:
                return
            with self._asking():
                page = result.fetchmany(PAGE)

    def rows(self, statement: Select[Any]) -> Iterator[dict[str, Any]]:
        """A query's rows, values as JSON says them."""
        for page in self.pages(statement):
            for row in page:
                yield {name: json_value(value) for name, value in row.items()}

    def values(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        """All rows of a small query, as the database gives them."""
        with self._asking():
            return [tuple(row) for row in self._connection.execute(_only_select(statement)).fetchall()]

    def now(self) -> datetime:
        """The server's own clock, aware UTC."""
        ((value,),) = self.values(clock_statement(self.dialect))
        instant = parse_iso(value) if isinstance(value, str) else value
        if not isinstance(instant, datetime):
            raise PermanentError(f"{self._what} does not say what time it is")
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)

    def find(self, wanted: Table, schema: str | None) -> FoundTable:
        """The table as it is there; see ``sql_tables.found_table``. Without a schema: the login's own."""
        schema = None if self.dialect == "sqlite" else schema or self._connection.dialect.default_schema_name
        statement = columns_statement(wanted.name, schema, self.dialect)
        return found_table(wanted, schema, self.values(statement), self._what)

    def allows_snapshots(self) -> bool:
        """Whether SQL Server lets transactions of this database see one instant (ALLOW_SNAPSHOT_ISOLATION)."""
        return [row[0] for row in self.values(snapshot_statement())] == [1]

    @contextlib.contextmanager
    def _asking(self) -> Iterator[None]:
        """One exchange with the database, cut off when its time is up."""
        self._stats.requests += 1
        with _cut_off_after(PAGE_SECONDS, self._descriptor) as cut:
            try:
                yield
            except SQLAlchemyError as error:
                if cut.is_set():
                    raise TryAgain(f"{self._what} was still answering after {PAGE_SECONDS:.0f} seconds") from None
                raise explained(cause(error), self._what, connecting=False) from None


def clock_statement(dialect: str) -> Select[Any]:
    """Asks a server for its clock: SQL Server's in UTC, elsewhere the instant."""
    if dialect == "mssql":
        return select(func.SYSUTCDATETIME().label("now"))
    if dialect == "postgresql":
        return select(func.clock_timestamp().label("now"))
    return select(func.current_timestamp().label("now"))


def snapshot_statement() -> Select[Any]:
    """Asks SQL Server for the database's snapshot isolation: 1 where it is on."""
    databases = table("databases", column("name"), column("snapshot_isolation_state"), schema="sys")
    return select(databases.c.snapshot_isolation_state).where(databases.c.name == func.DB_NAME())


def cause(error: SQLAlchemyError) -> BaseException:
    """The driver's own error."""
    return error.orig if isinstance(error, DBAPIError) and error.orig else error


def _descriptor(connection: Connection) -> int | None:
    """The number of a connection's socket, where its driver tells."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.driver == "pymssql":
        return connection.info.setdefault("descriptor", sql_pymssql.descriptor())
    return driver.fileno() if hasattr(driver, "fileno") else None


def _only_select(statement: Select[Any]) -> Select[Any]:
    if not isinstance(statement, Select):
        raise PermanentError(f"a source database is only read: refused a {type(statement).__name__}")
    return statement


@contextlib.contextmanager
def _cut_off_after(seconds: float, descriptor: int | None) -> Iterator[threading.Event]:
    """Shut the connection's socket down if the block takes longer; a timeout per read never fires on a drip."""
    cut = threading.Event()

    def end() -> None:
        cut.set()
        if descriptor is not None:
            with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as copy:
                copy.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
