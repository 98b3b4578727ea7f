"""The Softbase stand-in: a database with the dealerships' schemas, kept as the world's clock has them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from pathlib import Path

import psycopg
from psycopg import sql

from orchestration.demo.dealer.database import Tenant, create_tenants, follow_world, login_of
from orchestration.demo.dealer.dealership import DEALERSHIPS, Dealership
from orchestration.demo.dealer.documents import Records
from orchestration.demo.serving.clock import WorldClock
from orchestration.demo.world import World

DATABASE = "softbase"
LOOK_SECONDS = 0.3


def password() -> str:
    """Password of the stand-in's logins; as good as public, it opens nothing but the stand-in on loopback."""
    return blake2b(b"aiop demo|softbase", digest_size=18).hexdigest()


@dataclass
class RunningSoftbase:
    """Dealerships in a database; ``administrator`` is its administrator's URL, for tests that change rows."""

    administrator: str
    tenants: dict[str, Tenant]
    world: WorldClock
    _followed: World | None = field(default=None)
    _following: threading.Lock = field(default_factory=threading.Lock)

    def follow(self) -> World:
        """Bring the database to the world's instant, where it is not there yet; gives that world."""
        with self._following:
            world = self.world()
            if world != self._followed:
                with psycopg.connect(self.administrator) as connection:
                    follow_world(connection, self.tenants.values(), world)
                self._followed = world
            return world

    def advance(self, days: int) -> World:
        """Let the world live on, as `aiop demo advance` does."""
        self.world.advance(days)
        return self.follow()

    def url(self, slug: str) -> str:
        """What a dealership's reader connects to."""
        return reader_url(self.administrator, self.tenants[slug].dealership)

    def connection(self, slug: str) -> dict[str, str]:
        """The resolved connection settings of a dealership, as an extractor takes them."""
        return {"url": self.url(slug), "schema": self.tenants[slug].dealership.schema}

    def records(self, slug: str) -> Records:
        """A dealership's records as of now; what is changed in them shows after ``rewrite``."""
        return self.tenants[slug].life.records

    def today(self, slug: str) -> date:
        """A dealership's date."""
        return self.world().now.astimezone(self.tenants[slug].dealership.zone).date()

    def rewrite(self, slug: str) -> None:
        """Write what was changed in the records."""
        with psycopg.connect(self.administrator) as connection, self.tenants[slug].lock:
            self.tenants[slug].write(connection, self.world())


def reader_url(administrator: str, dealership: Dealership) -> str:
    """The URL of a dealership's reader in the database that an administrator's URL names."""
    host = psycopg.conninfo.conninfo_to_dict(administrator)
    address = f"{host.get('host', '127.0.0.1')}:{host.get('port', 5432)}"
    return f"postgresql+psycopg://{login_of(dealership)}:{password()}@{address}/{host['dbname']}"


@contextmanager
def running(
    administrator: str,
    directory: Path | None = None,
    *,
    dealerships: Sequence[Dealership] = DEALERSHIPS,
    world: World | None = None,
) -> Iterator[RunningSoftbase]:
    """The stand-in in the database that an administrator's URL names; what stood there of it is made anew.

    With ``directory`` it follows the world kept there, a moment later; without, it lives in ``world`` (default: the
    first day).
    """
    clock = WorldClock(directory, world or World())
    tenants = {one.slug: Tenant(one, clock()) for one in dealerships}
    with psycopg.connect(administrator) as connection:
        create_tenants(connection, list(tenants.values()), password())
    server = RunningSoftbase(administrator, tenants, clock)
    server.follow()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            server.follow()

    thread = threading.Thread(target=look, name="Softbase stand-in", daemon=True)
    if directory is not None:
        thread.start()
    try:
        yield server
    finally:
        ended.set()
        if thread.is_alive():
            thread.join(10)


def made_database(server: str, name: str = DATABASE) -> None:
    """Make the stand-in's database, unless it is there, closed to who is not let in by name."""
    with psycopg.connect(server, autocommit=True) as connection:
        if not connection.execute("select from pg_database where datname = %s", [name]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("revoke connect, temporary on database {} from public").format(sql.Identifier(name)))
