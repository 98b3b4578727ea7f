"""What a dealership's rental department billed, added up by its own database.

Which code or title means rental is the warehouse's say (``seeds/reference``) and read from there; which invoices that
makes rental ones is worked out here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from orchestration.sources.core.records import Session
from orchestration.sources.softbase.asking import Figures, ask, cents, dealership_of, view
from orchestration.sources.softbase.session import Dealership
from orchestration.sources.softbase.verified_accounts import key
from orchestration.sources.softbase.verified_departments import RENTAL, departments_of, seed_rows
from orchestration.sources.softbase.verify import invoiced


def rent_figures(session: Session, day: date, fiscal_year_start_month: int) -> Figures:
    """Rental revenue of the month and of the fiscal year that a day is in, up to it, as mart_rental_fleet has them.

    None where the connection's ``start_date`` leaves out a part of it.
    """
    dealership = dealership_of(session)
    year = day.year - (day.month < fiscal_year_start_month)
    begins = {
        "rental_revenue_mtd": day.replace(day=1),
        "rental_revenue_ytd": date(year, fiscal_year_start_month, 1),
    }
    is_rental = _rental(dealership)
    read_from = dealership.connection.start_date or date.min

    def billed(first: date) -> Decimal:
        return sum((amount for *sold, amount in _billed(dealership, first, day) if is_rental(*sold)), Decimal(0))

    return {name: None if first < read_from else cents(billed(first)) for name, first in begins.items()}


def _billed(dealership: Dealership, first: date, last: date) -> list[tuple[Any, ...]]:
    """Revenue by code, branch and department that it was sold under."""
    invoices, orders = view(dealership, "invoice_reg"), view(dealership, "wo")
    revenue, counts = invoiced(invoices, orders)
    sold = [invoices.column(name) for name in ("SaleCode", "SaleBranch", "SaleDept") if invoices.has(name)]
    on = invoices.column("InvoiceDate")
    days = (on >= datetime.combine(first, time()), on < datetime.combine(last + timedelta(days=1), time()))
    rows = ask(dealership, select(*sold, revenue).where(counts, *days).group_by(*sold))
    return [(*row[:-1], *[None] * (4 - len(row)), Decimal(row[-1] or 0)) for row in rows]


def _rental(dealership: Dealership) -> Callable[[Any, Any, Any], bool]:
    """Whether what was sold by a code, branch and department is rental: the code goes before the department."""
    rows = seed_rows("softbase_sale_codes", dealership.organization)
    codes = {key(row["sale_code"]): row["department"] for row in rows}
    departments = departments_of(dealership)

    def is_rental(code: Any, branch: Any, number: Any) -> bool:
        return codes[key(code)] == RENTAL if codes.get(key(code)) else departments.is_rental(branch, number)

    return is_rental
