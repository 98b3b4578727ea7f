"""From HubSpot's own answers to the marts: every snapshot as the portal was that day, while it lives on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hubspot_world import CrmWorld, crm_world

from orchestration.demo.crm.portals import VITAL_WORKLIFE, demo_portal
from orchestration.quality.check import check
from orchestration.sync import sync
from orchestration.verify import verify

SMALL, OTHER = demo_portal(1), demo_portal(2)
LARGE = replace(VITAL_WORKLIFE, sizes=VITAL_WORKLIFE.sizes.scaled(0.25))
SLUGS = (LARGE.slug, SMALL.slug)


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # At the stand-in's hour it is already tomorrow in Auckland: dates are the organization's.
    portals = {LARGE: "America/Chicago", SMALL: "Pacific/Auckland"}
    with crm_world(database, tmp_path, monkeypatch, portals) as made:
        yield made


@pytest.fixture
def small_world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Two portals with few records; the second organization is ``SMALL``."""
    portals = {OTHER: "America/Chicago", SMALL: "Pacific/Auckland"}
    with crm_world(database, tmp_path, monkeypatch, portals) as made:
        yield made


@pytest.mark.slow
def test_every_snapshot_is_the_portal_of_its_day_and_stays_so(world: CrmWorld) -> None:
    seen: dict = {slug: {} for slug in SLUGS}
    # Days 2 to 20 rename, remove and add stages while deals sit in them.
    for days in (0, 1, 2, 4, 14, 20):
        if days:
            world.server.advance(days)
        world.night()
        for slug in SLUGS:
            day, contacts, deals = world.truth(slug)
            seen[slug][day] = (contacts, deals)
            assert (world.contacts(slug)[day], world.deals(slug)[day]) == (contacts, deals), (slug, day)

    for slug in SLUGS:
        assert world.contacts(slug) == {day: contacts for day, (contacts, _) in seen[slug].items()}
        assert world.deals(slug) == {day: deals for day, (_, deals) in seen[slug].items()}
    # What the rules are about is there.
    newest = seen[LARGE.slug][max(seen[LARGE.slug])]
    assert newest[0]["other_lifecycle"] > 0
    assert newest[1]["deals_by_stage"]["unknown"] > 0
    assert {"default/qualifiedtobuy", "31120958/qualifiedtobuy"} <= set(newest[1]["deals_by_stage"])
    assert max(seen[SMALL.slug]) > max(seen[LARGE.slug])

    written = world.row_versions()
    assert world.night().rows_changed == 0
    assert check("hubspot", document=False).failing == (), "a portal's records break nothing"
    world.build_and_check()
    assert world.row_versions() == written


@pytest.mark.slow
def test_a_second_read_on_the_same_day_updates_that_days_row_in_place(small_world: CrmWorld) -> None:
    world = small_world
    world.night()
    before = {row[:2]: row[2:] for row in world.query(ROWS)}
    account = world.server.account(SMALL.slug)
    with account.lock:
        contact = account.crm.live("contacts")[0]
        account.crm.archive(contact, account.now)

    world.night()

    after = {row[:2]: row[2:] for row in world.query(ROWS)}
    day, contacts, _ = world.truth(SMALL.slug)
    assert world.contacts(SMALL.slug) == {day: contacts}
    assert set(after) == set(before)
    moved = [key for key in after if after[key] != before[key]]
    assert moved == [("contacts", 2)]
    # Same number, same begin; one contact less.
    assert after["contacts", 2][:2] == before["contacts", 2][:2]
    assert after["contacts", 2][2] == before["contacts", 2][2] - 1


ROWS = """
    select 'contacts', org_id, id, created_at, total_contacts from marts.mart_crm_contacts
    union all
    select 'deals', org_id, id, created_at, total_deals from marts.mart_crm_deals
"""


@pytest.mark.slow
def test_what_cant_be_read_leaves_yesterdays_rows_and_nothing_of_today(small_world: CrmWorld) -> None:
    world = small_world
    world.night()
    before = world.row_versions()
    first, _, _ = world.truth(SMALL.slug)
    account = world.server.account(SMALL.slug)
    account.missing_scopes.add("crm.objects.deals.read")
    # Stages change meanwhile: yesterday's deals are not counted by today's.
    world.server.advance(4)

    report = sync("hubspot")
    world.build()

    assert {(failure.organization, failure.stream) for failure in report.failures} >= {(SMALL.slug, "deals")}
    assert {key: version for key, version in world.row_versions().items() if key in before} == before
    assert set(world.deals(SMALL.slug)) == {first}
    day, contacts, _ = world.truth(OTHER.slug)
    assert world.contacts(OTHER.slug)[day] == contacts
    assert day in world.deals(OTHER.slug)

    account.missing_scopes.clear()
    assert sync("hubspot", only_failed=True).failures == []
    world.build()

    day, contacts, deals = world.truth(SMALL.slug)
    assert (world.contacts(SMALL.slug)[day], world.deals(SMALL.slug)[day]) == (contacts, deals)


@pytest.mark.slow
def test_verify_names_organization_day_and_figure(small_world: CrmWorld) -> None:
    world = small_world
    world.night()
    world.server.advance(1)
    world.night()
    assert verify("hubspot").agrees

    # Days before are not asked for: HubSpot does not know them any more.
    day, _, deals = world.truth(SMALL.slug)
    world.query("update marts.mart_crm_deals set won_value = won_value + 0.01 where org_id = 2 returning 1")
    world.query("update marts.mart_crm_contacts set leads = leads - 1 where org_id = 2 returning 1")

    outcome = verify("hubspot", [SMALL.slug])
    assert {(found.organization, found.month, found.metric) for found in outcome.differences} == {
        (SMALL.slug, day, "won_value"),
        (SMALL.slug, day, "leads"),
    }
    (won,) = [str(found) for found in outcome.differences if found.metric == "won_value"]
    assert won.startswith(f"{SMALL.slug} {day:%Y-%m-%d} won_value: ")
    assert won.endswith(f"source {deals['won_value']:,.2f}, difference +{Decimal('0.01')}")
