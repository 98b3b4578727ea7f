"""What the marts must show of a dealership, from its own documents and postings.

The rules of docs/sources/softbase.md, written down a second time on purpose: nothing here is shared with what extracts,
loads or builds, and no table of the source is looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from orchestration.demo.dealer.chart import BY_KEY
from orchestration.demo.dealer.dealership import Dealership
from orchestration.demo.dealer.documents import Machine, Records

DEPARTMENTS = ("service", "parts", "rental", "sales")
WARNING_LIMIT = Decimal(-50_000)
Value = Decimal | int | None


@dataclass(frozen=True)
class Day:
    """A day of sales: figures by column of mart_sales_daily, without those that name the day."""

    sales_date: date
    figures: dict[str, Value]


@dataclass(frozen=True)
class Fleet:
    """The rental fleet at the end of what has been lived: figures by column of mart_rental_fleet.

    units_by_type, revenue_by_type
        By model group, or model where there is none; revenue is that of the fiscal year to date.
    """

    snapshot_date: date
    figures: dict[str, Value]
    units_by_type: dict[str, int]
    revenue_by_type: dict[str, Decimal]


@dataclass(frozen=True)
class Month:
    """A month of cash: figures by column of mart_cash_flow, and what its flows consist of.

    parts
        net_income, depreciation, other_working_capital, fixed_assets, debt, equity: what each adds to cash.
    """

    period_end: date
    figures: dict[str, Value]
    health_status: str
    parts: dict[str, Decimal]


def sales_days(records: Records, until: date) -> list[Day]:
    """Every day from the first invoice's to ``until``.

    Revenue: taxable and untaxed amounts of the invoices dated that day that were not deleted; credits are negative
    ones. The total counts all of them, a department those whose code is assigned to it. Open orders: opened on that
    day or before and not closed by its end, as the records are now. Quotes and deleted orders are no orders.
    """
    revenue: dict[date, Counter[str]] = defaultdict(Counter)
    invoices: dict[date, Counter[str]] = defaultdict(Counter)
    for invoice in records.invoices.values():
        if invoice.lives:
            day = invoice.date.date()
            for name in ("total", *((invoice.department,) if invoice.department else ())):
                revenue[day][name] += invoice.revenue
                invoices[day][name] += 1
    opened: Counter[date] = Counter()
    closed: Counter[date] = Counter()
    for order in records.orders.values():
        if order.lives and not order.is_quote:
            opened[order.opened.date()] += 1
            if order.closed is not None:
                closed[order.closed.date()] += 1
    if not revenue:
        return []
    first, days = min(revenue), []
    standing = sum(count for day, count in opened.items() if day < first)
    standing -= sum(count for day, count in closed.items() if day < first)
    for day in _days(first, until):
        standing += opened[day] - closed[day]
        figures: dict[str, Value] = {}
        for name in (*DEPARTMENTS, "total"):
            figures[f"{name}_revenue"] = _amount(revenue[day][name])
            figures[f"{name}_invoices"] = invoices[day][name]
        days.append(Day(day, figures | {"open_work_orders": standing, "closed_work_orders": closed[day]}))
    return days


def fleet(dealership: Dealership, records: Records, today: date) -> Fleet:
    """The fleet as it stands. ``today``: the dealership's date, which the snapshot carries.

    Units of the rental department that are neither a customer's nor sold nor deleted. Rented: on a running rental
    order, and not swapped out. Held back: said to be on hold or in repair, while not rented. Revenue is that of rental
    invoices as of a day of sales; by type it is what was billed for each unit.
    """
    held_by = records.on_rent()
    units = [machine for machine in records.machines.values() if machine.place == "rental" and machine.lives]
    rented = [machine for machine in units if machine.serial in held_by]
    idle = [machine for machine in units if machine.serial not in held_by]
    held_back = [machine for machine in idle if _is_held_back(machine)]
    start = dealership.fiscal_start(today)
    billed: Counter[str] = Counter()
    for invoice in records.invoices.values():
        day = invoice.date.date()
        if invoice.lives and invoice.department == "rental" and start <= day <= today:
            billed["year"] += invoice.revenue
            billed["month"] += invoice.revenue if day >= today.replace(day=1) else 0
    by_type: Counter[str] = Counter()
    for (serial, year, month), (_, cents) in records.history.items():
        if start <= date(year, month, 1) <= today:
            by_type[_type(records.machines.get(serial))] += cents
    figures: dict[str, Value] = {
        "total_units": len(units),
        "available_units": len(idle) - len(held_back),
        "rented_units": len(rented),
        "maintenance_units": len(held_back),
        "utilization_rate": _rounded(Decimal(100 * len(rented)) / len(units)) if units else None,
        "rental_revenue_mtd": _amount(billed["month"]),
        "rental_revenue_ytd": _amount(billed["year"]),
        "active_rental_customers": len({held_by[machine.serial].customer for machine in rented}),
    }
    revenue = {kind: _amount(cents) for kind, cents in by_type.items()}
    return Fleet(today, figures, dict(Counter(map(_type, units))), revenue)


def cash_months(dealership: Dealership, records: Records) -> list[Month]:
    """Every month from the dealership's first to the last posted in, from what was posted with effect in it.

    Of the first month nothing but the balance is known: how it began can't be told.

    Debits are positive. What an account takes up is what cash gives; so each flow is the negative of its accounts'
    movement, and the flows add up to the movement of cash.
    """
    moved: dict[date, Counter[str]] = defaultdict(Counter)
    for posting in records.postings:
        moved[posting.on.replace(day=1)][BY_KEY[posting.account].kind] += posting.amount
    cash = sum(cents for key, cents in records.opening.items() if BY_KEY[key].kind == "cash")
    months = []
    for first in _months(dealership.first_day.replace(day=1), max(moved)):
        by_kind = moved[first]
        cash += by_kind["cash"]
        net_income = -(by_kind["revenue"] + by_kind["cogs"] + by_kind["expense"])
        parts = {
            "net_income": net_income,
            "depreciation": -by_kind["depreciation"],
            "other_working_capital": -by_kind["other"],
            "fixed_assets": -by_kind["fixed"],
            "debt": -by_kind["debt"],
            "equity": -(by_kind["equity"] + by_kind["retained"]),
        }
        receivable, inventory, payable = by_kind["receivable"], by_kind["inventory"], -by_kind["payable"]
        operating = net_income + parts["depreciation"] - receivable - inventory + payable
        operating += parts["other_working_capital"]
        figures = {
            "cash_balance": cash,
            "cash_change_mtd": by_kind["cash"],
            "operating_cash_flow": operating,
            "ar_change": receivable,
            "inventory_change": inventory,
            "ap_change": payable,
            "investing_cash_flow": parts["fixed_assets"],
            "financing_cash_flow": parts["debt"] + parts["equity"],
        }
        known = None if not months else _amount(operating)
        shown = {name: _amount(cents) for name, cents in figures.items() if months or name == "cash_balance"}
        months.append(
            Month(
                _next_month(first) - timedelta(days=1),
                dict.fromkeys(figures) | shown,
                health(known),
                {name: _amount(cents) for name, cents in parts.items()},
            )
        )
    return months


def health(operating: Decimal | None) -> str:
    """How a month's operating cash flow is judged."""
    if operating is None:
        return "unknown"
    if operating > 0:
        return "healthy"
    return "warning" if operating > WARNING_LIMIT else "critical"


def _is_held_back(machine: Machine) -> bool:
    status = machine.status.strip().lower()
    return status.startswith("hold") or "repair" in status


def _type(machine: Machine | None) -> str:
    return (machine.group or machine.model if machine is not None else None) or "unknown"


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)


def _months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = _next_month(first)


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _amount(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2).quantize(Decimal("0.01"))


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.01"), ROUND_HALF_UP)
