"""A report by month taken apart into one tree a month.

Columns are told apart by the dates in their metadata, never by their titles, which follow the company's language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestration.errors import PermanentError
from orchestration.sources.quickbooks.faults import objects
from orchestration.sources.quickbooks.months import Month, month_of

# What a report holds in place of what would not fit, with status 200.
_CUT_OFF = "unable to display more data"
_EMPTY_CELL: Mapping[str, Any] = {"value": ""}


class NotByMonth(Exception):
    """The report can't be taken apart by month: it has other columns, or not all its rows. Ask for fewer months."""


@dataclass(frozen=True)
class Column:
    """One column of amounts. ``index``: its place in every row's ColData."""

    index: int
    key: str
    period: tuple[date, date] | None
    """First and last day, where it states them; the total's are those of the report."""
    as_received: Mapping[str, Any]


@dataclass(frozen=True)
class Columns:
    """The columns that belong to the months asked for; the total's, where there is one for exactly these months."""

    months: Mapping[Month, Column | None]
    total: Column | None


def assign_columns(report: Mapping[str, Any], months: Sequence[Month]) -> Columns:
    """Which column belongs to which of ``months``; None for a month without column where nothing was posted at all.

    Raises NotByMonth, or PermanentError where the report is about another period.
    """
    columns = _amount_columns(report)
    by_date = any(column.period for column in columns)
    found = _by_date(columns, months) if by_date else _by_position(report, columns, months)
    missing = [month for month in months if found.months.get(month) is None]
    if missing and not has_no_data(report):
        raise NotByMonth(f"no column for {missing[0]:%Y-%m}")
    return Columns({month: found.months.get(month) for month in months}, found.total)


def _by_date(columns: Sequence[Column], months: Sequence[Month]) -> Columns:
    by_month: dict[Month, Column | None] = {}
    for column in columns:
        if column.period is not None:
            first, last = column.period
            if month_of(first) != month_of(last) or month_of(first) in by_month:
                raise NotByMonth(f"a column covers {first} to {last}")
            by_month[month_of(first)] = column
    others = [column for column in columns if column.period is None]
    total = others[0] if len(others) == 1 and set(by_month) == set(months) else None
    return Columns(by_month, total)


def _by_position(report: Mapping[str, Any], columns: Sequence[Column], months: Sequence[Month]) -> Columns:
    """Without dates: one column a month in their order, then the total. Only where the header names the same period."""
    _require_period(report, months)
    unnamed = [column for column in columns if column.key != "total"]
    if len(unnamed) == len(months):
        named = next((column for column in columns if column.key == "total"), None)
        return Columns(dict(zip(months, unnamed, strict=True)), named)
    if len(columns) == len(months) + 1:
        return Columns(dict(zip(months, columns[:-1], strict=True)), columns[-1])
    if len(columns) == len(months) == 1:
        return Columns({months[0]: columns[0]}, None)
    return Columns({}, None)


def _require_period(report: Mapping[str, Any], months: Sequence[Month]) -> None:
    header = report.get("Header")
    header = header if isinstance(header, Mapping) else {}
    for name, month in (("StartPeriod", months[0]), ("EndPeriod", months[-1])):
        said = _date(header.get(name))
        if said is not None and month_of(said) != month:
            raise PermanentError(
                f"the report is about another period than asked for: {name} {said} instead of {month:%Y-%m}",
                hint="the server seems to overlook start_date and end_date.",
            )


def _amount_columns(report: Mapping[str, Any]) -> list[Column]:
    """All columns but the first, which holds the labels."""
    block = report.get("Columns")
    received = block.get("Column") if isinstance(block, Mapping) else None
    columns = []
    for index, column in enumerate(received if isinstance(received, list) else []):
        if index == 0 or not isinstance(column, Mapping):
            continue
        meta = {str(one.get("Name")).lower(): one.get("Value") for one in objects(column.get("MetaData"))}
        key = str(meta.get("colkey", "")).lower()
        first, last = _date(meta.get("startdate")), _date(meta.get("enddate"))
        period = (first, last) if first and last and key != "total" else None
        columns.append(Column(index, key, period, column))
    return columns


def has_no_data(report: Mapping[str, Any]) -> bool:
    """Whether the report says that nothing was posted."""
    header = report.get("Header")
    options = objects(header.get("Option")) if isinstance(header, Mapping) else []
    return any(one.get("Name") == "NoReportData" and str(one.get("Value")).lower() == "true" for one in options)


def is_cut_off(node: object) -> bool:
    """Whether a tree of rows ends in QuickBooks' remark that there would be more."""
    pending = [node]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str) and value[: len(_CUT_OFF)].lower() == _CUT_OFF:
            return True
    return False


def pick_column(node: Any, index: int | None) -> Any:
    """The tree of rows with two cells in each: the label and that column's. ``index`` None: an empty cell."""
    if isinstance(node, dict):
        return {
            key: _two_cells(value, index) if key == "ColData" else pick_column(value, index)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [pick_column(one, index) for one in node]
    return node


def _two_cells(cells: Any, index: int | None) -> Any:
    if not isinstance(cells, list):
        return cells
    label = cells[0] if cells else _EMPTY_CELL
    return [label, cells[index] if index is not None and index < len(cells) else _EMPTY_CELL]


def _date(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
