"""What is the same for all sources that are SQL databases: two databases on the session's server, behind a proxy."""

from __future__ import annotations

import json
import os
import uuid
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb
from servers import EMBEDDED
from standin import ONE, TWO, StandIn

from orchestration.demo.serving.clock import WorldClock
from orchestration.demo.serving.databases import (
    Server,
    StandInDatabase,
    drop_database,
    ensure_database,
    grant_reading,
    set_clock,
)
from orchestration.demo.serving.proxy import Proxy, proxying
from orchestration.demo.world import World
from orchestration.sources.core.decoding import decode_json
from orchestration.warehouse.embedded import EmbeddedPostgres

FIXED = "a login's password does not expire by itself, and nothing refreshes it"
UNTIMED = "SQL Server names no time to wait, and no quota of a day"
CURSOR = "rows come from one cursor: there are no pages to be asked for"
PLAIN = "a column holds one number or one text: nothing nests"
_TYPES = {bool: "boolean", int: "numeric", Decimal: "numeric", float: "numeric", str: "text", type(None): "text"}


@dataclass
class Service:
    """What the suite asks of every stand-in's server: its clock, its faults, what was asked of it."""

    proxy: Proxy
    world: WorldClock = field(default_factory=lambda: WorldClock(None, World()))

    @property
    def faults(self) -> Any:
        return self.proxy.faults

    @property
    def log(self) -> list[str]:
        return self.proxy.log


@dataclass
class SqlServer:
    """``databases`` by account; they stand at the world's now."""

    service: Service
    databases: dict[str, StandInDatabase]

    def advance(self, days: int) -> None:
        self.service.world.advance(days)
        for account in self.databases:
            with self.writing(account) as connection:
                set_clock(connection, self.service.world())

    @contextmanager
    def writing(self, account: str) -> Iterator[psycopg.Connection]:
        """One transaction as the owner of an account's database."""
        with self.databases[account].writing() as connection:
            yield connection


class SqlStandIn(StandIn):
    """A description says which table is made and changed; the rest is here.

    table
        Schema and name of the stream's table.
    """

    table: ClassVar[tuple[str, str]]
    deadline = "orchestration.sources.core.sql_link.PAGE_SECONDS"
    secrets = ("url",)
    page = 1000
    gap_days = 1
    # A SQLSTATE beside what happens to a connection; others and SQL Server's numbers are told apart elsewhere.
    troubles = ("57P01", "reset", "cut", "garbage")
    first_troubles = ("57P01", "reset", "garbage")

    @classmethod
    @contextmanager
    def start(cls, patch: pytest.MonkeyPatch) -> Iterator[Self]:
        embedded = EmbeddedPostgres(Path(os.environ["AIOP_TEST_ROOT"]) / EMBEDDED)
        server = Server(embedded.superuser_url)
        names = {account: f"sql_{uuid.uuid4().hex[:12]}_{account}" for account in (ONE, TWO)}
        address = urlsplit(embedded.superuser_url())
        try:
            made = {account: ensure_database(server, name, f"pass-of-{name}") for account, name in names.items()}
            with proxying((str(address.hostname), int(address.port or 0))) as proxy:
                standin = cls()
                standin.server = SqlServer(Service(proxy), made)
                for account, database in made.items():
                    with database.writing() as connection:
                        standin.create(connection, account)
                        set_clock(connection, standin.server.service.world())
                standin.listen()
                yield standin
        finally:
            for name in names.values():
                drop_database(server, name)

    @abstractmethod
    def create(self, connection: psycopg.Connection, account: str) -> None:
        """Make the account's tables, without rows."""

    def settings(self, account: str) -> dict[str, Any]:
        url = urlsplit(self.server.databases[account].reader_url)
        behind = url.netloc.rpartition("@")[0] + f"@127.0.0.1:{self.server.service.proxy.port}"
        return {"url": url._replace(netloc=behind).geturl(), "database_schema": self.table[0]}

    def secret_values(self) -> list[str]:
        urls = [self.settings(account)["url"] for account in (ONE, TWO)]
        return [*urls, *(str(urlsplit(url).password) for url in urls)]

    def refuse(self, account: str) -> None:
        database = self.server.databases[account]
        with database.writing() as connection:
            role = sql.Identifier(f"{database.name}_reader")
            connection.execute(sql.SQL("alter role {} password 'another one'").format(role))

    def fault(self, kind: str, *, page: int = 1, count: int | None = 1, **facts: Any) -> None:
        """As for HTTP, with what a database says instead of a status."""
        states = {"throttle": "53300", 400: "42P01", 500: "57P01", 200: "53400"}
        if kind in ("throttle", "status", "body"):
            facts["headers"] = {"state": states.get(facts.pop("status", kind), states[500])}
            kind = "status"
        super().fault(kind, page=page, count=count, **facts)

    def trouble(self, kind: str, *, page: int = 1, count: int | None = 1) -> None:
        if kind in ("reset", "cut", "garbage"):
            self.fault(kind, page=page, count=count)
        else:
            super().fault("status", page=page, count=count, headers={"state": kind})

    def serve(self, *records: str) -> None:
        """Make the table anew, its columns of whatever types the texts' members have."""
        rows = [decode_json(text.encode()) for text in records]
        rows = [{self.member(name): value for name, value in row.items()} for row in rows]
        types = {name: _TYPES.get(type(value), "jsonb") for row in rows for name, value in row.items()}
        table = sql.Identifier(*self.table)
        with self.server.writing(ONE) as connection:
            connection.execute(sql.SQL("drop table if exists {}").format(table))
            columns = [sql.SQL("{} " + kind).format(sql.Identifier(name)) for name, kind in types.items()]
            connection.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))
            for row in rows:
                insert(connection, table, row)
            grant_reading(connection, self.table[0])


def insert(connection: psycopg.Connection, table: sql.Composable, row: dict[str, Any]) -> None:
    """Put one row into a table, by column name."""
    values = [Jsonb(value, dumps=json.dumps) if isinstance(value, dict | list) else value for value in row.values()]
    connection.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            table,
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        ),
        values,
    )
