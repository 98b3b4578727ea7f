"""A small reader of report trees, written from the API's documentation alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)


def number(text: str) -> Decimal:
    return Decimal(text) if text else ZERO


def columns(report: dict[str, Any]) -> list[tuple[date | None, date | None]]:
    """Dates of the money columns; (None, None) for the total."""
    found = []
    for column in report["Columns"]["Column"]:
        if column["ColType"] == "Money":
            meta = {entry["Name"]: entry["Value"] for entry in column["MetaData"]}
            first, last = meta.get("StartDate"), meta.get("EndDate")
            found.append((date.fromisoformat(first), date.fromisoformat(last)) if first and last else (None, None))
    return found


def rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    return report["Rows"].get("Row", [])


def walk(tree: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in tree:
        yield row
        yield from walk(row.get("Rows", {}).get("Row", []))


def group(report: dict[str, Any], name: str) -> list[Decimal]:
    """Amounts of the row with a group; zeros where the report has none."""
    for row in walk(rows(report)):
        if row.get("group") == name:
            return amounts(row)
    return [ZERO] * len(columns(report))


def amounts(row: dict[str, Any]) -> list[Decimal]:
    """A row's amounts: its data, its summary or, where it has none, what its rows add up to."""
    if row["type"] == "Data":
        return [number(cell["value"]) for cell in row["ColData"][1:]]
    if "Summary" in row:
        return [number(cell["value"]) for cell in row["Summary"]["ColData"][1:]]
    return added(row)


def added(row: dict[str, Any]) -> list[Decimal]:
    """What a section's header and rows add up to."""
    header = [number(cell["value"]) for cell in row.get("Header", {"ColData": [{}]})["ColData"][1:]]
    parts = [amounts(part) for part in row.get("Rows", {}).get("Row", [])]
    return [sum(values, ZERO) for values in zip(header, *parts, strict=True)]


def checked_sections(report: dict[str, Any]) -> int:
    """Assert that every section with rows adds up to its summary; how many there are.

    Not the operating activities: companies differ in whether their summary covers net income.
    """
    count = 0
    for row in walk(rows(report)):
        if (
            row["type"] == "Section"
            and "Rows" in row
            and "Summary" in row
            and row.get("group") != "OperatingActivities"
        ):
            assert added(row) == amounts(row), row["Summary"]["ColData"][0]
            count += 1
    return count


def operating_cash_flow(report: dict[str, Any]) -> list[Decimal]:
    """Net income and the adjustments to it, whatever groups they have and whatever the section's own summary covers."""
    for row in rows(report):
        if row.get("group") == "OperatingActivities":
            return added(row)
    return [ZERO] * len(columns(report))


def no_data(report: dict[str, Any]) -> bool:
    options = {option["Name"]: option["Value"] for option in report["Header"]["Option"]}
    return options["NoReportData"] == "true"
