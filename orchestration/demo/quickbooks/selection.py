"""Which records a query selects, and in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from orchestration.demo.quickbooks.query import COMPARISONS, Condition, Query, parse_instant
from orchestration.demo.quickbooks.records import NAME_LISTS, Row
from orchestration.demo.quickbooks.wire import invalid_query


def select(rows: Iterable[Row], query: Query) -> list[Row]:
    """The records a query is about, all pages of them, in the query's order (by id where it names none)."""
    found = [row for row in rows if not row.deleted]
    if query.entity in NAME_LISTS and not query.names_active:
        found = [row for row in found if row.active]
    for condition in query.conditions:
        found = _filtered(found, condition)
    # Ids break ties, as the database behind the API seems to: an order that changes between pages loses records.
    found.sort(key=lambda row: row.id)
    for name, descending in reversed(query.order):
        found.sort(key=lambda row, name=name: _sortable(value_of(row, name)), reverse=descending)
    return found


def value_of(row: Row, name: str) -> Any:
    """A record's property, as a value that compares."""
    match name:
        case "Id":
            return row.id
        case "Active":
            return row.active
        case "LastUpdatedTime":
            return row.stamp.updated
        case "CreateTime":
            return row.stamp.created
        case _:
            return row.payload().get(name)


def _filtered(rows: list[Row], condition: Condition) -> list[Row]:
    literals = [_literal(condition.property, value) for value in condition.values]
    if condition.operator == "in":
        return [row for row in rows if value_of(row, condition.property) in literals]
    if condition.operator == "like":
        pattern = re.compile(re.escape(str(literals[0])).replace("%", ".*"), re.IGNORECASE | re.DOTALL)
        return [row for row in rows if pattern.fullmatch(str(value_of(row, condition.property) or ""))]
    compare = COMPARISONS[condition.operator]
    values = ((row, value_of(row, condition.property)) for row in rows)
    return [row for row, value in values if value is not None and compare(value, literals[0])]


def _literal(name: str, value: str | bool) -> Any:
    try:
        match name:
            case "LastUpdatedTime" | "CreateTime":
                return parse_instant(str(value))
            case "Id":
                return int(value)
            case "TotalAmt" | "Balance":
                return Decimal(value)
            case "Active":
                return value if isinstance(value, bool) else value.lower() == "true"
            case _:
                return str(value)
    except (ValueError, InvalidOperation):
        raise invalid_query(f"value {value} is not valid for {name}") from None


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)
