"""A server of the test's own, where the session's shared one would not do, and a world that many tests read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from bi_world import BiWorld, bi_world
from cryptography.fernet import Fernet
from postgres_helpers import SMALL
from servers import EMBEDDED, EVERYWHERE, PROGRAMS

from orchestration.warehouse.embedded import EmbeddedPostgres


@pytest.fixture(params=EVERYWHERE)
def server(request: pytest.FixtureRequest, own_home: Path) -> EmbeddedPostgres:
    """A server of the test's own, not yet made, of each kind."""
    return EmbeddedPostgres(own_home, PROGRAMS[request.param], SMALL)


@pytest.fixture
def server18(own_home: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(own_home, None, SMALL)


@pytest.fixture(scope="session")
def bi(
    postgres_server: Callable[[str], EmbeddedPostgres], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BiWorld]:
    """One world for all who only read it; their modules bear the mark ``xdist_group("bi")``."""
    with bi_world(postgres_server(EMBEDDED), tmp_path_factory.mktemp("bi"), "aiop_template") as world:
        yield world


@pytest.fixture
def two_tenants(database_everywhere: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """The builder's session on a database with the organizations ``bennett`` and ``vital``, on each kind of server."""
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    with psycopg.connect(database_everywhere, autocommit=True) as connection:
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency) values"
            " (1, 'bennett', 'Bennett', gen_random_uuid(), 'UTC', 'USD'),"
            " (2, 'vital', 'VITAL', gen_random_uuid(), 'UTC', 'USD')"
        )
        yield connection
