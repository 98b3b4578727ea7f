"""A dealership's figures asked afresh, by other means than those that fill the warehouse.

The database adds up: sums and counts by day, account and state, over the views as they are now. No row is read, no
state and no mapping; an error on the long way from Softbase to a mart shows as a difference. By department there are no
figures: which code belongs to which is the warehouse's own say.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    and_,
    cast,
    distinct,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)

from orchestration.sources.core.records import Session
from orchestration.sources.core.sql_tables import FoundTable
from orchestration.sources.softbase.session import Dealership
from orchestration.sources.softbase.streams import GONE, GONE_AT, STREAMS

Figures = dict[str, int | Decimal | None]

_CENT = Decimal("0.01")
_QUOTES = (11, 13)
_FIRST_QUOTE, _LAST_QUOTE = 900_000_000, 999_999_999


def sales_figures(session: Session, first: date, last: date) -> dict[date, Figures]:
    """Revenue, invoices and orders of every day from ``first`` to ``last``, as mart_sales_daily has them in all."""
    dealership = _dealership(session)
    invoices, orders = _view(dealership, "invoice_reg"), _view(dealership, "wo")
    amounts = [invoices.column(name) for name in invoices.names if name.endswith(("Taxable", "NonTax"))]
    revenue = sum((func.coalesce(amount, 0) for amount in amounts[1:]), func.coalesce(amounts[0], 0))
    day = cast(invoices.column("InvoiceDate"), Date)
    found = {
        row[0]: row[1:]
        for row in _ask(dealership, select(day, func.sum(revenue), func.count()).where(_lives(invoices)).group_by(day))
    }
    opened, closed = (_by_day(dealership, orders, name) for name in ("OpenDate", "ClosedDate"))
    standing = sum(count for at, count in opened.items() if at < first)
    standing -= sum(count for at, count in closed.items() if at < first)
    figures: dict[date, Figures] = {}
    at = first
    while at <= last:
        standing += opened[at] - closed[at]
        amount, count = found.get(at, (0, 0))
        figures[at] = {
            "total_revenue": _cents(amount),
            "total_invoices": int(count),
            "open_work_orders": standing,
            "closed_work_orders": closed[at],
        }
        at += timedelta(days=1)
    return figures


def fleet_figures(session: Session) -> Figures:
    """The fleet as it is now, by column of mart_rental_fleet."""
    dealership = _dealership(session)
    today = dealership.database.now().astimezone(dealership.zone).date()
    units, lines, orders, depts = (_view(dealership, name) for name in ("equipment", "wo_rental", "wo", "dept"))
    tomorrow = datetime.combine(today + timedelta(days=1), time())
    unit_status = func.lower(func.ltrim(func.rtrim(func.coalesce(units.column("RentalStatus"), ""))))
    rental = exists().where(
        depts.column("Branch") == units.column("InventoryBranch"),
        depts.column("Dept") == units.column("InventoryDept"),
        func.lower(depts.column("Title")).like("%rent%"),
    )
    in_fleet = and_(
        _lives(units),
        rental,
        or_(units.column("Customer").is_(None), units.column("Customer") == false()),
        unit_status.not_in(("sold", "disposed")),
        *([_not_before(units.column("DealerSaleDate"), tomorrow)] if units.has("DealerSaleDate") else []),
    )
    running = and_(
        _lives(lines),
        *([_not_before(lines.column("SwapEndDate"), tomorrow)] if lines.has("SwapEndDate") else []),
        _is_order(orders),
        orders.column("Type") == "R",
        orders.column("ClosedDate").is_(None),
        orders.column("WONo") == lines.column("WONo"),
        lines.column("SerialNo") == units.column("SerialNo"),
    )
    on_rent = exists(select(1).select_from(lines.source, orders.source).where(running).correlate(units.source))
    held = or_(unit_status.like("hold%"), unit_status.like("%repair%"))

    def count(*conditions: ColumnElement[bool]) -> int:
        return int(_ask(dealership, select(func.count()).select_from(units.source).where(in_fleet, *conditions))[0][0])

    total, rented, idle = count(), count(on_rent), count(not_(on_rent), held)
    customers = select(func.count(distinct(orders.column("BillTo"))))
    customers = customers.select_from(units.source, lines.source, orders.source).where(in_fleet, running)
    return {
        "total_units": total,
        "rented_units": rented,
        "maintenance_units": idle,
        "available_units": total - rented - idle,
        "utilization_rate": _cents(Decimal(100 * rented) / total) if total else None,
        "active_rental_customers": int(_ask(dealership, customers)[0][0]),
    }


def cash_figures(session: Session) -> dict[date, Figures]:
    """Balance and movement of the accounts flagged as cash by the last day of each month of the ledger.

    A row's month is that of the last entry that took effect in its period. Empty where no account is flagged, or rows
    do not say when their entries took effect.
    """
    dealership = _dealership(session)
    ledger, chart = _view(dealership, "gl"), _view(dealership, "chart_of_accounts")
    if not (chart.has("CashAccount") and ledger.has("LastEffectiveDate")):
        return {}
    year, month = ledger.column("Year"), ledger.column("Month")
    cash = exists().where(
        chart.column("AccountNo") == ledger.column("AccountNo"), chart.column("CashAccount") == true(), _lives(chart)
    )
    actual = and_(ledger.column("AccountField") == "Actual", _lives(ledger))
    dated = select(year, month, func.max(ledger.column("LastEffectiveDate"))).where(actual).group_by(year, month)
    ends = {tuple(row[:2]): _month_end(row[2]) for row in _ask(dealership, dated) if row[2] is not None}
    begun = select(ledger.column("AccountNo"), func.min(year * 100 + month).label("first")).where(actual, cash)
    accounts = begun.group_by(ledger.column("AccountNo")).subquery()
    # What stood on an account before its first row.
    opening = select(func.sum(ledger.column("YTD") - ledger.column("MTD"))).where(
        actual, accounts.c.first == year * 100 + month, accounts.c.AccountNo == ledger.column("AccountNo")
    )
    balance = Decimal(_ask(dealership, opening)[0][0] or 0)
    moved = {
        tuple(row[:2]): Decimal(row[2] or 0)
        for row in _ask(
            dealership, select(year, month, func.sum(ledger.column("MTD"))).where(actual, cash).group_by(year, month)
        )
    }
    figures: dict[date, Figures] = {}
    for period in sorted(ends, key=lambda one: ends[one]):
        balance += moved.get(period, Decimal(0))
        change = _cents(moved.get(period, Decimal(0))) if figures else None
        figures[ends[period]] = {"cash_balance": _cents(balance), "cash_change_mtd": change}
    return figures


def _dealership(session: Session) -> Dealership:
    if not isinstance(session, Dealership):
        raise TypeError("a session on Softbase is needed")
    return session


def _view(dealership: Dealership, name: str) -> FoundTable:
    stream = next(one for one in STREAMS if one.name == name)
    with dealership.attributed(stream):
        return dealership.database.find(stream.table, dealership.connection.schema_name)


def _ask(dealership: Dealership, statement: Any) -> list[tuple[Any, ...]]:
    with dealership.attributed():
        return dealership.database.ask(lambda link: link.values(statement))


def _lives(view: FoundTable) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if view.has(GONE):
        conditions.append(or_(view.column(GONE).is_(None), view.column(GONE) == false()))
    if view.has(GONE_AT):
        conditions.append(view.column(GONE_AT).is_(None))
    return and_(true(), *conditions)


def _is_order(orders: FoundTable) -> ColumnElement[bool]:
    number = orders.column("WONo")
    untouched = and_(
        number.between(_FIRST_QUOTE, _LAST_QUOTE),
        *(orders.column(name).is_(None) for name in ("CompletedDate", "ClosedDate", "InvoiceDate") if orders.has(name)),
    )
    return and_(_lives(orders), func.coalesce(orders.column("Disposition"), 0).not_in(_QUOTES), not_(untouched))


def _by_day(dealership: Dealership, orders: FoundTable, name: str) -> Counter[date]:
    """Orders by the day of one of their dates; only those that were opened are ever closed."""
    day = cast(orders.column(name), Date)
    of_day = and_(_is_order(orders), orders.column(name).is_not(None))
    statement = select(day, func.count()).where(of_day).group_by(day)
    return Counter({row[0]: int(row[1]) for row in _ask(dealership, statement)})


def _not_before(column: ColumnElement[Any], day: datetime) -> ColumnElement[bool]:
    return or_(column.is_(None), column >= day)


def _month_end(at: datetime) -> date:
    return (at.replace(day=1) + timedelta(days=32)).replace(day=1).date() - timedelta(days=1)


def _cents(value: Any) -> Decimal:
    return Decimal(value or 0).quantize(_CENT, ROUND_HALF_UP)
