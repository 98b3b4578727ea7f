"""From Zoom's own answers to the mart: every day as the account was, while it lives on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from zoom_world import COUNTS, FIGURES, ZoomWorld, zoom_world

from orchestration.demo.zoom.accounts import IRIS_CLINIC, VITAL_WORKLIFE
from orchestration.sync import sync
from orchestration.verify import verify

# Seven months: a part of them is more than Zoom keeps.
BUSY = replace(VITAL_WORKLIFE, calls_per_day=6, meetings_per_day=1.2, history_days=210)
QUIET = replace(IRIS_CLINIC, history_days=40)
SLUGS = (BUSY.slug, QUIET.slug)


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # At the stand-in's hour it is already tomorrow in Auckland: dates are the organization's, not the account's.
    with zoom_world(database, tmp_path, monkeypatch, {BUSY: "America/Chicago", QUIET: "Pacific/Auckland"}) as made:
        yield made


@pytest.mark.slow
def test_every_day_is_as_the_account_had_it_and_stays_so(world: ZoomWorld) -> None:
    snapshots: dict = {slug: {} for slug in SLUGS}
    late: dict = {slug: {} for slug in SLUGS}
    # People leave and are hired from the ninth day on; five days without a read leave counts unknown.
    for days in (0, 1, 1, 7, 2, 9):
        if days:
            world.server.advance(days)
        world.night()
        for slug in SLUGS:
            day, counts = world.counts(slug)
            snapshots[slug][day] = counts
            late[slug][day] = world.mart(slug)[day]["total_calls"]

    for slug in SLUGS:
        mart = world.mart(slug)
        first, last = min(mart), max(mart)
        assert sorted(mart) == [first + timedelta(number) for number in range((last - first).days + 1)]
        assert (last, len(snapshots[slug])) == (world.counts(slug)[0], 6)
        for day, row in mart.items():
            assert {name: row[name] for name in COUNTS} == snapshots[slug].get(day, dict.fromkeys(COUNTS)), day
            if row["total_calls"] is not None:
                assert {name: row[name] for name in FIGURES} == world.figures(slug, day), (slug, day)
            else:
                assert day < first + timedelta(31), "what is older than six months is known from the report alone"
    # What the rules are about is there.
    busy, quiet = world.mart(BUSY.slug), world.mart(QUIET.slug)
    assert any(row["total_calls"] == 0 and row["avg_call_duration_mins"] is None for row in quiet.values())
    assert any(row["missed_calls"] for row in busy.values())
    assert any(busy[day]["total_calls"] != calls for day, calls in late[BUSY.slug].items()), "some calls showed late"
    assert len({counts["total_users"] for counts in snapshots[BUSY.slug].values()}) > 1
    assert len({counts["queue_count"] for counts in snapshots[BUSY.slug].values()}) > 1
    shared = "select count(*) - count(distinct payload ->> 'call_id') from staging_zoom.call_history where org_id = 1"
    assert world.query(shared)[0][0] > 20, "calls were passed on"

    written = world.row_versions()
    assert world.night().rows_changed == 0
    world.build_and_check()
    assert world.row_versions() == written

    assert verify("zoom").agrees
    day, counts = world.counts(QUIET.slug)
    world.query(
        "update marts.mart_zoom_metrics set missed_calls = missed_calls + 1, total_users = total_users - 1"
        " where org_id = 2 and metric_date = %s returning 1",
        day,
    )
    outcome = verify("zoom", [QUIET.slug])
    assert {(found.organization, found.month, found.metric) for found in outcome.differences} == {
        (QUIET.slug, day, "missed_calls"),
        (QUIET.slug, day, "total_users"),
    }
    (users,) = [str(found) for found in outcome.differences if found.metric == "total_users"]
    assert users == (
        f"{QUIET.slug} {day:%Y-%m-%d} total_users: mart {counts['total_users'] - 1}, source {counts['total_users']}, "
        "difference -1"
    )


@pytest.mark.slow
def test_what_cant_be_read_leaves_its_figures_and_the_others_go_on(world: ZoomWorld) -> None:
    world.night()
    before = world.mart(QUIET.slug)
    day, counts = world.counts(QUIET.slug)
    account = world.server.account(QUIET.slug)
    account.missing_scopes |= {"user:read:list_users:admin", "phone:read:list_call_logs:admin"}
    world.server.advance(1)

    report = sync("zoom")
    world.build()

    assert {(failure.organization, failure.stream) for failure in report.failures} == {
        (QUIET.slug, stream) for stream in ("users", "meetings", "participants", "call_history")
    }
    after = world.mart(QUIET.slug)
    # The daily report could be read and has a word of yesterday now; the rest is as it was.
    kept = (*COUNTS, *FIGURES[4:])
    assert before[day]["total_users"] == counts["total_users"]
    assert [[after[one][name] for name in kept] for one in before] == [
        [row[name] for name in kept] for row in before.values()
    ]
    today, now = world.counts(QUIET.slug)
    assert after[today] == dict.fromkeys(FIGURES) | {
        "total_users": None,
        "phone_users": now["phone_users"],
        "queue_count": now["queue_count"],
    }, "nothing of today is 0 that was not read, and the report has no word of it yet"
    assert world.mart(BUSY.slug)[today - timedelta(1)]["total_users"] == world.counts(BUSY.slug)[1]["total_users"]

    account.missing_scopes.clear()
    assert sync("zoom", only_failed=True).failures == []
    world.build()
    assert world.mart(QUIET.slug)[today] == now | world.figures(QUIET.slug, today)
