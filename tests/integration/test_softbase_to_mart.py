"""From a dealership's database to the marts: every figure as its documents say, while it lives on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from softbase_world import SoftbaseWorld, differences, softbase_world

from orchestration.demo.dealer.dealership import BENNETT, LAKESIDE, small
from orchestration.demo.serving.databases import Server
from orchestration.warehouse.embedded import EmbeddedPostgres

FISCAL = small(BENNETT, first_day=date(2026, 4, 1))
CALENDAR = small(LAKESIDE, first_day=date(2026, 4, 1))
SLUGS = (FISCAL.slug, CALENDAR.slug)


@pytest.fixture
def world(
    database: str, postgres_server: Callable[[str], EmbeddedPostgres], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    server = Server(postgres_server("embedded18").superuser_url)
    with softbase_world(database, server, tmp_path, monkeypatch, (FISCAL, CALENDAR)) as made:
        yield made


@pytest.mark.slow
def test_marts_are_what_the_dealerships_documents_say_while_they_live_on(world: SoftbaseWorld) -> None:
    fleets: dict = {slug: {} for slug in SLUGS}
    # On day 11 a month has just begun; 42 days on, another calendar year has, and a fiscal one had before the first day.
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
    assert world.row_versions() == written
