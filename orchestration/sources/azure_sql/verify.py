"""A case database's figures asked afresh: counted there, by its own COUNT and GROUP BY, and not here."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import NVARCHAR, ColumnElement, Select, cast, collate, func, select

from orchestration.sources.azure_sql.session import CaseDatabase
from orchestration.sources.azure_sql.streams import CASES
from orchestration.sources.core.records import Session
from orchestration.sources.core.sql_link import Link
from orchestration.sources.core.sql_values import json_value

Figures = dict[str, int]

DATES = {"new_cases_30d": "Case Create Date", "closed_cases_30d": "Date Closed"}
GROUPS = {
    "cases_by_type": "Case Type",
    "cases_by_status": "Workflow Status",
    "cases_by_category": "Primary Presenting Problem",
}
# The last 30 dates, that of the snapshot included.
_DAYS = 30
_UNKNOWN = "unknown"


def case_figures(session: Session, day: date) -> Figures:
    """Cases as they are now, by column of mart_case_metrics. ``day``: the local date that new ones are new by.

    Each value that cases are grouped by is a figure of its own: ``cases_by_type EAP``.
    """
    if not isinstance(session, CaseDatabase):
        raise TypeError("a session on a case database is needed")
    with session.attributed(CASES):
        return session.database.ask(lambda link: _figures(link, session, day), consistent=True)


def _figures(link: Link, session: CaseDatabase, day: date) -> Figures:
    found = link.find(CASES.table, session.settings.database_schema)
    ((total,),) = link.values(found.count())
    figures = {"total_cases": int(total)}
    for name, column in DATES.items():
        dated = link.values(by_value(found.column(column)))
        figures[name] = sum(count for value, count in dated if 0 <= _age(value, day) < _DAYS)
    for name, column in GROUPS.items():
        groups: Counter[str] = Counter()
        for value, count in link.values(by_value(_told_apart(found.column(column), link.dialect))):
            groups[_label(value)] += count
        figures |= {f"{name} {label}": count for label, count in groups.items()}
    return figures


def by_value(column: ColumnElement[Any]) -> Select[Any]:
    """How many rows have each value of a column."""
    return select(column, func.count()).group_by(column)


def _told_apart(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """SQL Server's usual collations count EAP and eap as one; the mart keeps what is spelled otherwise apart."""
    return collate(cast(column, NVARCHAR()), "Latin1_General_BIN2") if dialect == "mssql" else column


def _age(value: object, day: date) -> int:
    """Days before ``day``; negative for days after it and for what is no date."""
    text = json_value(value)
    try:
        return (day - date.fromisoformat(str(text)[:10])).days
    except ValueError:
        return -1


def _label(value: object) -> str:
    return (str(json_value(value)).strip() or _UNKNOWN) if value is not None else _UNKNOWN
