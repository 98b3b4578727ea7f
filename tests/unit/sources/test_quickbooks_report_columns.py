"""A report taken apart by month and put together again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fake import Line, no_data, report

from orchestration.errors import PermanentError
from orchestration.sources.quickbooks.months import last_day, months_between, shift
from orchestration.sources.quickbooks.report_columns import (
    NotByMonth,
    assign_columns,
    has_no_data,
    is_cut_off,
    pick_column,
)

JANUARY = date(2026, 1, 1)
AMOUNTS = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=2)
FIRST_MONTHS = st.dates(date(2019, 1, 1), date(2031, 12, 31)).map(lambda day: day.replace(day=1))


def by_month(first: date, count: int) -> st.SearchStrategy[dict[date, Decimal]]:
    months = [shift(first, step) for step in range(count)]
    return st.dictionaries(st.sampled_from(months), AMOUNTS)


def lines(first: date, count: int) -> st.SearchStrategy[list[Line]]:
    own = by_month(first, count)
    accounts = st.builds(Line, label=st.text(max_size=8), own=own)
    tree = st.recursive(
        accounts,
        lambda inner: st.builds(
            Line,
            label=st.text(max_size=8),
            own=own,
            lines=st.lists(inner, min_size=1, max_size=3),
            group=st.sampled_from([None, "Income", "COGS"]),
        ),
        max_leaves=8,
    )
    return st.lists(tree, max_size=4)


PERIODS = st.tuples(FIRST_MONTHS, st.integers(1, 6)).flatmap(
    lambda period: st.tuples(st.just(period[0]), st.just(period[1]), lines(*period))
)


def params(first: date, count: int, by: str = "Month") -> dict[str, str]:
    return {
        "start_date": first.isoformat(),
        "end_date": last_day(shift(first, count - 1)).isoformat(),
        "summarize_column_by": by,
    }


def amounts(node: Any) -> Iterator[tuple[str, Decimal]]:
    """Label and amount of every line, header and summary, in order."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "ColData":
                assert len(value) == 2
                yield value[0]["value"], Decimal(value[1]["value"] or "0")
            else:
                yield from amounts(value)
    elif isinstance(node, list):
        for one in node:
            yield from amounts(one)


@given(PERIODS, st.booleans(), st.booleans())
def test_the_months_add_up_to_the_total_line_by_line(
    period: tuple[date, int, list[Line]], dates: bool, keys: bool
) -> None:
    first, count, content = period
    months = months_between(first, shift(first, count - 1))
    received = report("ProfitAndLoss", content, params(first, count), dates=dates, keys=keys)
    columns = assign_columns(received, months)
    assert list(columns.months) == months
    assert columns.total is not None
    trees = [list(amounts(pick_column(received["Rows"], columns.months[month].index))) for month in months]  # type: ignore[union-attr]
    total = list(amounts(pick_column(received["Rows"], columns.total.index)))
    for tree in trees:
        assert [label for label, _ in tree] == [label for label, _ in total]
    for position, (_, amount) in enumerate(total):
        assert sum(tree[position][1] for tree in trees) == amount


@given(PERIODS)
def test_every_month_gets_its_own_amounts(period: tuple[date, int, list[Line]]) -> None:
    first, count, content = period
    months = months_between(first, shift(first, count - 1))
    received = report("ProfitAndLoss", content, params(first, count))
    columns = assign_columns(received, months)
    for month in months:
        column = columns.months[month]
        assert column is not None
        alone = report("ProfitAndLoss", content, params(month, 1), total=False)
        assert pick_column(received["Rows"], column.index) == alone["Rows"]


def test_titles_in_any_language_do_not_matter() -> None:
    received = report("ProfitAndLoss", [], params(JANUARY, 2), titles=["Total", "janv. 1 - janv. 15"])
    months = assign_columns(received, [JANUARY, date(2026, 2, 1)]).months
    assert [column.index for column in months.values() if column] == [1, 2]


def test_columns_belong_to_their_dates_in_whatever_order_they_come() -> None:
    received = report("ProfitAndLoss", [], params(JANUARY, 3))
    columns = received["Columns"]["Column"]
    columns[1], columns[3] = columns[3], columns[1]
    months = assign_columns(received, months_between(JANUARY, date(2026, 3, 1))).months
    assert [months[month].index for month in sorted(months)] == [3, 2, 1]  # type: ignore[union-attr]


def test_a_partial_month_is_its_month() -> None:
    received = report("ProfitAndLoss", [], params(JANUARY, 2))
    received["Columns"]["Column"][2]["MetaData"][1]["Value"] = "2026-02-13"
    assert set(assign_columns(received, [JANUARY, date(2026, 2, 1)]).months) == {JANUARY, date(2026, 2, 1)}


def test_without_dates_and_keys_columns_belong_to_the_months_in_their_order() -> None:
    received = report("ProfitAndLoss", [], params(JANUARY, 6), dates=False, keys=False)
    columns = assign_columns(received, months_between(JANUARY, date(2026, 6, 1)))
    assert [column.index for column in columns.months.values() if column] == [1, 2, 3, 4, 5, 6]
    assert columns.total is not None
    assert columns.total.index == 7


@pytest.mark.parametrize("dates", [True, False])
def test_a_report_may_have_no_total(dates: bool) -> None:
    received = report("ProfitAndLoss", [], params(JANUARY, 6), total=False, dates=dates)
    columns = assign_columns(received, months_between(JANUARY, date(2026, 6, 1)))
    assert columns.total is None
    assert len(columns.months) == 6


@pytest.mark.parametrize("keys", [True, False])
def test_the_total_of_one_month_is_that_month(keys: bool) -> None:
    received = report("BalanceSheet", [], params(JANUARY, 1, by="Total"), keys=keys)
    columns = assign_columns(received, [JANUARY])
    column = columns.months[JANUARY]
    assert column is not None
    assert column.index == 1


def test_the_total_of_several_months_is_none_of_them() -> None:
    received = report("BalanceSheet", [], params(JANUARY, 2, by="Total"))
    with pytest.raises(NotByMonth):
        assign_columns(received, [JANUARY, date(2026, 2, 1)])


def test_a_column_that_covers_a_quarter_is_no_month() -> None:
    received = report("ProfitAndLoss", [], params(JANUARY, 1))
    received["Columns"]["Column"][1]["MetaData"][1]["Value"] = "2026-03-31"
    with pytest.raises(NotByMonth, match="covers 2026-01-01 to 2026-03-31"):
        assign_columns(received, [JANUARY])


def test_a_month_that_is_not_there_is_not_zero() -> None:
    received = report("ProfitAndLoss", [], params(JANUARY, 2))
    with pytest.raises(NotByMonth, match="no column for 2026-03"):
        assign_columns(received, months_between(JANUARY, date(2026, 3, 1)))


def test_months_nobody_asked_for_take_the_total_with_them() -> None:
    received = report("ProfitAndLoss", [], params(JANUARY, 6))
    columns = assign_columns(received, [JANUARY, date(2026, 2, 1)])
    assert set(columns.months) == {JANUARY, date(2026, 2, 1)}
    assert columns.total is None


def test_another_period_than_asked_for_is_refused() -> None:
    received = report("ProfitAndLoss", [], params(date(2016, 1, 1), 2), dates=False)
    with pytest.raises(PermanentError, match="StartPeriod 2016-01-01 instead of 2026-01"):
        assign_columns(received, [JANUARY, date(2026, 2, 1)])


@pytest.mark.parametrize("columns", [True, False])
def test_where_nothing_was_posted_every_month_is_there_and_empty(columns: bool) -> None:
    months = months_between(JANUARY, date(2026, 6, 1))
    received = no_data("ProfitAndLoss", params(JANUARY, 6), columns=columns)
    assert has_no_data(received)
    assert list(assign_columns(received, months).months) == months


def test_a_short_row_has_an_empty_cell() -> None:
    assert pick_column({"ColData": [{"value": "Sales"}]}, 3) == {"ColData": [{"value": "Sales"}, {"value": ""}]}
    assert pick_column({"ColData": []}, 3) == {"ColData": [{"value": ""}, {"value": ""}]}
    assert pick_column({"ColData": None}, 3) == {"ColData": None}


def test_a_report_cut_short_is_recognised_wherever_it_says_so() -> None:
    whole = {"Row": [{"Rows": {"Row": [{"ColData": [{"value": "Sales"}, {"value": "1.00"}]}]}}]}
    assert not is_cut_off(whole)
    whole["Row"].append({"ColData": [{"value": "Unable to display more data. Please reduce the date range."}]})  # type: ignore[dict-item]
    assert is_cut_off(whole)
