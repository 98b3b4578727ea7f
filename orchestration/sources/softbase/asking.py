"""How a dealership's database is asked to add up, for figures that do not come by way of the warehouse."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, case, cast, false, or_, true

from orchestration.sources.core.records import Session
from orchestration.sources.core.sql_tables import FoundTable
from orchestration.sources.softbase.session import Dealership
from orchestration.sources.softbase.streams import GONE, GONE_AT, STREAMS
from orchestration.sources.softbase.views import FIRST_DATE

Figures = dict[str, int | Decimal | None]

_CENT = Decimal("0.01")


def dealership_of(session: Session) -> Dealership:
    if not isinstance(session, Dealership):
        raise TypeError("a session on Softbase is needed")
    return session


def view(dealership: Dealership, name: str) -> FoundTable:
    stream = next(one for one in STREAMS if one.name == name)
    with dealership.attributed(stream):
        return dealership.database.find(stream.table, dealership.connection.schema_name)


def ask(dealership: Dealership, statement: Any) -> list[tuple[Any, ...]]:
    with dealership.attributed():
        return dealership.database.ask(lambda link: link.values(statement))


def lives(view: FoundTable) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if view.has(GONE):
        conditions.append(or_(view.column(GONE).is_(None), view.column(GONE) == false()))
    if view.has(GONE_AT):
        conditions.append(view.column(GONE_AT).is_(None))
    return and_(true(), *conditions)


def today(dealership: Dealership) -> date:
    return dealership.database.now().astimezone(dealership.zone).date()


def day_of(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The day of a time; NULL where it is one that stands for none."""
    return case((column >= FIRST_DATE, cast(column, Date)))


def cents(value: Any) -> Decimal:
    return Decimal(value or 0).quantize(_CENT, ROUND_HALF_UP)
