"""The life of a portal: the same wherever and however often it is asked for, and full of what breaks careless code."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b

import pytest

from orchestration.demo.crm.formats import to_ms
from orchestration.demo.crm.kinds import KINDS
from orchestration.demo.crm.life import Life
from orchestration.demo.crm.portals import VITAL_WORKLIFE, bench_portal, blank_portal
from orchestration.demo.crm.store import Crm
from orchestration.demo.world import World

SMALL = replace(VITAL_WORKLIFE, sizes=VITAL_WORKLIFE.sizes.scaled(0.1), history_days=200)


def fingerprint(crm: Crm) -> str:
    digest = blake2b()
    for kind in KINDS:
        for number, record in sorted(crm.records[kind].items()):
            links = [crm.links(kind, number, other) for other in KINDS]
            facts = (number, record.created, record.updated, record.archived_at, record.merged_into)
            digest.update(repr((kind, facts, sorted(record.properties.items()), links)).encode())
    digest.update(repr((crm.owners, crm.pipelines)).encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def vital() -> Crm:
    return Life.of(VITAL_WORKLIFE, World()).crm


def test_a_life_in_one_go_is_the_life_in_pieces() -> None:
    world = World(days=9)
    whole = Life.of(SMALL, world)
    pieces = Life(SMALL, world.seed, world.base)
    for hours in range(-24 * 20, 24 * 9 + 1, 7):
        pieces.continue_until(to_ms(world.base + timedelta(hours=hours)))
    pieces.continue_until(to_ms(world.now))
    assert fingerprint(pieces.crm) == fingerprint(whole.crm)


def test_another_seed_is_another_life() -> None:
    assert fingerprint(Life.of(SMALL, World(seed=1)).crm) != fingerprint(Life.of(SMALL, World(seed=2)).crm)


def test_nothing_happens_after_now(vital: Crm) -> None:
    now = to_ms(World().now)
    assert all(
        max(record.created, record.updated, record.archived_at or 0, record.merged_at or 0) <= now
        for kind in KINDS
        for record in vital.records[kind].values()
    )


def test_the_demo_portal_has_the_size_it_promises(vital: Crm) -> None:
    for kind, size in vars(VITAL_WORKLIFE.sizes).items():
        if kind != "owners":
            assert abs(vital.count(kind) - size) <= max(30, size * 0.1), kind


@pytest.mark.slow
def test_the_bench_portal_has_about_fifty_thousand_records() -> None:
    crm = Life.of(bench_portal(), World()).crm
    assert abs(sum(crm.count(kind) for kind in KINDS) - 50_000) < 2_000


def test_lifecycle_stages_are_null_numbers_and_all_the_standard_ones(vital: Crm) -> None:
    stages = Counter(contact.get("lifecyclestage") for contact in vital.live("contacts"))
    assert {None, "90210477", "90210478", "other", "lead", "evangelist"} <= set(stages)


def test_deals_sit_in_stages_and_pipelines_that_are_gone(vital: Crm) -> None:
    deals = vital.live("deals")
    assert any(vital.pipeline("deals", deal.get("pipeline")) is None for deal in deals)
    known = [(deal, vital.pipeline("deals", deal.get("pipeline"))) for deal in deals]
    assert any(pipeline and pipeline.stage(deal.get("dealstage")) is None for deal, pipeline in known)


def test_one_stage_id_means_different_things_in_two_pipelines(vital: Crm) -> None:
    meant = {
        pipeline.stage("contractsent").metadata["isClosed"]
        for pipeline in vital.pipelines["deals"]
        if pipeline.stage("contractsent")
    }
    assert meant == {"true", "false"}


def test_some_deals_have_no_amount_and_some_another_currency(vital: Crm) -> None:
    deals = vital.live("deals")
    assert any("amount" not in deal.properties for deal in deals)
    assert any(deal.get("deal_currency_code") == "EUR" for deal in deals)
    assert any("E" in (deal.get("amount_in_home_currency") or "") for deal in deals)


def test_contacts_merge_in_chains_and_some_return_with_an_old_modification_date(vital: Crm) -> None:
    records = vital.records["contacts"].values()
    assert any(record.merged_into and vital.records["contacts"][record.merged_into].merged_into for record in records)
    assert any(record.restored_at and record.updated < record.restored_at for record in records)
    assert any(record.restored_at and record.updated >= record.restored_at for record in records)


def test_owners_leave_and_what_they_owned_stays_theirs(vital: Crm) -> None:
    gone = {str(owner.id) for owner in vital.owners.values() if owner.archived}
    assert gone
    assert any(deal.get("hubspot_owner_id") in gone for deal in vital.live("deals"))


def test_days_change_what_there_is() -> None:
    before, after = Life.of(VITAL_WORKLIFE, World()).crm, Life.of(VITAL_WORKLIFE, World(days=14)).crm
    stages = {contact.id: contact.get("lifecyclestage") for contact in before.live("contacts")}
    moved = [c for c in after.live("contacts") if c.id in stages and stages[c.id] != c.get("lifecyclestage")]
    assert moved
    assert after.count("contacts") > before.count("contacts")
    assert set(stages) - set(after.ids("contacts"))
    labels = [[stage.label for p in crm.pipelines["deals"] for stage in p.stages] for crm in (before, after)]
    assert labels[0] != labels[1]


def test_a_portal_without_life_stays_empty() -> None:
    crm = Life.of(blank_portal(), World(days=30)).crm
    assert all(crm.count(kind) == 0 for kind in KINDS)
    assert crm.owners == {}
