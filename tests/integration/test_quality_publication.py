"""Holding back, to the marts: one organization keeps its last good rows, the others are published."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from pathlib import Path

import psycopg
import pytest
from dbt_runs import Dbt, warehouse
from hubspot_world import crm_world
from landed_reports import report
from quality_world import QualityWorld, balance_sheet, profit_and_loss
from warehouse_world import warehouse_world

from orchestration.demo.crm.portals import demo_portal
from orchestration.quality.check import check
from orchestration.quality.holding import release
from orchestration.sources.core.records import Extract, Record
from orchestration.sync import sync
from orchestration.warehouse import database, locks
from orchestration.warehouse.dbt import LOCK
from orchestration.warehouse.loader import load

AIOP = str(Path(sys.executable).with_name("aiop"))
SMALL, OTHER = demo_portal(1), demo_portal(2)


class Published(QualityWorld):
    def __init__(self, dbt: Dbt) -> None:
        super().__init__()
        self.dbt = dbt

    def night(self) -> None:
        """After landing: look, then build."""
        self.check()
        self.dbt.rebuild_source("quickbooks")

    def mart(self) -> dict[tuple[int, int], tuple]:
        """(net income, assets, row version) by organization and month."""
        rows = self.query(
            "select org_id, month, net_income, total_assets, xmin::text from marts.mart_financial_metrics order by 1, 2"
        )
        return {(row[0], row[1]): (float(row[2]), float(row[3]), row[4]) for row in rows}

    def freshness(self) -> dict[int, tuple]:
        rows = self.query("select org_id, status, held_back_since is not null, error from marts.data_freshness")
        return {row[0]: row[1:] for row in rows}


@pytest.fixture
def world(database: str, tmp_path: Path) -> Published:
    return Published(warehouse(database, tmp_path / "dbt-state"))


@pytest.mark.slow
def test_held_back_an_organization_keeps_its_last_good_rows_while_others_are_published(world: Published) -> None:
    for org in (1, 2, 3):
        world.land_reports(org)
    world.night()
    before = world.mart()
    assert set(before) == {(org, month) for org in (1, 2, 3) for month in (1, 2)}

    # Restated for all; what landed for 2 contradicts itself, and of 3 everything is gone.
    for org in (1, 2):
        restated = profit_and_loss(income="150.00", net="110.00")
        world.land(org, "profit_and_loss", [report("profit_and_loss", restated, "2025-02")])
    world.land(2, "balance_sheet", [report("balance_sheet", balance_sheet(assets="9.00"), "2025-02")])
    for stream in ("profit_and_loss", "balance_sheet"):
        world.land(3, stream, [], gone=[report(stream, [], month)[0] for month in ("2025-01", "2025-02")])
    world.night()
    after = world.mart()
    assert after[1, 2][:2] == (110.0, 1000.0)
    # To the row's version: neither changed nor deleted and made again.
    assert {key: row for key, row in after.items() if key[0] != 1} == {
        key: row for key, row in before.items() if key[0] != 1
    }
    assert world.freshness() == {
        1: ("ok", False, None),
        2: (
            "held back",
            True,
            "What landed is not published, the last good rows stay: "
            "balance_sheet: not so in 1 of 2 records: assets are liabilities plus equity",
        ),
        3: (
            "held back",
            True,
            "What landed is not published, the last good rows stay: "
            "balance_sheet: 0 rows, 2 before; profit_and_loss: 0 rows, 2 before",
        ),
    }

    # Good again by itself, and by name.
    world.land(2, "balance_sheet", [report("balance_sheet", balance_sheet(), "2025-02")])
    release(world.connection, "org_3", "quickbooks")
    world.night()
    last = world.mart()
    assert set(last) == {(1, 1), (1, 2), (2, 1), (2, 2)}
    assert last[2, 2][:2] == (110.0, 1000.0)
    assert {org: row[0] for org, row in world.freshness().items()} == {1: "ok", 2: "ok", 3: "ok"}


def test_held_back_from_the_first_night_an_organization_has_no_rows(world: Published) -> None:
    world.land_reports(1)
    world.land_reports(2, net="61.00")
    world.night()
    assert {org for org, _ in world.mart()} == {1}


def test_who_is_held_back_does_not_change_while_a_build_runs(database: str) -> None:
    world = QualityWorld()
    world.land_reports(1, net="61.00")
    waiting, released = threading.Event(), threading.Event()

    def look() -> None:
        world.check()
        with database_connection() as other:
            release(other, "org_1", "quickbooks", lambda _: waiting.set())
        released.set()

    world.check()
    with database_connection() as build, locks.exclusive(build, LOCK):
        thread = threading.Thread(target=look)
        thread.start()
        assert waiting.wait(30)
        assert world.query("select released_at from ops.held_back") == [(None,)]
    thread.join(30)
    assert released.is_set()
    assert world.query("select count(*) from ops.held_back where released_at is null") == [(0,)]


@pytest.mark.slow
def test_a_portal_that_is_held_back_gets_no_snapshot_that_day_and_keeps_those_before(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portals = {OTHER: "America/Chicago", SMALL: "America/Chicago"}
    with crm_world(database, tmp_path, monkeypatch, portals) as world:
        world.night()
        assert check("hubspot", document=False).failing == (), "a portal's records break nothing"
        before = {portal.slug: (world.contacts(portal.slug), world.deals(portal.slug)) for portal in portals}

        world.server.advance(1)
        sync("hubspot")
        ((org_id, key, deal),) = world.query(
            "select org_id, record_id, payload from staging_hubspot.deals inner join ops.organizations on id = org_id"
            " where slug = %s and deleted_at is null limit 1",
            SMALL.slug,
        )
        broken = Extract([Record(key, deal | {"properties": {"amount": "a lot"}}, None)], "incremental")
        names = {"org_id": org_id, "source": "hubspot", "stream": "deals"}
        load(world.connection, **names, extract=broken, batch_id=uuid.uuid4(), backfill=True)
        (held,) = check("hubspot", document=False).held
        assert (held.organization, held.reason.split(":")[0]) == (SMALL.slug, "deals")
        world.build()
        assert (world.contacts(SMALL.slug), world.deals(SMALL.slug)) == before[SMALL.slug]
        assert len(world.deals(OTHER.slug)) == 2


@pytest.mark.slow
def test_the_job_publishes_everybody_else_and_names_who_is_held_back(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)

    with warehouse_world(database, tmp_path, monkeypatch, "sable_new", "opal_events") as world:
        sync("quickbooks")
        ((org_id,),) = world.query("select id from ops.organizations where slug = 'opal_events'")
        records = dict([report("balance_sheet", balance_sheet(equity="1.00"), "2019-01")])
        extract = Extract([Record(key, payload, None) for key, payload in records.items()], "incremental")
        names = {"org_id": org_id, "source": "quickbooks", "stream": "balance_sheet"}
        load(world.connection, **names, extract=extract, batch_id=uuid.uuid4(), backfill=True)
        job = subprocess.run([AIOP, "run", "etl_quickbooks_financial"], capture_output=True, text=True, check=False)
        assert job.returncode == 1
        assert "landed_data_quality (opal_events)" in job.stdout + job.stderr
        assert world.mart("sable_new") == world.truth("sable_new")
        assert world.mart("opal_events") == {}
        assert (tmp_path / "data_docs" / "quickbooks" / "index.html").exists()

        release(world.connection, "opal_events", "quickbooks")
        world.build()
        assert world.mart("opal_events").items() >= world.truth("opal_events").items()


def database_connection() -> psycopg.Connection:
    return database.connect(autocommit=True)
