"""What one demo company is like: facts its books are generated from and quirks of its QuickBooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Company:
    """One organization with its QuickBooks company. Amounts in cents.

    books_start
        Day of the opening entry. The connection's ``start_date`` may be later (history exists before it) or
        earlier (months without any data).
    quiet_months
        Calendar months in which nothing at all is booked.
    soft_launch
        The first month sells for cents while costs are normal: its margin fits no percentage column.
    locale
        QuickBooks region: decides which report groups exist and their order.
    cash_flow_form
        ``net``: the operating section's summary is net operating cash; ``adjustments``: it repeats the
        adjustments alone and they have no summary of their own, as in Intuit's own sample; ``ungrouped``: net
        income has no group, the adjustments no summary, and the group of financing is misspelt, as in an older report.
    """

    org_id: int
    slug: str
    name: str
    realm_id: str
    timezone: str = "America/Chicago"
    currency: str = "USD"
    country: str = "US"
    fiscal_year_start_month: int = 1
    industry: str = "42"
    accounting_method: str = "Accrual"
    report_basis: str = "Accrual"
    books_start: date = date(2025, 1, 1)
    start_date: date = date(2025, 1, 1)
    invoices_per_month: float = 8.0
    typical_line: int = 120_000
    sells_goods: bool = True
    other_income: bool = True
    sales_tax_bp: int = 0
    prepayments: bool = False
    quiet_months: frozenset[int] = field(default_factory=frozenset)
    soft_launch: bool = False
    dormant: bool = False
    restatements_per_month: float = 2.0
    language: str = "en"
    account_numbers: bool = False
    locale: str = "US"
    cash_flow_form: str = "net"
    balance_sheet_total: bool = False
    renamed_sections: tuple[tuple[str, str], ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def monthly_revenue(self) -> int:
        """Cents an average month sells for: what costs are scaled by."""
        lines_at_price = 3.1 if self.sells_goods else 1.5
        return int(self.invoices_per_month * lines_at_price * self.typical_line)
