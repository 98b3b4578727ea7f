"""Softbase for the suite: two tenants whose invoice registers it fills, with the audit columns of the vendor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql
from sql_standin import CURSOR, FIXED, PLAIN, UNTIMED, SqlStandIn
from standin import ONE, Window

from orchestration.demo.dealer.database import create_views
from orchestration.demo.dealer.dealership import Dealership
from orchestration.sources.softbase.source import SOFTBASE
from orchestration.sources.softbase.streams import AUDIT, ViewStream

SCHEMA, VIEW = "ten001", "InvoiceReg"
ZONE = ZoneInfo("America/Chicago")
BLANK = Dealership("blank", SCHEMA, fleet=0, stock=0, owned=0, customers=0, orders_per_day=0)
_TABLE = sql.Identifier(SCHEMA, VIEW)
_STREAM = SOFTBASE.stream("invoice_reg")


class Softbase(SqlStandIn):
    """An invoice that is deleted is marked as such, without its modification time being moved."""

    source, stream, table = "softbase", "invoice_reg", (SCHEMA, VIEW)
    pages = ("/", f'fetch SELECT "{SCHEMA}"."{VIEW}"')
    content = "{ControlNo}"
    gap_days = 7
    # The first page is fetched in two pieces: what breaks the second one comes before anything was handed on.
    starts_over = True
    not_applicable: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("1", "2", "4", "F9"), FIXED),
        **dict.fromkeys(("6a", "6c", "6d"), UNTIMED),
        **dict.fromkeys(("10", "11", "12", "13"), CURSOR),
        **dict.fromkeys(("14", "16a"), "changes are a condition of one query, which has no ceiling"),
        "F18": "no question has a limit of its own",
        "16d": "a deleted row stays in the view, marked (16c); nothing else hides it",
        "17": "rows are not merged; a deleted one that comes back is in tests/integration/test_softbase_sync.py",
        "F25": "rows have no days that are rewritten",
        "F26": "ids are numbers and stand in no path",
        "22a": "the stand-in's Postgres can hold none of these; SQL Server's texts that can, NUL and halves of "
        "characters, are read over its own protocol (tests/unit/sources/test_core_sql_tds.py)",
        "22d": PLAIN,
    }

    @classmethod
    @contextmanager
    def start(cls, patch: pytest.MonkeyPatch) -> Iterator[Self]:
        with super().start(patch) as standin:
            yield standin
            for connection in standin.__dict__.get("_held", {}).values():
                connection.close()

    def create(self, connection: psycopg.Connection, account: str) -> None:
        create_views(connection, BLANK)

    def settings(self, account: str) -> dict[str, Any]:
        return {"url": super().settings(account)["url"], "schema": SCHEMA}

    @property
    def wall(self) -> datetime:
        """The dealership's clock as its database writes it."""
        return self.now.astimezone(ZONE).replace(tzinfo=None)

    def run(self, statement: str, *values: Any, account: str = ONE) -> list[tuple]:
        """Rows of a statement, each its own transaction; hundreds of them go over one connection."""
        held = self.__dict__.setdefault("_held", {})
        if account not in held or held[account].closed:
            held[account] = psycopg.connect(self.server.databases[account].writer_url, autocommit=True)
        done = held[account].execute(sql.SQL(statement).format(table=_TABLE), values)  # type: ignore[arg-type]
        return done.fetchall() if done.description else []

    def keys(self, account: str = ONE) -> set[str]:
        return {
            str(row[0]) for row in self.run('select "InvoiceNo" from {table} where not "IsDeleted"', account=account)
        }

    def make(self, count: int, account: str = ONE) -> list[str]:
        made = self.run(
            """
            insert into {table} ("InvoiceNo", "ControlNo", "SaleCode", "InvoiceDate", "CreationTime", "IsDeleted")
            select last + n, 'PO', 'SVE', %s::date, %s, false
            from generate_series(1, %s) as n, (select coalesce(max("InvoiceNo"), 0) as last from {table}) as s
            returning "InvoiceNo"
            """,
            # Long ago: what changes is told by the audit columns alone.
            date(2024, 1, 15),
            self.wall,
            count,
            account=account,
        )
        return [str(row[0]) for row in made]

    def edit(self, key: str, at: datetime | None = None) -> str:
        moved = at.astimezone(ZONE).replace(tzinfo=None) if at else self.wall
        ((text,),) = self.run(
            """
            update {table} set "ControlNo" = "ControlNo" || '!', "LastModificationTime" = %s where "InvoiceNo" = %s
            returning "ControlNo"
            """,
            moved,
            key,
        )
        return str(text)

    def delete(self, key: str) -> None:
        self.run('update {table} set "IsDeleted" = true, "DeletionTime" = %s where "InvoiceNo" = %s', self.wall, key)

    def destroy(self, key: str) -> None:
        self.run('delete from {table} where "InvoiceNo" = %s', key)

    def make_recent(self, count: int, account: str = ONE) -> str:
        self.run(
            """
            insert into {table} ("InvoiceNo", "SaleCode", "InvoiceDate", "CreationTime", "IsDeleted")
            select 7000 + n, 'SVE', %s::date, %s, false from generate_series(1, %s) as n
            """,
            self.wall.date(),
            self.wall,
            count,
            account=account,
        )
        return self.stream

    def lose_recent(self) -> None:
        self.run("delete from {table}")

    def calendar(self) -> tuple[str, list[tuple[Window, set[str]]]]:
        first = [date(2024, 1, 1), date(2024, 3, 1), date(2024, 3, 10), date(2024, 3, 11), date(2024, 11, 3)]
        last = [*(day - timedelta(days=1) for day in first[1:]), date(2024, 12, 31)]
        windows: list[tuple[Window, set[str]]] = []
        for number, (start, end) in enumerate(zip(first, last, strict=True)):
            made = {str(number * 2 + 1): (start, "00:00:00"), str(number * 2 + 2): (end, "23:59:59.997")}
            for key, (day, time) in made.items():
                statement = 'insert into {table} ("InvoiceNo", "InvoiceDate", "IsDeleted") values (%s, %s, false)'
                self.run(statement, key, f"{day} {time}")
            windows.append(((start, end), set(made)))
        return self.stream, windows

    def member(self, name: str) -> str:
        """Columns of the allow-list stand for whatever the suite calls its members."""
        assert isinstance(_STREAM, ViewStream)
        table = _STREAM.table
        if name in (*table.required, *table.optional):
            return name
        members = self.__dict__.setdefault("_members", {})
        used = {*members.values(), *AUDIT, *_STREAM.dates}
        free = [one for one in table.optional if one not in used]
        return members.setdefault(name, free[0])

    def record_text(self, key: str, members: str, updated: datetime | None = None) -> str:
        assert isinstance(_STREAM, ViewStream)
        required = ",".join(f'"{name}":"x"' for name in _STREAM.required if name != "InvoiceNo")
        at = (updated or self.now).astimezone(ZONE).replace(tzinfo=None).isoformat(timespec="milliseconds")
        return f'{{"InvoiceNo":{key},"LastModificationTime":"{at}",{required},{members}}}'
