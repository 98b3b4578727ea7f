"""Lists are read to their real end, each record once, whatever pages look like."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime

import pytest
from cases import proves
from conformance_world import Warehouse
from standin import StandIn

from orchestration.errors import PermanentError
from orchestration.sources import SOURCES
from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.records import Extract


def consume(extract: Extract) -> None:
    deque(extract.records, maxlen=0)


@proves("9")
@pytest.mark.parametrize("count", ["0", "1", "page - 1", "page", "page + 1", "3 * page + 1"])
def test_so_many_records_are_so_many_distinct_keys(standin: StandIn, count: str) -> None:
    records = eval(count, {"page": standin.page})
    standin.make(records)
    keys = set(standin.read().keys)
    assert (len(keys), keys) == (records, standin.keys())


@proves("10")
def test_odd_pages_do_not_end_a_list(standin: StandIn) -> None:
    standin.make(3 * standin.page + 1)
    standin.odd_pages()
    assert set(standin.read().keys) == standin.keys()


@proves("11")
def test_a_repeated_page_is_refused(standin: StandIn) -> None:
    standin.repeat_pages()
    with pytest.raises(PermanentError, match="repeats a page"):
        standin.read()
    assert standin.pages_asked() == 2


@proves("12")
def test_a_token_behind_the_last_page_gives_nothing_twice(standin: StandIn) -> None:
    stream, expected = standin.past_end()
    keys = standin.read(stream=stream).keys
    assert (len(keys), set(keys)) == (len(expected), expected)


@proves("13")
def test_an_expired_page_token_starts_its_window_again(standin: StandIn) -> None:
    stream, expected = standin.expiring_page()
    keys = standin.read(stream=stream).keys
    assert (len(keys), set(keys)) == (len(expected), expected)
    assert 400 in {asked.status for asked in standin.asked()}


@proves("F26")
def test_ids_with_slashes_are_asked_for_as_the_service_takes_them(standin: StandIn) -> None:
    stream, expected = standin.slashed_ids()
    assert set(standin.read(stream=stream).keys) == expected


@proves("14")
def test_changes_beyond_a_searchs_ceiling_are_all_found(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = standin.lower_ceiling(monkeypatch)
    standin.make_with_ids(ids)
    state = standin.read().extract.state
    standin.advance(1)
    for key in map(str, ids):
        standin.edit(key)
    night = standin.read(state)
    assert night.extract.mode == "incremental"
    assert (len(night.keys), set(night.keys)) == (len(ids), set(map(str, ids)))


@proves("15")
def test_windows_side_by_side_leave_no_gap_and_do_not_overlap(standin: StandIn) -> None:
    stream, windows = standin.calendar()
    for window, expected in windows:
        assert set(standin.read(window=window, stream=stream).keys) == expected, window


@proves("F18")
def test_requests_with_a_limit_of_their_own_never_meet_it(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = standin.tighten_own_limit(monkeypatch)
    with standin.open() as session:
        for stream in [SOURCES[standin.source].stream(name) for name in streams]:
            first = session.read(stream, None, None)
            consume(first)
            consume(session.read(stream, first.state, None))
    assert 429 not in {asked.status for asked in standin.asked()}
    assert session.stats.waited_seconds > 0


@proves("F19")
def test_changes_between_pages_end_as_the_source_has_them(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    first, second, *others = standin.make(2 * standin.page + 5)
    changed: list[str] = []

    def work_goes_on() -> None:
        standin.delete(first)
        changed.append(standin.edit(second))
        standin.make(1)

    standin.at_page(2, work_goes_on)
    warehouse.night()
    assert changed, "it happened"
    assert warehouse.live() >= {second, *others}
    warehouse.night()
    assert warehouse.live() == standin.keys()
    assert warehouse.value(second) == changed[0]


@proves("F20")
def test_all_records_at_the_watermarks_instant_are_read(standin: StandIn) -> None:
    made = standin.make(500)
    state = standin.read().extract.state
    standin.advance(1)
    state = standin.read(state).extract.state
    boundary = parse_iso(state["changed_since"])
    for key in made:
        standin.edit(key, boundary)
    night = standin.read(state)
    assert night.extract.mode == "incremental"
    assert set(night.keys) == set(made)


@proves("F21")
def test_a_record_of_2099_leaves_the_watermark_at_the_sources_clock(standin: StandIn) -> None:
    early, late = standin.make(2)
    state = standin.read().extract.state
    standin.advance(1)
    standin.edit(late, datetime(2099, 1, 1, tzinfo=UTC))
    state = standin.read(state).extract.state
    assert parse_iso(state["changed_since"]) <= standin.now
    standin.advance(1)
    standin.edit(early)
    assert early in standin.read(state).keys
