"""The Softbase stand-in for tests: a database for each dealership, whose records may be changed."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date

from orchestration.demo.dealer.database import Tenant
from orchestration.demo.dealer.dealership import DEALERSHIPS, Dealership
from orchestration.demo.dealer.documents import Records
from orchestration.demo.serving.databases import Server, StandInDatabase, drop_database, ensure_database
from orchestration.demo.world import World


@dataclass
class RunningSoftbase:
    """Dealerships by slug, each in a database of its own."""

    tenants: dict[str, Tenant]
    databases: dict[str, StandInDatabase]
    world: World

    def advance(self, days: int) -> World:
        """Let the world live on, as `aiop demo advance` does."""
        self.world = World(self.world.seed, self.world.base, self.world.days + days)
        self.follow()
        return self.world

    def follow(self) -> None:
        """Bring every database to the world's instant."""
        for slug, tenant in self.tenants.items():
            with self.databases[slug].writing() as connection, tenant.lock:
                tenant.follow(connection, self.world)

    def connection(self, slug: str) -> dict[str, str]:
        """The resolved connection settings of a dealership, as an extractor takes them."""
        return {"url": self.databases[slug].reader_url, "schema": self.tenants[slug].dealership.schema}

    def records(self, slug: str) -> Records:
        """A dealership's records as of now; what is changed in them shows after ``rewrite``."""
        return self.tenants[slug].life.records

    def today(self, slug: str) -> date:
        """A dealership's date."""
        return self.world.now.astimezone(self.tenants[slug].dealership.zone).date()

    def rewrite(self, slug: str) -> None:
        """Write what was changed in the records."""
        with self.databases[slug].writing() as connection, self.tenants[slug].lock:
            self.tenants[slug].write(connection, self.world)

    def execute(self, slug: str, statement: str, *parameters: object) -> None:
        """Change a dealership's database behind the back of its records; its schema is the default one."""
        with self.databases[slug].writing() as connection:
            connection.execute("select set_config('search_path', %s, true)", [self.tenants[slug].dealership.schema])
            connection.execute(statement, parameters)  # type: ignore[arg-type]


@contextmanager
def running(
    server: Server, *, dealerships: Sequence[Dealership] = DEALERSHIPS, world: World | None = None
) -> Iterator[RunningSoftbase]:
    """Databases on a server that is there, under names of their own, taken away afterwards."""
    run = uuid.uuid4().hex[:8]
    world = world or World()
    tenants = {one.slug: Tenant(one, world) for one in dealerships}
    with ExitStack() as stack:
        databases = {}
        for slug in tenants:
            name = f"softbase_{run}_{slug}"
            stack.callback(drop_database, server, name)
            databases[slug] = ensure_database(server, name, secrets.token_urlsafe(18))
        started = RunningSoftbase(tenants, databases, world)
        started.follow()
        yield started
