"""Stand-in databases: sources of the demo that are SQL databases, on the Postgres server that is there anyway.

Each has a schema ``world`` with a clock that stands still as the world's does: the reading login finds its
``clock_timestamp()`` before Postgres' own. HTTP stand-ins follow the world by themselves; a database has to be written
to.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import conninfo, sql

from orchestration.demo.world import World
from orchestration.errors import AiopError
from orchestration.logs import register_secret
from orchestration.settings import load_settings
from orchestration.warehouse.embedded import EmbeddedPostgres

_CLOCK = """
    create schema if not exists world;
    create table if not exists world.clock (now timestamptz not null, seed int not null);
    create or replace function world.clock_timestamp() returns timestamptz language sql stable
        return (select max(clock.now) from world.clock);
"""


@dataclass(frozen=True)
class Server:
    """A Postgres server on which databases and logins may be made. ``url``: a database's name to its maker's URL.

    maintenance
        A database to be connected to while others are made.
    """

    url: Callable[[str], str] = field(repr=False)
    maintenance: str = "postgres"


@dataclass(frozen=True)
class StandInDatabase:
    """A database that a source reads. ``reader_url`` is SQLAlchemy's, of a login that may read and nothing else."""

    name: str
    writer_url: str = field(repr=False)
    reader_url: str = field(repr=False)

    @contextmanager
    def writing(self) -> Iterator[psycopg.Connection]:
        """One transaction as the database's owner."""
        with psycopg.connect(self.writer_url, application_name="aiop stand-in") as connection:
            yield connection


@dataclass(frozen=True)
class DemoDatabase:
    """A database of the demo. ``update`` brings it, in one transaction, to where the world is, whatever it holds.

    settings
        What organizations.yml says of the connection beside its URL.
    """

    slug: str
    source: str
    update: Callable[[psycopg.Connection, World], None]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Tells no tenant whose it is: every login of a server can list its databases and roles."""
        return f"demo_{self.source}_{blake2b(self.slug.encode(), digest_size=4).hexdigest()}"

    @property
    def variable(self) -> str:
        """The environment variable that holds the reader's URL."""
        return f"DEMO_{self.source}_URL_{self.slug}".upper()

    @property
    def connection(self) -> dict[str, str]:
        """The connection as it stands in organizations.yml."""
        return {"url": f"env:{self.variable}", **self.settings}


def demo_server() -> Server:
    """The warehouse's own server. AiopError where its role may make no databases and logins."""
    settings = load_settings()
    if settings.database_url is None:
        embedded = EmbeddedPostgres(settings.home)
        embedded.start()
        return Server(embedded.superuser_url)
    given = conninfo.conninfo_to_dict(settings.database_url.replace("postgres://", "postgresql://", 1))
    with psycopg.connect(settings.database_url) as connection:
        row = connection.execute(
            "select rolsuper or (rolcreatedb and rolcreaterole) from pg_roles where rolname = current_user"
        ).fetchone()
    if row != (True,):
        raise AiopError(
            "the role in DATABASE_URL may not create databases and roles, which the demo's SQL sources need",
            hint="grant it CREATEDB and CREATEROLE, or unset DATABASE_URL to use the embedded server.",
        )

    def url(name: str) -> str:
        return urlsplit(str(settings.database_url))._replace(path=f"/{name}").geturl()

    return Server(url, str(given.get("dbname") or "postgres"))


def password_of(directory: Path, name: str) -> str:
    """The password of a database's reader: random, and kept under ``directory`` for its owner's eyes alone."""
    path = directory / "databases.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if name not in kept:
        kept[name] = secrets.token_urlsafe(24)
        partial = path.with_suffix(f".{os.getpid()}.tmp")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(kept, file)
        partial.replace(path)
    return str(kept[name])


def ensure_database(server: Server, name: str, password: str) -> StandInDatabase:
    """A database with a clock, and a login that may read what is granted to it; made where missing."""
    reader = f"{name}_reader"
    register_secret(password)
    database, role = sql.Identifier(name), sql.Identifier(reader)
    with psycopg.connect(server.url(server.maintenance), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("create database {} template template0").format(database))
        connection.execute(sql.SQL("revoke connect, temporary on database {} from public").format(database))
        verifier = connection.pgconn.encrypt_password(password.encode(), reader.encode(), b"scram-sha-256").decode()
        there = connection.execute("select 1 from pg_roles where rolname = %s", [reader]).fetchone()
        connection.execute(
            sql.SQL("{} role {} login nosuperuser nocreatedb nocreaterole password {}").format(
                sql.SQL("alter" if there else "create"), role, sql.Literal(verifier)
            )
        )
        connection.execute(sql.SQL("grant connect on database {} to {}").format(database, role))
        for setting in ("search_path = world, pg_catalog", "default_transaction_read_only = on"):
            connection.execute(sql.SQL(f"alter role {{}} in database {{}} set {setting}").format(role, database))
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        connection.execute(_CLOCK)
        grant_reading(connection, "world")
    address = conninfo.conninfo_to_dict(server.url(name))
    where = f"{address.get('host') or 'localhost'}:{address.get('port') or 5432}"
    return StandInDatabase(name, server.url(name), f"postgresql+psycopg://{reader}:{password}@{where}/{name}")


def grant_reading(connection: psycopg.Connection, schema: str) -> None:
    """Let the database's reader read a schema's tables."""
    reader, place = sql.Identifier(f"{connection.info.dbname}_reader"), sql.Identifier(schema)
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(place, reader))
    connection.execute(sql.SQL("grant select on all tables in schema {} to {}").format(place, reader))


def clock_of(connection: psycopg.Connection) -> tuple[object, ...] | None:
    """(instant, seed) that the database stands at; None where it was never written to."""
    return connection.execute("select now, seed from world.clock").fetchone()


def set_clock(connection: psycopg.Connection, world: World) -> None:
    """Let the database say that it is the world's now."""
    connection.execute("delete from world.clock")
    connection.execute("insert into world.clock (now, seed) values (%s, %s)", [world.now, world.seed])


def drop_database(server: Server, name: str) -> None:
    """Take a database and its reader away."""
    with psycopg.connect(server.url(server.maintenance), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(f"{name}_reader")))
