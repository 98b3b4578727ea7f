"""Which days are asked for: no gap, no overlap, and nothing that Zoom no longer keeps is silently missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.errors import PermanentError
from orchestration.sources.zoom.days import (
    Coverage,
    earliest,
    local_date,
    month_windows,
    months_of,
    plan,
    shifted,
)

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
some_day = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@given(some_day, st.integers(0, 800))
def test_consecutive_windows_share_a_day_and_none_is_longer_than_a_month(first: date, length: int) -> None:
    last = first + timedelta(length)
    windows = list(month_windows(first, last))
    assert (windows[0][0], windows[-1][1]) == (first, last)
    assert [start for start, _ in windows[1:]] == [end for _, end in windows[:-1]]
    # Without the days that they end on, all but the very last day is held, and held once.
    held = [start + timedelta(n) for start, end in windows for n in range((end - start).days)]
    assert held == [first + timedelta(n) for n in range(length)]
    assert all(end < shifted(start, 1) for start, end in windows)
    assert list(month_windows(last + timedelta(1), last)) == []


@given(some_day, st.integers(0, 800))
def test_months_are_those_of_every_day_in_order(first: date, length: int) -> None:
    days = [first + timedelta(n) for n in range(length + 1)]
    assert months_of(first, days[-1]) == sorted({day.replace(day=1) for day in days})


@pytest.mark.parametrize(
    ("today", "first"),
    [
        ("2026-11-20", "2026-05-21"),
        # The same day of a shorter month is its last one; in a leap year that is the 29th.
        ("2026-08-31", "2026-03-01"),
        ("2024-08-30", "2024-03-01"),
        ("2026-03-15", "2025-09-16"),
    ],
)
def test_six_months_begin_the_day_after_the_same_day(today: str, first: str) -> None:
    assert earliest(date.fromisoformat(today)) == date.fromisoformat(first)


@given(st.lists(st.tuples(some_day, st.integers(0, 90)), max_size=8))
def test_coverage_holds_exactly_the_days_that_were_added(spans: list[tuple[date, int]]) -> None:
    coverage, added = Coverage(), set()
    for first, length in spans:
        coverage.add(first, first + timedelta(length))
        added |= {first + timedelta(n) for n in range(length + 1)}
    held = [start + timedelta(n) for start, end in coverage.ranges for n in range((end - start).days + 1)]
    assert held == sorted(added)
    gaps = [later[0] - earlier[1] for earlier, later in zip(coverage.ranges, coverage.ranges[1:], strict=False)]
    assert all(gap > timedelta(1) for gap in gaps), "ranges side by side are one"
    assert Coverage.of({"covered": coverage.written()}, date.max).ranges == coverage.ranges


def planned(state: dict, start: date | None = None, now: datetime = NOW) -> tuple[date, date, list, list[str]]:
    notes: list[str] = []
    made = plan(state, None, now, CHICAGO, start, notes)
    return made.first, made.last, made.covered().written(), notes


def test_the_first_read_goes_as_far_back_as_zoom_does() -> None:
    assert planned({}) == (date(2026, 5, 21), date(2026, 11, 20), [["2026-05-22", "2026-11-20"]], [])


def test_later_reads_begin_some_days_before_the_last_one() -> None:
    state = {"read_at": "2026-11-19T13:00:00+00:00", "covered": [["2026-05-20", "2026-11-19"]]}
    first, _, covered, notes = planned(state)
    # Three days again, and one more for whichever zone Zoom cuts its days by.
    assert (first, covered, notes) == (date(2026, 11, 15), [["2026-05-20", "2026-11-20"]], [])


def test_a_gap_is_read_first_and_what_fell_out_of_it_is_said() -> None:
    state = {"read_at": "2026-04-01T13:00:00+00:00", "covered": [["2026-01-02", "2026-04-01"]]}
    first, _, covered, notes = planned(state)
    assert first == date(2026, 5, 21)
    assert covered == [["2026-01-02", "2026-04-01"], ["2026-05-22", "2026-11-20"]]
    assert notes == ["2026-04-02 to 2026-05-20 can't be had: Zoom keeps six months"]


def test_an_earlier_start_than_before_is_read_back_to() -> None:
    state = {"read_at": "2026-11-19T13:00:00+00:00", "covered": [["2026-09-01", "2026-11-19"]]}
    assert planned(state, date(2026, 9, 1))[0] == date(2026, 11, 15)
    first, _, covered, _ = planned(state, date(2026, 8, 1))
    assert (first, covered) == (date(2026, 7, 31), [["2026-08-01", "2026-11-20"]])


def test_a_start_before_the_six_months_is_said_once() -> None:
    first, _, _, notes = planned({}, date(2026, 1, 1))
    assert (first, notes) == (date(2026, 5, 21), ["2026-01-01 to 2026-05-20 can't be had: Zoom keeps six months"])


def test_a_state_of_the_future_is_no_place_to_go_on_from() -> None:
    state = {"read_at": "2099-01-01T00:00:00+00:00", "covered": [["2026-05-22", "2099-01-01"]]}
    first, _, covered, _ = planned(state)
    assert (first, covered) == (date(2026, 5, 21), [["2026-05-22", "2026-11-20"]])


def test_what_zoom_refused_is_not_asked_for_again_until_it_is_too_old_anyway() -> None:
    state = {
        "read_at": "2026-11-19T13:00:00+00:00",
        "covered": [["2026-05-25", "2026-11-19"]],
        "had_since": "2026-05-24",
    }
    assert planned(state)[0] == date(2026, 11, 15)
    assert plan(state, None, NOW, CHICAGO, None, []).had_since == date(2026, 5, 24)
    # A day that is too old by Zoom's own six months is no longer any of its business.
    assert plan({**state, "had_since": "2026-05-21"}, None, NOW, CHICAGO, None, []).had_since is None
    # By a state of the future nothing is known.
    assert planned({**state, "read_at": "2099-01-01T00:00:00+00:00"})[0] == date(2026, 5, 21)


def test_in_the_evening_utc_is_a_day_ahead_and_both_are_asked_for() -> None:
    # 03:00 UTC on the 21st is 21:00 on the 20th in Chicago.
    _, last, covered, _ = planned({}, now=datetime(2026, 11, 21, 3, tzinfo=UTC))
    assert (last, covered[-1][1]) == (date(2026, 11, 21), "2026-11-20")


def test_a_window_is_kept_to_by_local_dates_and_one_too_old_is_an_error() -> None:
    notes: list[str] = []
    window = (date(2026, 5, 1), date(2026, 5, 31))
    made = plan({}, window, NOW, CHICAGO, None, notes)
    # A day more for whichever zone Zoom cuts days by, and one for a range that may leave out its last.
    assert (made.first, made.last) == (date(2026, 5, 21), date(2026, 6, 2))
    assert [made.keeps(day) for day in (date(2026, 5, 31), date(2026, 6, 1), None)] == [True, False, True]
    assert notes == ["2026-05-01 to 2026-05-20 can't be had: Zoom keeps six months"]
    with pytest.raises(PermanentError, match="nothing before 2026-05-21 can be had"):
        plan({}, (date(2026, 4, 1), date(2026, 4, 30)), NOW, CHICAGO, None, notes)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-08T05:30:00Z", date(2026, 3, 7)),
        ("2026-03-09T04:59:59Z", date(2026, 3, 8)),
        ("2026-11-01T05:30:00Z", date(2026, 11, 1)),
        ("2026-11-02T05:59:59Z", date(2026, 11, 1)),
        # Without Z it is a local time.
        ("2026-03-08T00:30:00", date(2026, 3, 8)),
        ("yesterday", None),
        (7, None),
    ],
)
def test_a_days_edges_are_local_also_when_clocks_change(text: object, day: date | None) -> None:
    assert local_date(text, CHICAGO) == day
