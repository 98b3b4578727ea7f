"""A case database on Postgres: its table made, filled, and brought to the world's day."""

from __future__ import annotations

from functools import partial

import psycopg
from psycopg import sql

from orchestration.demo.cases.caseload import CASELOADS, SCHEMA, TABLE, Caseload
from orchestration.demo.cases.life import rows
from orchestration.demo.serving.databases import DemoDatabase, clock_of, grant_reading, set_clock
from orchestration.demo.world import World

_NAME = sql.Identifier(SCHEMA, TABLE)


def create_table(connection: psycopg.Connection, caseload: Caseload) -> None:
    """The table without rows, unless it is there; it has no key."""
    columns = [sql.SQL("{} " + kind).format(sql.Identifier(name)) for name, kind in caseload.columns]
    connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(SCHEMA)))
    connection.execute(sql.SQL("create table if not exists {} ({})").format(_NAME, sql.SQL(", ").join(columns)))
    grant_reading(connection, SCHEMA)


def update(caseload: Caseload, connection: psycopg.Connection, world: World) -> None:
    """Let the table be as it is at the world's now. A table that stands there already is not touched."""
    create_table(connection, caseload)
    if clock_of(connection) == (world.now, world.seed):
        return
    held = rows(caseload, world)
    # Not truncated: who reads one instant meanwhile must not see an empty table.
    connection.execute(sql.SQL("delete from {}").format(_NAME))
    names = [name for name, _ in caseload.columns]
    statement = sql.SQL("copy {} ({}) from stdin").format(_NAME, sql.SQL(", ").join(map(sql.Identifier, names)))
    with connection.cursor().copy(statement) as copy:
        for row in held:
            copy.write_row([row[name] for name in names])
    set_clock(connection, world)


CASE_DATABASES = tuple(
    DemoDatabase(one.slug, "azure_sql", partial(update, one), {"database_schema": SCHEMA}) for one in CASELOADS
)
