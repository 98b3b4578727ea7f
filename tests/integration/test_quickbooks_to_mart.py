"""From QuickBooks' own answers to the mart: every cent, every month, both bases, as the books live on."""

from __future__ import annotations

from pathlib import Path

import pytest
from warehouse_world import WarehouseWorld, warehouse_world

from orchestration.demo.serving.faults import Fault
from orchestration.sync import sync
from orchestration.verify import verify

# Accrual with a fiscal year from November; cash; French labels; a renamed section; adjustments without a total of their
# own, and a net income without a group; months without any business.
SLUGS = ("bennett", "vital_worklife", "gatineau_outils", "quarry_stone", "harbor_foods", "kestrel_labs", "sable_new")


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with warehouse_world(database, tmp_path, monkeypatch, *SLUGS) as made:
        yield made


@pytest.fixture
def world_everywhere(database_everywhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with warehouse_world(database_everywhere, tmp_path, monkeypatch, *SLUGS) as made:
        yield made


def differing(world: WarehouseWorld) -> dict:
    """What mart and ledger do not agree on, by organization and month."""
    found = {}
    for slug in SLUGS:
        mart, truth = world.mart(slug), world.truth(slug)
        for month in sorted(mart.keys() | truth.keys()):
            if mart.get(month) != truth.get(month):
                found[slug, month] = (mart.get(month), truth.get(month))
    return found


@pytest.mark.slow
def test_the_mart_equals_the_ledger_to_the_cent_and_only_restated_months_are_written(
    world_everywhere: WarehouseWorld,
) -> None:
    world = world_everywhere
    world.night()
    assert differing(world) == {}
    first = world.row_versions()

    # Nothing happened: nothing is written, neither to landed rows nor to the mart.
    assert world.night().rows_changed == 0
    assert world.row_versions() == first

    # Six weeks on: a new month and restatements of past ones.
    before = {slug: world.truth(slug) for slug in SLUGS}
    world.server.advance(45)
    assert world.night().rows_changed > 0
    assert differing(world) == {}
    ids = {slug: number for slug, number in world.query("select slug, id from marts.organizations")}
    restated = {
        (ids[slug], *month)
        for slug in SLUGS
        for month, figures in world.truth(slug).items()
        if before[slug].get(month) != figures
    }
    written = {month for month, version in world.row_versions().items() if first.get(month) != version}
    assert written == restated
    assert any(month in first for month in written), "the books restated no past month: the case is not exercised"
    world.build_and_check()


@pytest.mark.slow
def test_verify_finds_a_changed_cent_and_names_organization_and_month(world: WarehouseWorld) -> None:
    # Two small companies, with the less usual forms of the cash flow report: the stand-in throttles as QuickBooks does.
    world.night()
    assert verify("quickbooks", ["quarry_stone", "harbor_foods"]).agrees

    world.query(
        "update marts.mart_financial_metrics set net_income = net_income + 0.01"
        " from marts.organizations where organizations.id = org_id and slug = 'quarry_stone'"
        " and year = 2026 and month = 3 returning 1"
    )

    outcome = verify("quickbooks", ["quarry_stone"])
    (difference,) = outcome.differences
    assert (difference.organization, f"{difference.month:%Y-%m}", difference.metric) == (
        "quarry_stone",
        "2026-03",
        "net_income",
    )
    assert "difference +0.01" in str(difference)


@pytest.mark.slow
def test_a_source_that_fails_leaves_the_mart_as_it_was_and_its_age_visible(world: WarehouseWorld) -> None:
    world.night()
    rows = world.row_versions()
    synced = dict(world.query("select org_id, last_success_at from marts.data_freshness where source = 'quickbooks'"))
    company = world.server.company("bennett")
    world.server.advance(40)
    world.server.service.faults.add(Fault(kind="status", status=403, realm=company.realm_id, count=None))

    report = sync("quickbooks")
    world.build()

    assert report.failed == ["bennett"]
    assert {month: xmin for month, xmin in world.row_versions().items() if month[0] == 1} == {
        month: xmin for month, xmin in rows.items() if month[0] == 1
    }
    freshness = {
        org_id: (status, last_success, error)
        for org_id, status, last_success, error in world.query(
            "select org_id, status, last_success_at, error from marts.data_freshness where source = 'quickbooks'"
        )
    }
    status, last_success, error = freshness[1]
    assert (status, last_success) == ("failing", synced[1])
    assert error
    assert all(last > synced[org_id] for org_id, (_, last, _) in freshness.items() if org_id != 1)
