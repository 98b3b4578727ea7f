"""Reads a source that is a SQL database: SQL Server in production, whatever SQLAlchemy knows elsewhere.

Only queries that were built here are sent, on one connection that can't write, each bounded in time. Trouble that
passes is asked again; what was handed on is never handed on twice.

    TABLE = Table("InvoiceReg", required=("InvoiceNo", "InvoiceDate"), optional=("Comments",), key=("InvoiceNo",))
    with Database(settings.url, stats) as database:
        found = database.find(TABLE, settings.schema_name)
        since = found.select().where(found.column("InvoiceDate") >= day)
        for row in database.rows(found, since):
            yield Record(record_key(row, TABLE.key), row)
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Select
from sqlalchemy.exc import SQLAlchemyError

from orchestration.errors import TransientError
from orchestration.sources.core import sql_link, sql_pymssql
from orchestration.sources.core.records import RequestStats
from orchestration.sources.core.retry import RetryPolicy, TryAgain, with_retry
from orchestration.sources.core.sql_errors import explained
from orchestration.sources.core.sql_link import Link
from orchestration.sources.core.sql_tables import FoundTable, Table
from orchestration.sources.core.sql_url import parsed, read_only_engine
from orchestration.sources.core.sql_values import json_value

T = TypeVar("T")

# Serverless databases take a minute or more to wake up.
RETRY = RetryPolicy(attempts=8)


@dataclass
class Database:
    """One organization's source database. No connection is made before something is read.

    For one thread; ``stats`` counts exchanges. The connection is kept from one question to the next.
    """

    url: str = field(repr=False)
    stats: RequestStats = field(default_factory=RequestStats)
    policy: RetryPolicy = field(default_factory=lambda: RETRY)

    def __post_init__(self) -> None:
        url = parsed(self.url)
        self.what = f"the database {url.database or ''} on {url.host}" if url.host else f"the database {url.database}"
        self._engine = read_only_engine(url, statement_seconds=sql_link.PAGE_SECONDS)
        self._open: tuple[bool, Connection] | None = None
        self._gave_up = False
        if url.get_driver_name() == "pymssql":
            sql_pymssql.prepare()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection, undoing whatever it was doing."""
        held, self._open = self._open, None
        if held is not None:
            _end(held[1])

    def ask(self, work: Callable[[Link], T], *, consistent: bool = False) -> T:
        """What ``work`` makes of a connection; called again from its beginning after trouble that may pass.

        ``work`` must hand nothing on before it returns. ``consistent``: all its queries see one instant, where the
        database can do so (snapshot isolation; on SQL Server without it, what is committed when a query runs).
        """
        return self._retried(lambda: work(self.link(consistent)))

    def rows(self, found: FoundTable, statement: Select[Any] | None = None) -> Iterator[dict[str, Any]]:
        """A table's rows (or those of its ``select`` with conditions), values as JSON says them, one cursor.

        With a key, they come in its order, and after a broken connection reading goes on behind the last row. Without
        one, trouble after the first page is an error: what was handed on can't be told from what was not.
        """
        statement = found.select() if statement is None else statement
        keyed = bool(found.table.key)
        reading = _Reading(found, found.in_key_order(statement) if keyed else statement)
        while (page := self._retried(lambda: reading.page(self))) is not None:
            for row in page:
                yield {name: json_value(value) for name, value in row.items()}

    def find(self, wanted: Table, schema: str | None) -> FoundTable:
        """See ``Link.find``."""
        return self.ask(lambda link: link.find(wanted, schema))

    def now(self) -> datetime:
        """See ``Link.now``."""
        return self.ask(Link.now)

    def _retried(self, attempt: Callable[[], T]) -> T:
        def closing() -> T:
            try:
                return attempt()
            except BaseException:
                self.close()
                raise

        # A database that is down need not be shown to be down at full length for every stream of the session.
        policy = replace(self.policy, attempts=min(2, self.policy.attempts)) if self._gave_up else self.policy
        try:
            answer = with_retry(closing, policy=policy, stats=self.stats)
        except TransientError:
            self._gave_up = True
            raise
        self._gave_up = False
        return answer

    def link(self, consistent: bool = False) -> Link:
        """The connection, made where there is none. For ``ask`` and ``rows``: errors of it may be TryAgain."""
        if self._open is not None and self._open[0] != consistent:
            self.close()
        if self._open is None:
            self._open = consistent, self._connected(consistent)
        elif consistent:
            self._open[1].rollback()
        return Link(self._open[1], self.what, self.stats)

    def _connected(self, consistent: bool) -> Connection:
        self.stats.requests += 1
        with sql_pymssql.hearing() as told:
            try:
                connection = self._engine.connect()
            except SQLAlchemyError as error:
                raise explained(sql_link.cause(error), self.what, connecting=True, told=told) from None
        try:
            level = self._level(connection) if consistent else None
            return connection.execution_options(isolation_level=level) if level else connection
        except SQLAlchemyError as error:
            _end(connection)
            raise explained(sql_link.cause(error), self.what, connecting=True) from None
        except BaseException:
            _end(connection)
            raise

    def _level(self, connection: Connection) -> str | None:
        """The isolation under which all queries of a transaction see one instant."""
        if connection.dialect.name == "postgresql":
            return "REPEATABLE READ"
        if connection.dialect.name != "mssql" or not Link(connection, self.what, self.stats).allows_snapshots():
            return None
        connection.rollback()
        return "SNAPSHOT"


@dataclass
class _Reading:
    """A query half read: its cursor, and where it goes on without one."""

    found: FoundTable
    statement: Select[Any]
    pages: Iterator[list[dict[str, Any]]] | None = None
    last: Mapping[str, Any] | None = None

    def page(self, database: Database) -> list[dict[str, Any]] | None:
        """The next rows, None at the end."""
        try:
            if self.pages is None:
                self.pages = database.link().pages(self._rest())
            page = next(self.pages, None)
        except TryAgain as error:
            self.pages = None
            if self.last is not None and not self._resumable():
                raise TransientError(f"{error.message}, after rows were read that no key tells from the rest") from None
            raise
        if page:
            self.last = page[-1]
        return page

    def _resumable(self) -> bool:
        key = self.found.table.key
        return bool(key) and self.last is not None and all(self.last[name] is not None for name in key)

    def _rest(self) -> Select[Any]:
        return self.statement if self.last is None else self.found.after(self.statement, self.last)


def _end(connection: Connection) -> None:
    with contextlib.suppress(SQLAlchemyError):
        connection.invalidate()
    with contextlib.suppress(SQLAlchemyError):
        connection.close()
