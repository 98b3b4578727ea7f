"""What is read from QuickBooks Online, as data."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.sources.core.records import Stream


@dataclass(frozen=True)
class EntityStream(Stream):
    """Records of one entity, by query the first time and by change capture afterwards.

    ``name_list`` entities are never deleted, only made inactive, and a query hides inactive ones unless asked.
    """

    entity: str
    name_list: bool = False


@dataclass(frozen=True)
class SettingsStream(Stream):
    """An entity with a single record, queried every time."""

    entity: str


@dataclass(frozen=True)
class ReportStream(Stream):
    """A financial report, landed as one record a month. ``has_basis``: whether it can be asked on cash or accrual."""

    report: str
    has_basis: bool = True


STREAMS: tuple[Stream, ...] = (
    SettingsStream("company_info", "The company: legal name, address, fiscal year start", "CompanyInfo"),
    SettingsStream("preferences", "The company's settings, among them the basis of its reports", "Preferences"),
    EntityStream("account", "Chart of accounts with current balances", "Account", name_list=True),
    EntityStream("customer", "Customers and jobs", "Customer", name_list=True),
    EntityStream("vendor", "Vendors", "Vendor", name_list=True),
    EntityStream("item", "Products and services", "Item", name_list=True),
    EntityStream("invoice", "Invoices with their lines", "Invoice"),
    EntityStream("payment", "Payments received and the invoices they settle", "Payment"),
    EntityStream("bill", "Bills from vendors with their lines", "Bill"),
    EntityStream("bill_payment", "Payments made and the bills they settle", "BillPayment"),
    EntityStream("journal_entry", "Journal entries with their lines", "JournalEntry"),
    EntityStream("purchase", "Expenses paid at once: cash, check, card", "Purchase"),
    EntityStream("deposit", "Bank deposits", "Deposit"),
    ReportStream("profit_and_loss", "Profit and loss by month", "ProfitAndLoss"),
    ReportStream("balance_sheet", "Balance sheet at each month's end", "BalanceSheet"),
    ReportStream("cash_flow", "Statement of cash flows by month", "CashFlow", has_basis=False),
)

ENTITIES: tuple[EntityStream, ...] = tuple(stream for stream in STREAMS if isinstance(stream, EntityStream))
