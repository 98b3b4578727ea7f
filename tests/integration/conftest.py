"""A server of the test's own, where the session's shared one would not do."""

from __future__ import annotations

from pathlib import Path

import pytest
from postgres_helpers import DEBIAN_BIN, SMALL, with_debian

from orchestration.warehouse.embedded import EmbeddedPostgres


@pytest.fixture(params=["embedded18", pytest.param("debian15", marks=with_debian)])
def server(request: pytest.FixtureRequest, own_home: Path) -> EmbeddedPostgres:
    """A server of the test's own, not yet made, of each kind."""
    return EmbeddedPostgres(own_home, DEBIAN_BIN if request.param == "debian15" else None, SMALL)


@pytest.fixture
def server18(own_home: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(own_home, None, SMALL)
