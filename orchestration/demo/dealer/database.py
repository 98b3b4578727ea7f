"""Softbase's database: the schema of a dealership's views, kept as the world's clock has it.

It stands on Postgres, with SQL Server's names and Postgres' types.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from orchestration.demo.dealer.dealership import CARD_COLUMNS, DEALERSHIPS, Dealership
from orchestration.demo.dealer.life import Life
from orchestration.demo.dealer.rows import rows_of
from orchestration.demo.dealer.views import POSTGRES_TYPES, View, views_of
from orchestration.demo.serving.databases import DemoDatabase, clock_of, set_clock
from orchestration.demo.world import World

Key = tuple[Any, ...]
Values = tuple[Any, ...]


class Tenant:
    """One dealership in a database: its life so far, and what is known to be written of it."""

    def __init__(self, dealership: Dealership, world: World) -> None:
        self.dealership = dealership
        self.life = Life(dealership, world)
        self.lock = threading.RLock()
        self._written: dict[str, dict[Key, Values]] = {}

    def follow(self, connection: psycopg.Connection, world: World) -> None:
        """Live until the world's day, and bring tables and clock there, at once for every reader."""
        self.life.continue_until(world)
        self.write(connection, world)
        set_clock(connection, world)

    def write(self, connection: psycopg.Connection, world: World) -> None:
        """Bring the tables to what the records are now; they are made where missing."""
        create_views(connection, self.dealership)
        rows = rows_of(self.life, world.now.astimezone(self.dealership.zone).date())
        for view in views_of(self.dealership):
            key = view.key or ("Id",)
            current = {
                tuple(row[name] for name in key): tuple(row.get(name) for name in view.names)
                for row in rows[view.name]
                if self.dealership.audited or not (row.get("IsDeleted") or row.get("DeletionTime"))
            }
            self._write(connection, view, current)
            self._written[view.name] = current

    def _write(self, connection: psycopg.Connection, view: View, current: dict[Key, Values]) -> None:
        """Write what differs; all of it where nothing is known of what stands there."""
        table = sql.Identifier(self.dealership.schema, view.name)
        written = self._written.get(view.name)
        old = [key for key, values in (written or {}).items() if current.get(key) != values]
        if written is None or (old and not view.key):
            # Not truncated: who reads meanwhile must not see an empty table.
            connection.execute(sql.SQL("delete from {}").format(table))
            written, old = {}, []
        if old:
            condition = sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in view.key)
            statement = sql.SQL("delete from {} where {}").format(table, condition)
            connection.cursor().executemany(statement, old)
        new = [values for key, values in current.items() if written.get(key) != values]
        with connection.cursor().copy(sql.SQL("copy {} ({}) from stdin").format(table, _names(view.names))) as copy:
            for values in new:
                copy.write_row(values)


def create_views(connection: psycopg.Connection, dealership: Dealership) -> None:
    """The schema and its tables, without rows, unless they are there.

    The database's reader may read all but the columns that no reader has a business with: who asks for them fails.
    """
    schema, reader = sql.Identifier(dealership.schema), sql.Identifier(f"{connection.info.dbname}_reader")
    connection.execute(sql.SQL("create schema if not exists {}").format(schema))
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, reader))
    for view in views_of(dealership):
        columns = [
            sql.SQL("{} " + POSTGRES_TYPES[kind]).format(sql.Identifier(name)) for name, kind in view.columns.items()
        ]
        if view.key:
            columns.append(sql.SQL("primary key ({})").format(_names(view.key)))
        table = sql.Identifier(dealership.schema, view.name)
        connection.execute(sql.SQL("create table if not exists {} ({})").format(table, sql.SQL(", ").join(columns)))
        readable = _names(name for name in view.columns if name not in CARD_COLUMNS)
        connection.execute(sql.SQL("grant select ({}) on {} to {}").format(readable, table, reader))


def update(dealership: Dealership, connection: psycopg.Connection, world: World) -> None:
    """Let the database be as it is at the world's now, whatever it holds."""
    if clock_of(connection) != (world.now, world.seed):
        Tenant(dealership, world).follow(connection, world)


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


SOFTBASE_DATABASES = tuple(
    DemoDatabase(one.slug, "softbase", partial(update, one), {"schema": one.schema}) for one in DEALERSHIPS
)
