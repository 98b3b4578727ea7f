"""Runs every case over every source it applies to, each time on a stand-in of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from conformance_world import Warehouse, warehouse_of
from descriptions import STANDINS
from sql_standin import SqlStandIn
from standin import StandIn


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "case(case): what a test proves (tests/sources/cases.py)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("case")
    if marker is None:
        return
    (case,) = marker.args
    concerned = [one for one in STANDINS if case.number not in one.not_applicable]
    names = [f"{one.source}: {case.title}" for one in concerned]
    if "kind" not in metafunc.fixturenames:
        metafunc.parametrize("standin", concerned, indirect=True, ids=names)
        return
    # Each kind of source has its own kinds of trouble.
    pages = [(one, kind, 2) for one in concerned for kind in one.troubles]
    if "page" in metafunc.fixturenames:
        pages += [(one, kind, 1) for one in concerned for kind in one.first_troubles]
    wanted = [name for name in ("standin", "kind", "page") if name in metafunc.fixturenames]
    metafunc.parametrize(
        ",".join(wanted),
        [values[: len(wanted)] for values in pages],
        indirect=["standin"],
        ids=[f"{one.source}: {case.title}-{kind}-{page}" for one, kind, page in pages],
    )


@pytest.fixture(autouse=True)
def _retries_without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=20, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def standin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    if issubclass(request.param, SqlStandIn):
        request.getfixturevalue("postgres_home")  # the server that its databases are on
    with request.param.start(monkeypatch) as started:
        yield started


@pytest.fixture
def warehouse(database: str, standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    with warehouse_of(standin, tmp_path, monkeypatch) as made:
        yield made
