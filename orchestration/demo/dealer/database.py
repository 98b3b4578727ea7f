"""Softbase's database: a schema of views for each dealership, kept as the world's clock has it.

It stands on Postgres, with SQL Server's names and Postgres' types. Its clock is the world's, not the machine's: a login
finds ``clock_timestamp()`` in a schema of the stand-in's own before that of the system.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from orchestration.demo.dealer.dealership import CARD_COLUMNS, Dealership
from orchestration.demo.dealer.life import Life
from orchestration.demo.dealer.rows import rows_of
from orchestration.demo.dealer.views import POSTGRES_TYPES, View, views_of
from orchestration.demo.world import World

Key = tuple[Any, ...]
Values = tuple[Any, ...]


class Tenant:
    """One dealership in the database: its life so far, and what is written of it."""

    def __init__(self, dealership: Dealership, world: World) -> None:
        self.dealership = dealership
        self.life = Life(dealership, world)
        self.lock = threading.RLock()
        self._written: dict[str, dict[Key, Values]] = {}

    def create(self, connection: psycopg.Connection) -> None:
        """Make the schema anew, empty. A login of its name may read all but what no reader has a business with."""
        schema = sql.Identifier(self.dealership.schema)
        login = sql.Identifier(login_of(self.dealership))
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(schema))
        connection.execute(sql.SQL("create schema {}").format(schema))
        connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, login))
        for view in views_of(self.dealership):
            columns = [
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(POSTGRES_TYPES[kind]))
                for name, kind in view.columns.items()
            ]
            if view.key:
                columns.append(sql.SQL("primary key ({})").format(_names(view.key)))
            table = sql.Identifier(self.dealership.schema, view.name)
            connection.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(columns)))
            readable = _names(name for name in view.columns if name not in CARD_COLUMNS)
            connection.execute(sql.SQL("grant select ({}) on {} to {}").format(readable, table, login))
        self._written = {view.name: {} for view in views_of(self.dealership)}

    def follow(self, connection: psycopg.Connection, world: World) -> None:
        """Live until the world's day, and write what changed."""
        self.life.continue_until(world)
        self.write(connection, world)

    def write(self, connection: psycopg.Connection, world: World) -> None:
        """Bring the tables to what the records are now."""
        today = world.now.astimezone(self.dealership.zone).date()
        rows = rows_of(self.life, today)
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
        written = self._written[view.name]
        new = [values for key, values in current.items() if written.get(key) != values]
        old = [key for key, values in written.items() if current.get(key) != values]
        table = sql.Identifier(self.dealership.schema, view.name)
        if old and not view.key:
            connection.execute(sql.SQL("delete from {}").format(table))
            new = list(current.values())
        elif old:
            condition = sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in view.key)
            statement = sql.SQL("delete from {} where {}").format(table, condition)
            connection.cursor().executemany(statement, old)
        if new:
            with connection.cursor().copy(sql.SQL("copy {} ({}) from stdin").format(table, _names(view.names))) as copy:
                for values in new:
                    copy.write_row(values)


def login_of(dealership: Dealership) -> str:
    """The login of a dealership's reader."""
    return f"softbase_{dealership.slug}"


def create_tenants(connection: psycopg.Connection, tenants: Sequence[Tenant], password: str) -> None:
    """Make logins, clock and schemas in a database of the stand-in's own; the connection is an administrator's.

    What stands there of a dealership is made anew.
    """
    with connection.transaction():
        connection.execute("create schema if not exists standin")
        connection.execute("create table if not exists standin.world (now timestamptz not null)")
        connection.execute(
            "create or replace function standin.clock_timestamp() returns timestamptz language sql stable"
            " begin atomic select now from standin.world; end"
        )
        for tenant in tenants:
            login, here = sql.Identifier(login_of(tenant.dealership)), sql.Identifier(connection.info.dbname)
            _make_login(connection, login_of(tenant.dealership), password)
            for statement in (
                "alter role {login} in database {here} set search_path = standin, pg_catalog",
                "grant connect on database {here} to {login}",
                "grant usage on schema standin to {login}",
                "grant select on standin.world to {login}",
            ):
                connection.execute(sql.SQL(statement).format(login=login, here=here))
            tenant.create(connection)


def _make_login(connection: psycopg.Connection, name: str, password: str) -> None:
    """Logins belong to the server: another database's stand-in may make the same one at this moment."""
    create = sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(password))
    with contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation), connection.transaction():
        connection.execute(create)


def follow_world(connection: psycopg.Connection, tenants: Iterable[Tenant], world: World) -> None:
    """Bring clock and dealerships to the world's instant, at once for every reader."""
    with connection.transaction():
        for tenant in tenants:
            with tenant.lock:
                tenant.follow(connection, world)
        connection.execute("delete from standin.world")
        connection.execute("insert into standin.world values (%s)", [world.now])


def _names(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
