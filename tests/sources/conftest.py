"""Runs every case over every source it applies to, each time on a stand-in of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from conformance_world import Warehouse, warehouse_of
from descriptions import STANDINS
from standin import StandIn


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "case(case): what a test proves (tests/sources/cases.py)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("case")
    if marker is None:
        return
    (case,) = marker.args
    concerned = [one for one in STANDINS if case.number not in one.not_applicable]
    metafunc.parametrize("standin", concerned, indirect=True, ids=[f"{one.source}: {case.title}" for one in concerned])


@pytest.fixture(autouse=True)
def _retries_without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=20, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def standin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with request.param.start(monkeypatch) as started:
        yield started


@pytest.fixture
def warehouse(database: str, standin: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    with warehouse_of(standin, tmp_path, monkeypatch) as made:
        yield made
