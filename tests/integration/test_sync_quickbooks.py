"""QuickBooks landed over real HTTP: killed, run twice at once, and run again with nothing new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from warehouse_world import WarehouseWorld, warehouse_world

from orchestration.sources import SOURCES
from orchestration.sync import SyncReport, sync

STREAMS = [stream.name for stream in SOURCES["quickbooks"].streams]


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WarehouseWorld]:
    with warehouse_world(database, tmp_path, monkeypatch, "acorn_supply", "birch_dental") as made:
        yield made


def landed(world: WarehouseWorld, columns: str) -> dict[str, list[tuple]]:
    return {
        stream: world.query(f"select {columns} from staging_quickbooks.{stream} order by org_id, record_id")
        for stream in STREAMS
    }


def contents(world: WarehouseWorld) -> dict[str, list[tuple]]:
    return landed(world, "org_id, record_id, payload::text, payload_hash, source_updated_at, deleted_at is null")


def forget(world: WarehouseWorld) -> None:
    world.connection.execute("drop schema staging_quickbooks cascade")
    world.connection.execute("truncate ops.watermarks")


def test_a_night_with_nothing_new_writes_no_landed_row(world: WarehouseWorld) -> None:
    first = sync("quickbooks")
    assert not first.failures
    assert first.rows_changed > 500
    before = landed(world, "org_id, record_id, xmin::text, xmax::text, ctid::text")
    again = sync("quickbooks")
    assert (again.failures, again.rows_changed) == ([], 0)
    assert landed(world, "org_id, record_id, xmin::text, xmax::text, ctid::text") == before


@pytest.mark.parametrize("requests", [3, 12, 30])
def test_a_sync_killed_between_requests_and_run_again_ends_as_if_it_had_not_been(
    world: WarehouseWorld, requests: int
) -> None:
    control = f"{world.server.base_url}/_control"
    slow = {"kind": "delay", "path": "/v3/", "seconds": 0.05, "count": None}
    httpx2.post(f"{control}/faults", json=slow).raise_for_status()
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "sync", "quickbooks"],
        env=os.environ.copy(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(world.server.service.log) < requests:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    httpx2.delete(f"{control}/faults").raise_for_status()

    complete = set(world.query("select org_id, stream from ops.watermarks"))
    for stream, rows in contents(world).items():
        assert {(row[0], stream) for row in rows} <= complete

    assert not sync("quickbooks").failures
    after_the_kill = contents(world)
    forget(world)
    assert not sync("quickbooks").failures
    assert after_the_kill == contents(world)


def test_two_syncs_at_once_land_the_same_rows_with_one_refresh_each(world: WarehouseWorld) -> None:
    reports: list[SyncReport] = []
    threads = [threading.Thread(target=lambda: reports.append(sync("quickbooks"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [report.failures for report in reports] == [[], []]
    state = httpx2.get(f"{world.server.base_url}/_control/state").json()
    assert set(state["refreshes"].values()) == {1}
    both = contents(world)
    forget(world)
    assert not sync("quickbooks").failures
    assert both == contents(world)
