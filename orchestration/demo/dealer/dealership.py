"""What one dealership is like: its size, its calendar, and the quirks of its Softbase views."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

CARD_COLUMNS = ("CreditCardNo", "CreditCardExp", "CreditCardName", "CreditCardCVV")
"""Columns of the customers' view that a reader has no business with."""


@dataclass(frozen=True)
class Dealership:
    """One organization with its Softbase schema.

    orders_per_day
        Work orders opened on a working day, those of rental and equipment not counted.
    fleet, stock, owned
        Rental units, units for sale, and machines of customers on the first day.
    fiscal_periods
        Whether the general ledger's Year and Month are fiscal; calendar ones otherwise. The fiscal year is the same.
    audited
        Whether the views have CreationTime, LastModificationTime, IsDeleted and DeletionTime. Without them a deleted
        row is simply gone.
    sparse_ledger
        Whether a ledger account has no row for a month without movement.
    departments
        Which department numbers the dealership uses: a key of ``chart.DEPARTMENTS``.
    """

    slug: str
    schema: str
    timezone: str = "America/Chicago"
    fiscal_year_start_month: int = 1
    fiscal_periods: bool = True
    audited: bool = True
    sparse_ledger: bool = False
    departments: str = "tens"
    first_day: date = date(2025, 7, 1)
    orders_per_day: float = 2.5
    fleet: int = 24
    stock: int = 6
    owned: int = 30
    customers: int = 25
    sales_tax_bp: int = 688
    first_order: int = 110_000_000

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def fiscal_start(self, day: date) -> date:
        """The first day of the fiscal year that a day lies in."""
        start = date(day.year, self.fiscal_year_start_month, 1)
        return start if start <= day else start.replace(year=day.year - 1)

    def period(self, day: date) -> tuple[int, int]:
        """(Year, Month) of the ledger's rows that a day belongs to; a fiscal year is named after its last month's."""
        if not self.fiscal_periods or self.fiscal_year_start_month == 1:
            return day.year, day.month
        return self.fiscal_start(day).year + 1, (day.month - self.fiscal_year_start_month) % 12 + 1


BENNETT = Dealership(
    "bennett",
    "ten001",
    fiscal_year_start_month=11,
    first_day=date(2023, 11, 1),
    orders_per_day=5.0,
    fleet=110,
    stock=24,
    owned=260,
    customers=140,
)
LAKESIDE = Dealership(
    "lakeside_motors",
    "ten014",
    fiscal_year_start_month=7,
    fiscal_periods=False,
    audited=False,
    sparse_ledger=True,
    departments="ones",
    first_day=date(2025, 9, 1),
    sales_tax_bp=650,
    first_order=40_000,
)
DEALERSHIPS = (BENNETT, LAKESIDE)


def small(dealership: Dealership, **facts: object) -> Dealership:
    """The same dealership with a shorter past and less of everything: for tests that live through many days."""
    few = {"first_day": date(2026, 7, 1), "orders_per_day": 2.0, "fleet": 16, "stock": 4, "owned": 12, "customers": 12}
    return replace(dealership, **(few | facts))  # type: ignore[arg-type]
