"""From a dealership's database to the marts: every figure as its documents say, while it lives on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from servers import EMBEDDED
from softbase_world import SoftbaseWorld, differences, softbase_world

from orchestration.demo.dealer.dealership import BENNETT, LAKESIDE, small
from orchestration.demo.serving.databases import Server
from orchestration.verify import verify
from orchestration.warehouse.embedded import EmbeddedPostgres

FISCAL = small(BENNETT, first_day=date(2026, 4, 1))
CALENDAR = small(LAKESIDE, first_day=date(2026, 4, 1))
SLUGS = (FISCAL.slug, CALENDAR.slug)


@pytest.fixture
def world(
    database: str, postgres_server: Callable[[str], EmbeddedPostgres], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    server = Server(postgres_server(EMBEDDED).superuser_url)
    with softbase_world(database, server, tmp_path, monkeypatch, (FISCAL, CALENDAR)) as made:
        yield made


@pytest.mark.slow
def test_marts_are_what_the_dealerships_documents_say_while_they_live_on(world: SoftbaseWorld) -> None:
    fleets: dict = {slug: {} for slug in SLUGS}
    # On day 11 a month has just begun; 42 days on, another calendar year has. A fiscal one began before the first day.
    for days in (0, 1, 10, 31):
        if days:
            world.server.advance(days)
        world.night()
        for slug in SLUGS:
            fleets[slug] |= world.true_fleet(slug)
            assert not differences(world.sales(slug), world.true_sales(slug)), slug
            assert not differences(world.cash(slug), world.true_cash(slug)), slug
            assert not differences(world.fleet(slug), fleets[slug]), slug

    written = world.row_versions()
    assert world.night().rows_changed == 0
    world.build_and_check()
    assert world.row_versions() == written


@pytest.mark.slow
def test_verify_agrees_after_a_night_and_names_organization_day_and_figure(world: SoftbaseWorld) -> None:
    world.server.advance(1)
    world.night()
    outcome = verify("softbase")
    assert outcome.agrees, list(map(str, outcome.differences))[:5]
    # Four figures a day, eight of the fleet and its types, eight a month and dealership.
    assert outcome.compared > 2 * (4 * 200 + 8 + 8 * 7)

    day, month = date(2026, 5, 12), date(2026, 6, 30)
    world.query("update marts.mart_sales_daily set total_revenue = total_revenue + 0.01 where org_id = 2 returning 1")
    flows = ("operating_cash_flow", "ar_change", "inventory_change", "ap_change", "financing_cash_flow")
    wrong = ", ".join(f"{name} = {name} + 0.01" for name in ("cash_balance", *flows))
    world.query(f"update marts.mart_cash_flow set {wrong} where org_id = 2 and month = 6 returning 1")
    world.query(
        "update marts.mart_rental_fleet set rental_revenue_ytd = rental_revenue_ytd - 1 where org_id = 1 returning 1"
    )
    found = {(one.organization, one.month, one.metric) for one in verify("softbase").differences}
    assert {
        (CALENDAR.slug, day, "sales total_revenue"),
        *((CALENDAR.slug, month, f"cash {name}") for name in ("cash_balance", *flows)),
        (FISCAL.slug, world.server.today(FISCAL.slug), "fleet rental_revenue_ytd"),
    } <= found
    assert not [one for one in found if one[0] == FISCAL.slug and one[2] != "fleet rental_revenue_ytd"]
