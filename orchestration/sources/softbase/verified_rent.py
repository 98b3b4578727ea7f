"""What a dealership's rental department billed, added up by its own database.

Which code or title means rental is the warehouse's say (``seeds/reference``) and read from there; which invoices that
makes rental ones is worked out here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from orchestration.sources.core.records import Session
from orchestration.sources.core.sql_tables import FoundTable
from orchestration.sources.softbase.asking import Figures, ask, cents, dealership_of, lives, view
from orchestration.sources.softbase.session import Dealership
from orchestration.sources.softbase.verified_accounts import SEEDS, key
from orchestration.sources.softbase.verify import invoiced

_RENTAL = "rental"


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
    codes = {key(row["sale_code"]): row["department"] for row in _rows("softbase_sale_codes", dealership.organization)}
    by_branch = _departments(dealership, view(dealership, "dept"))

    def is_rental(code: Any, branch: Any, number: Any) -> bool:
        if codes.get(key(code)):
            return codes[key(code)] == _RENTAL
        if (_text(branch), _text(number)) in by_branch:
            return by_branch[_text(branch), _text(number)] == _RENTAL
        elsewhere = {department for (_, other), department in by_branch.items() if other == _text(number)}
        return number is not None and elsewhere == {_RENTAL}

    return is_rental


def _departments(dealership: Dealership, depts: FoundTable) -> dict[tuple[str, str], str | None]:
    """By branch and number: the organization's word on the number, else the first rule whose word is in the title."""
    rows = _rows("softbase_departments", dealership.organization)
    numbers = {row["pattern"]: row["department"] for row in rows if row["match_on"] == "number" and _is_own(row)}
    titles = [row for row in rows if row["match_on"] == "title"]
    titles.sort(key=lambda row: (not _is_own(row), int(row["priority"]), row["pattern"]))
    found: dict[tuple[str, str], str | None] = {}
    named = select(*(depts.column(name) for name in ("Branch", "Dept", "Title"))).where(lives(depts))
    for branch, number, title in ask(dealership, named):
        words = str(title or "").lower()
        by_title = (row["department"] for row in titles if re.search(rf"\b{row['pattern']}", words))
        found[_text(branch), _text(number)] = numbers.get(_text(number)) or next(by_title, None)
    return found


def _rows(seed: str, organization: str) -> list[dict[str, str]]:
    """Rows of a seed that hold for everybody, and behind them the organization's own."""
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["org_slug"] in ("*", organization)]
    return sorted(rows, key=_is_own)


def _is_own(row: dict[str, str]) -> bool:
    return row["org_slug"] != "*"


def _text(number: Any) -> str:
    return "" if number is None else str(number).strip()
