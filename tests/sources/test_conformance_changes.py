"""What changes, disappears or comes back in a source does so in the warehouse, and a quiet night writes nothing."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from cases import proves
from conformance_world import Warehouse
from standin import ONE, TWO

from orchestration.quality.check import check
from orchestration.sources.core.instants import parse_iso


def instants(state: Any) -> dict[str, datetime]:
    """The instants in a state by their names."""
    found = {name: parse_iso(value) for name, value in state.items() if isinstance(value, str)}
    return {name: at for name, at in found.items() if at is not None}


@proves("16a")
def test_a_change_feed_cut_short_is_completed(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    made = standin.make(1200)
    warehouse.night()
    standin.advance(1)
    values = {key: standin.edit(key) for key in made}
    warehouse.night()
    landed = warehouse.query("select record_id, payload #>> %s from {stream}", standin.content)
    assert dict(landed) == values


@proves("16b")
def test_after_a_long_gap_a_full_read_finds_what_is_gone(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    made = standin.make(10)
    warehouse.night()
    standin.destroy(made[0])
    standin.advance(standin.gap_days)
    standin.edit(made[1])
    warehouse.night()
    assert warehouse.live() == standin.keys() == set(made[1:])


@proves("16c")
def test_a_deleted_record_is_marked_and_keeps_its_payload(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    made = standin.make(10)
    warehouse.night()
    payloads = warehouse.query("select {key}, payload from {stream} order by record_id")
    standin.advance(1)
    standin.delete(made[3])
    warehouse.night()
    assert warehouse.live() == standin.keys() == set(made) - {made[3]}
    kept = dict(warehouse.query("select {key}, payload from {stream}"))
    assert kept[made[3]].keys() >= dict(payloads)[made[3]].keys()
    assert warehouse.value(made[3]) == warehouse.value(made[4])


@proves("16d")
def test_a_hidden_record_stays_marked_as_the_source_marks_it(warehouse: Warehouse) -> None:
    warehouse.night()
    warehouse.standin.advance(1)
    stream, key, path, value = warehouse.standin.hide()
    for _ in ("by its change", "by a full read"):
        warehouse.night()
        assert warehouse.value(key, path, stream) == value
        warehouse.connection.execute("update ops.watermarks set state = '{}'")


@proves("17")
def test_archived_and_merged_records_leave_and_return(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    archived, winner, loser, *others = standin.make(8)
    warehouse.night()
    standin.advance(1)
    standin.delete(archived)
    standin.merge(winner, loser)
    warehouse.night()
    assert warehouse.live() == standin.keys() == {winner, *others}
    standin.advance(1)
    standin.restore(archived)
    warehouse.night()
    assert warehouse.live() == standin.keys() == {archived, winner, *others}


@proves("18")
def test_what_is_corrected_later_is_overwritten(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    made = standin.make(5)
    warehouse.night()
    before, contents = warehouse.versions(), warehouse.contents()
    standin.advance(1)
    value = standin.edit(made[2])
    warehouse.night()
    assert warehouse.value(made[2]) == value
    after, now = warehouse.versions(), warehouse.contents()
    assert _ids(after) == _ids(before), "no row was added"
    assert _differing(contents[standin.stream], now[standin.stream]) == {made[2]}
    for stream, key in standin.corrected_with(made[2]):
        assert key in _differing(contents[stream], now[stream])


@proves("F25")
def test_a_day_that_is_rewritten_for_days_counts_once(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    made = standin.make(10)
    warehouse.night()
    versions = dict(row[1:3] for row in warehouse.versions()[standin.stream])
    for more in (1, 2, 3):
        standin.advance(1)
        standin.rewrite_day()
        warehouse.night()
        assert warehouse.live() == standin.keys()
        assert len(warehouse.live()) == len(made) + more
    now = dict(row[1:3] for row in warehouse.versions()[standin.stream])
    assert {key: now[key] for key in made} == versions, "what did not change was not written again"


@proves("19")
def test_a_quiet_night_writes_no_row_and_state_never_runs_backwards(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(standin.page + 1)
    warehouse.night()
    versions = warehouse.versions()
    states = {stream: instants(warehouse.state(stream)) for stream in warehouse.streams}
    for _ in range(2):
        assert warehouse.night().rows_changed == 0
        assert warehouse.versions() == versions
        for stream, before in states.items():
            now = instants(warehouse.state(stream))
            assert all(now[name] >= at for name, at in before.items()), stream


@proves("20b")
def test_a_state_from_the_future_loses_no_record(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(5)
    warehouse.night()
    state = warehouse.state()
    future = {name: "2099-01-01T00:00:00+00:00" for name in instants(state)}
    warehouse.connection.execute(
        "update ops.watermarks set state = state || %s::jsonb where stream = %s",
        [json.dumps(future), standin.stream],
    )
    standin.make(1)
    warehouse.night()
    assert warehouse.live() == standin.keys()
    assert "in the future" in warehouse.notes()
    assert all(at <= standin.now for at in instants(warehouse.state()).values())


@proves("F24")
def test_a_full_read_without_records_deletes_nothing_unasked(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    made = standin.make(10)
    warehouse.night()
    for key in made:
        standin.destroy(key)
    warehouse.read_in_full_next()
    report = warehouse.sync()
    assert [(failure.stream, failure.error.kind) for failure in report.failures] == [(standin.stream, "refused")]
    assert f"--allow-deletes {standin.stream}" in str(report.failures[0].error)
    assert warehouse.live() == set(made)
    assert not warehouse.sync(allow_deletes=[standin.stream]).failures
    assert warehouse.live() == set()


@proves("F24b")
def test_days_that_come_back_empty_are_no_quiet_night(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    stream = {standin.make_recent(25, account) for account in (ONE, TWO)}.pop()
    for _ in range(2):
        warehouse.night(ONE, TWO)
        standin.advance(1)
    before = check(standin.source, document=False)
    assert (before.collapsed, before.held) == ([], ())
    contents = warehouse.contents()
    standin.lose_recent()
    warehouse.night(ONE, TWO)
    assert warehouse.contents() == contents, "nothing landed, and nothing is gone"
    checked = check(standin.source, document=False)
    (held,) = checked.held
    assert held.organization == ONE
    assert f"{stream}: 0 rows came of the days read again, 25 the nights before" in held.reason
    # The same night again, with the rows back: 25 of 25.
    standin.make_recent(25, ONE)
    warehouse.night(ONE, TWO)
    assert check(standin.source, document=False).held == ()


def _ids(versions: dict[str, list[tuple]]) -> dict[str, list[tuple]]:
    return {stream: [row[:2] for row in rows] for stream, rows in versions.items()}


def _differing(before: list[tuple], after: list[tuple]) -> set[str]:
    return {row[1] for row in set(before) ^ set(after)}
