"""The case database for the suite: two of them without cases, told apart by a number in one of their columns."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import psycopg
from psycopg import sql
from sql_standin import CURSOR, FIXED, PLAIN, UNTIMED, SqlStandIn
from standin import ONE

from orchestration.demo.cases.caseload import SCHEMA, TABLE, Caseload
from orchestration.demo.cases.database import create_table
from orchestration.sources.azure_sql.streams import CASES
from orchestration.sources.core.records import Record

FULL = "the whole table is read every night: there are no changes to be searched, and no windows"
# The column that says which row it is: the table itself has no key.
HANDLE, CONTENT = "Organization", "Solution"
BLANK = Caseload("blank", "America/Chicago", per_weekday=0, history_days=0)
_TABLE = sql.Identifier(SCHEMA, TABLE)


class AzureSql(SqlStandIn):
    """A changed row is another row, and the one before is gone: nothing names a row."""

    source, stream, table = "azure_sql", "case_data_summary_nophi", (SCHEMA, TABLE)
    pages = ("/", f'fetch SELECT "{SCHEMA}"."{TABLE}"')
    content = f"{{{CONTENT}}}"
    starts_over = True
    key = f"(payload ->> '{HANDLE}')"
    writes_per_edit = 2
    not_applicable: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("1", "2", "4", "F9"), FIXED),
        **dict.fromkeys(("6a", "6c", "6d"), UNTIMED),
        **dict.fromkeys(("10", "11", "12", "13"), CURSOR),
        **dict.fromkeys(("14", "15", "16a", "F20", "F21", "20b"), FULL),
        "F24b": "the whole table is read every night (F24)",
        "F18": "no question has a limit of its own",
        "16d": "cases are taken out, never hidden (16c)",
        "17": "cases are not merged, and what is taken out is gone (16c)",
        "18": "rows have no key: a corrected row is another one, and the one before is gone (16c)",
        "F25": "cases have no days that are rewritten",
        "F26": "rows have no ids that could stand in a path",
        "F41": "rows have no ids: identical ones are all kept (tests/integration/test_case_database.py)",
        "22a": "the stand-in's Postgres can hold none of these; SQL Server's texts that can, NUL and halves of "
        "characters, are read over its own protocol (tests/unit/sources/test_core_sql_tds.py)",
        "22d": PLAIN,
    }

    def create(self, connection: psycopg.Connection, account: str) -> None:
        create_table(connection, BLANK)

    def keys(self, account: str = ONE) -> set[str]:
        with self.server.writing(account) as connection:
            rows = connection.execute(sql.SQL('select "Organization" from {}').format(_TABLE)).fetchall()
        return {row[0] for row in rows}

    def make(self, count: int, account: str = ONE) -> list[str]:
        statement = sql.SQL(
            """
            insert into {} ("Organization", "Solution", "Case Create Date", "Case Type")
            select (s.last + n)::text, 'EAP', '2026-01-12', 'EAP'
            from generate_series(1, %s) as n,
                (select coalesce(max("Organization"::int), 0) as last from {}) as s
            returning "Organization"
            """
        ).format(_TABLE, _TABLE)
        with self.server.writing(account) as connection:
            return [row[0] for row in connection.execute(statement, [count]).fetchall()]

    def edit(self, key: str, at: datetime | None = None) -> str:
        statement = sql.SQL(
            """update {} set "Solution" = "Solution" || '!' where "Organization" = %s returning "Solution" """
        ).format(_TABLE)
        with self.server.writing(ONE) as connection:
            row = connection.execute(statement, [key]).fetchone()
        assert row is not None
        return str(row[0])

    def delete(self, key: str) -> None:
        with self.server.writing(ONE) as connection:
            connection.execute(sql.SQL('delete from {} where "Organization" = %s').format(_TABLE), [key])

    destroy = delete

    def id_of(self, record: Record) -> str:
        assert record.payload is not None
        return str(record.payload[HANDLE])

    def member(self, name: str) -> str:
        """Columns of the allow-list stand for whatever the suite calls its members."""
        listed = (*CASES.table.required, *CASES.table.optional)
        if name in listed:
            return name
        members = self.__dict__.setdefault("_members", {})
        free = [one for one in CASES.table.optional if one not in (HANDLE, *members.values())]
        return members.setdefault(name, free[0])

    def record_text(self, key: str, members: str, updated: datetime | None = None) -> str:
        required = ",".join(f'"{name}":"x"' for name in CASES.table.required)
        return f'{{"{HANDLE}":"{key}",{required},{members}}}'
