"""A dealership's figures asked afresh, by other means than those that fill the warehouse.

The database adds up: sums and counts by day, account and state, over the views as they are now. No row is read and no
state; an error on the long way from Softbase to a mart shows as a difference. Of departments there is rental alone, by
the seeds that the marts go by (``verified_departments``).
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    String,
    and_,
    case,
    cast,
    distinct,
    exists,
    false,
    func,
    not_,
    or_,
    select,
)

from orchestration.sources.core.records import Session
from orchestration.sources.core.sql_tables import FoundTable
from orchestration.sources.softbase.asking import Figures, ask, cents, day_of, dealership_of, lives, today, view
from orchestration.sources.softbase.session import Dealership
from orchestration.sources.softbase.verified_departments import departments_of
from orchestration.sources.softbase.views import FIRST_DATE

_QUOTES = (11, 13)
_GONE = ("sold%", "disposed%")
_HELD = ("hold%", "on hold%", "%repair%", "%maintenance%")


def sales_figures(session: Session, first: date, last: date) -> dict[date, Figures]:
    """Revenue, invoices and orders of every day from ``first`` to ``last``, as mart_sales_daily has them in all."""
    dealership = dealership_of(session)
    invoices, orders = view(dealership, "invoice_reg"), view(dealership, "wo")
    revenue, counts = invoiced(invoices, orders)
    day = cast(invoices.column("InvoiceDate"), Date)
    billed = select(day, revenue, func.count()).where(counts).group_by(day)
    found = {row[0]: row[1:] for row in ask(dealership, billed)}
    opening, closing = day_of(orders.column("OpenDate")), day_of(orders.column("ClosedDate"))
    opened, closed = _by_day(dealership, orders, opening), _by_day(dealership, orders, closing)
    # What was closed before it was opened was open on no day; what was never opened does not end.
    ended = _by_day(dealership, orders, case((closing < opening, opening), (opening.is_not(None), closing)), closing)
    standing = sum(count for at, count in opened.items() if at < first)
    standing -= sum(count for at, count in ended.items() if at < first)
    figures: dict[date, Figures] = {}
    at = first
    while at <= last:
        standing += opened[at] - ended[at]
        amount, count = found.get(at, (0, 0))
        figures[at] = {
            "total_revenue": cents(amount),
            "total_invoices": int(count),
            "open_work_orders": standing,
            "closed_work_orders": closed[at],
        }
        at += timedelta(days=1)
    return figures


def invoiced(invoices: FoundTable, orders: FoundTable) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """The sum of what invoices bill, and which ones count: not those of quotes."""
    amounts = [invoices.column(name) for name in invoices.names if name.endswith(("Taxable", "NonTax"))]
    revenue = sum((func.coalesce(amount, 0) for amount in amounts[1:]), func.coalesce(amounts[0], 0))
    quoted = exists().where(
        lives(orders), orders.column("WONo") == invoices.column("InvoiceNo"), orders.column("Disposition").in_(_QUOTES)
    )
    return func.sum(revenue), and_(lives(invoices), not_(quoted))


def fleet_figures(session: Session) -> Figures:
    """The fleet as it is now, by column of mart_rental_fleet; each type a figure of its own: ``units_by_type X``."""
    dealership = dealership_of(session)
    units, lines, orders = (view(dealership, name) for name in ("equipment", "wo_rental", "wo"))
    tomorrow = datetime.combine(today(dealership) + timedelta(days=1), time())
    unit_status = func.lower(func.ltrim(func.rtrim(func.coalesce(units.column("RentalStatus"), ""))))
    in_fleet = and_(
        lives(units),
        _of_rental(dealership, units),
        or_(units.column("Customer").is_(None), units.column("Customer") == false()),
        *(not_(unit_status.like(pattern)) for pattern in _GONE),
        *([_not_over(units.column("DealerSaleDate"), tomorrow)] if units.has("DealerSaleDate") else []),
    )
    running = and_(
        lives(lines),
        *([_not_over(lines.column("SwapEndDate"), tomorrow)] if lines.has("SwapEndDate") else []),
        _is_order(orders),
        orders.column("Type") == "R",
        _not_over(orders.column("ClosedDate"), tomorrow),
        or_(orders.column("OpenDate").is_(None), orders.column("OpenDate") < tomorrow),
        orders.column("WONo") == lines.column("WONo"),
        _names_unit(lines, units),
    )
    on_rent = exists(select(1).select_from(lines.source, orders.source).where(running).correlate(units.source))
    held = or_(*(unit_status.like(pattern) for pattern in _HELD))

    def count(*conditions: ColumnElement[bool]) -> int:
        return int(ask(dealership, select(func.count()).select_from(units.source).where(in_fleet, *conditions))[0][0])

    total, rented, idle = count(), count(on_rent), count(not_(on_rent), held)
    billed = func.nullif(func.upper(func.ltrim(func.rtrim(orders.column("BillTo")))), "")
    customers = select(func.count(distinct(billed)))
    customers = customers.select_from(units.source, lines.source, orders.source).where(in_fleet, running)
    # As they are spelled, which a database may not tell apart.
    names = [units.column(name) for name in ("ModelGroup", "Model", "Make") if units.has(name)]
    named = ask(dealership, select(units.column("SerialNo"), *names).select_from(units.source).where(in_fleet))
    types = Counter(next((text.strip() for text in row[1:] if text and text.strip()), "unknown") for row in named)
    return {
        "total_units": total,
        "rented_units": rented,
        "maintenance_units": idle,
        "available_units": total - rented - idle,
        "utilization_rate": cents(Decimal(100 * rented) / total) if total else None,
        "active_rental_customers": int(ask(dealership, customers)[0][0]),
        **{f"units_by_type {name}": units_of for name, units_of in types.items()},
    }


def _is_order(orders: FoundTable) -> ColumnElement[bool]:
    """Neither a quote by its disposition nor by its number, which begins with 9."""
    accepted = func.coalesce(orders.column("Disposition"), 0).not_in(_QUOTES)
    return and_(lives(orders), accepted, not_(cast(orders.column("WONo"), String(20)).like("9%")))


def _by_day(
    dealership: Dealership, orders: FoundTable, day: ColumnElement[Any], *there: ColumnElement[Any]
) -> Counter[date]:
    """Orders by a day of theirs; those without it, or without what else must be ``there``, are none."""
    present = [one.is_not(None) for one in (day, *there)]
    days = select(day.label("on_day")).where(_is_order(orders), *present).subquery()
    statement = select(days.c.on_day, func.count()).group_by(days.c.on_day)
    return Counter({row[0]: int(row[1]) for row in ask(dealership, statement)})


def _not_over(column: ColumnElement[Any], tomorrow: datetime) -> ColumnElement[bool]:
    return or_(column.is_(None), column >= tomorrow, column < FIRST_DATE)


def _of_rental(dealership: Dealership, units: FoundTable) -> ColumnElement[bool]:
    """Units of the branches and department numbers, few as these are, that rent."""
    branch, number = units.column("InventoryBranch"), units.column("InventoryDept")
    departments = departments_of(dealership)
    rental = [pair for pair in ask(dealership, select(branch, number).distinct()) if departments.is_rental(*pair)]
    return or_(
        false(), *(and_(branch.is_(None) if one is None else branch == one, number == other) for one, other in rental)
    )


def _names_unit(lines: FoundTable, units: FoundTable) -> ColumnElement[bool]:
    """By serial number; by the unit's own number where the line has no other."""
    by_serial = lines.column("SerialNo") == units.column("SerialNo")
    if not (lines.has("UnitNo") and units.has("UnitNo")):
        return by_serial
    blank = func.ltrim(func.coalesce(lines.column("SerialNo"), "")) == ""
    named = and_(lines.column("UnitNo") == units.column("UnitNo"), func.ltrim(lines.column("UnitNo")) != "")
    return or_(and_(by_serial, not_(blank)), and_(blank, named))
