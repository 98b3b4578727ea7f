"""Truth of a snapshot: by hand on a few records, by identity on many."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from orchestration.demo.crm.formats import to_ms
from orchestration.demo.crm.portals import VITAL_WORKLIFE
from orchestration.demo.crm.records import Pipeline, Stage
from orchestration.demo.crm.store import Crm
from orchestration.demo.crm.truth import Snapshot, snapshot, snapshot_of
from orchestration.demo.world import World

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 20, 5, 30, tzinfo=UTC)


def stage(number: str, closed: str, probability: str) -> Stage:
    return Stage(number, f"Won {number}", {"isClosed": closed, "probability": probability}, 0, 0)


def crm_with(*deals: dict) -> Crm:
    crm = Crm()
    crm.pipelines["deals"] = [
        Pipeline("a", "A", 0, 0, [stage("1", "false", "0.5"), stage("2", "true", "1.0"), stage("3", "true", "0")]),
        Pipeline("b", "B", 0, 0, [stage("1", "true", "1"), stage("2", "true", "0.5")]),
    ]
    for deal in deals:
        crm.create("deals", to_ms(NOW), deal)
    return crm


def test_won_and_lost_are_what_the_stage_is_within_its_pipeline() -> None:
    crm = crm_with(
        {"pipeline": "a", "dealstage": "2", "amount": "100"},
        {"pipeline": "b", "dealstage": "1", "amount": "50.5"},
        {"pipeline": "a", "dealstage": "3", "amount": "7"},
        {"pipeline": "a", "dealstage": "1", "amount": "3"},
        {"pipeline": "b", "dealstage": "2", "amount": "4"},
        {"pipeline": "b", "dealstage": "3", "amount": "5"},
        {"pipeline": "gone", "dealstage": "2"},
    )
    deals = snapshot_of(crm, NOW, CHICAGO).deals
    assert (deals["total_deals"], deals["open_deals"], deals["won_deals"], deals["lost_deals"]) == (7, 4, 2, 1)
    assert deals["total_pipeline_value"] == Decimal("12.00")
    assert deals["won_value"] == Decimal("150.50")
    assert deals["lost_value"] == Decimal("7.00")
    assert deals["average_deal_size"] == Decimal("75.25")
    by_stage = snapshot_of(crm, NOW, CHICAGO).deals_by_stage
    assert by_stage["", "unknown"].deals == 2
    assert by_stage["a", "1"].label == "Won 1"


def test_values_are_in_the_portals_currency_and_rounded_once_at_the_end() -> None:
    won = {"pipeline": "a", "dealstage": "2"}
    crm = crm_with(
        won | {"amount": "10", "amount_in_home_currency": "10.004", "deal_currency_code": "EUR"},
        won | {"amount": "10", "amount_in_home_currency": "10.004", "deal_currency_code": "EUR"},
        won | {"amount": "1", "amount_in_home_currency": "1.0E7"},
    )
    assert snapshot_of(crm, NOW, CHICAGO).deals["won_value"] == Decimal("10000020.01")


def test_without_a_won_deal_there_is_no_average() -> None:
    assert snapshot_of(crm_with(), NOW, CHICAGO).deals["average_deal_size"] is None


def test_contacts_are_new_by_local_date() -> None:
    crm = Crm()
    for created in ("2026-11-20T05:10", "2026-11-13T06:10", "2026-11-13T05:50", "2026-10-21T05:00", "2026-10-21T04:59"):
        crm.create("contacts", to_ms(datetime.fromisoformat(f"{created}:00+00:00")), {"lifecyclestage": "lead"})
    shown = snapshot_of(crm, NOW, CHICAGO)
    assert shown.snapshot_date == date(2026, 11, 19)
    assert shown.contacts["new_contacts_7d"] == 2
    assert shown.contacts["new_contacts_30d"] == 4


def test_a_stage_nobody_knows_counts_as_other() -> None:
    crm = Crm()
    for lifecycle in ("customer", None, "90210477", "other", "Customer"):
        crm.create("contacts", to_ms(NOW), {"lifecyclestage": lifecycle})
    contacts = snapshot_of(crm, NOW, CHICAGO).contacts
    assert contacts["customers"] == 1
    assert contacts["other_lifecycle"] == 4


def test_archived_and_merged_contacts_do_not_count_and_a_restored_one_does() -> None:
    crm = Crm()
    one, two, three = (crm.create("contacts", to_ms(NOW), {}) for _ in range(3))
    crm.archive(one, to_ms(NOW))
    crm.merge(two, [three], to_ms(NOW))
    assert snapshot_of(crm, NOW, CHICAGO).contacts["total_contacts"] == 1
    crm.restore(one, to_ms(NOW))
    assert snapshot_of(crm, NOW, CHICAGO).contacts["total_contacts"] == 2


@pytest.fixture(scope="module")
def shown() -> Snapshot:
    return snapshot(VITAL_WORKLIFE, World())


def test_parts_add_up_to_totals(shown: Snapshot) -> None:
    contacts, deals = shown.contacts, shown.deals
    parts = {name for name in contacts if name != "total_contacts" and not name.startswith("new_")}
    assert len(parts) == 8
    assert sum(contacts[name] for name in parts) == contacts["total_contacts"] == shown.records["contacts"][0]
    assert deals["open_deals"] + deals["won_deals"] + deals["lost_deals"] == deals["total_deals"]
    assert sum(figures.deals for figures in shown.deals_by_stage.values()) == deals["total_deals"]
    assert contacts["new_contacts_7d"] <= contacts["new_contacts_30d"] <= contacts["total_contacts"]


def test_the_past_is_as_it_was_then(shown: Snapshot) -> None:
    later = World(days=3)
    assert snapshot(VITAL_WORKLIFE, later, World().now) == shown
    assert snapshot(VITAL_WORKLIFE, later) != shown
    assert snapshot(VITAL_WORKLIFE, later, date(2026, 11, 21)).snapshot_date == date(2026, 11, 21)


def test_removing_a_stage_makes_its_deals_unknown_and_open() -> None:
    crm = crm_with({"pipeline": "a", "dealstage": "2", "amount": "9"})
    before = snapshot_of(crm, NOW, CHICAGO)
    del crm.pipelines["deals"][0].stages[1]
    after = snapshot_of(crm, NOW, CHICAGO)
    assert (before.deals["won_deals"], after.deals["won_deals"], after.deals["open_deals"]) == (1, 0, 1)
    assert after.deals_by_stage["", "unknown"].value == Decimal("9.00")
