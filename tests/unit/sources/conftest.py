"""Tests of the extractors: no test here waits for a retry, and none touches the warehouse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina
from fault_server import FaultServer
from hubspot_portal import Portal, portal
from zoom_account import ZoomAccount, account

from orchestration.sources.zoom import limits


@pytest.fixture(autouse=True)
def _retries_without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=20, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def fault_server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def hubspot() -> Iterator[Portal]:
    with portal() as started:
        yield started


@pytest.fixture
def zoom(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoomAccount]:
    # Waiting for limits has tests of its own.
    monkeypatch.setattr(limits, "SHARE", 10_000.0)
    with account() as started:
        yield started
