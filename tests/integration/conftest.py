"""A server of the test's own, where the session's shared one would not do, and a world that many tests read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bi_world import BiWorld, bi_world
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
