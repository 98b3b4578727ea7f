"""Profit and loss, balance sheet and cash flow as the reports API builds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from orchestration.demo.books.balances import Balances
from orchestration.demo.books.chart import Account
from orchestration.demo.ledger import Ledger
from orchestration.demo.quickbooks import periods
from orchestration.demo.quickbooks.labels import Labels
from orchestration.demo.quickbooks.periods import Column, Period
from orchestration.demo.quickbooks.trees import (
    Branch,
    Cells,
    Row,
    account_rows,
    added,
    data_row,
    negated,
    section,
    virtual,
)
from orchestration.demo.quickbooks.wire import PACIFIC, ApiError, invalid_parameter

# Filters the real reports take; here no document bears them, and an unfiltered answer would be a wrong one.
FILTERS = ("customer", "vendor", "class", "department", "item", "employee")
REPORTS = ("ProfitAndLoss", "BalanceSheet", "CashFlow")
DAY = timedelta(days=1)
MAX_CELLS = 400_000
# Groups of each region, in the order its report shows them.
PROFIT_AND_LOSS = {
    "US": (
        *("Income", "COGS", "GrossProfit", "Expenses", "NetOperatingIncome"),
        *("OtherIncome", "OtherExpenses", "NetOtherIncome", "NetIncome"),
    ),
    "CA": ("Income", "COGS", "Expenses", "OtherIncome", "OtherExpenses", "NetIncome"),
    "AU": ("Income", "COGS", "GrossProfit", "OtherIncome", "Expenses", "OtherExpenses", "NetIncome"),
}
GROUP_TYPES = {
    "Income": "Income",
    "COGS": "Cost of Goods Sold",
    "Expenses": "Expense",
    "OtherIncome": "Other Income",
    "OtherExpenses": "Other Expense",
    "BankAccounts": "Bank",
    "AR": "Accounts Receivable",
    "OtherCurrentAssets": "Other Current Asset",
    "FixedAssets": "Fixed Asset",
    "OtherAssets": "Other Asset",
    "AP": "Accounts Payable",
    "CreditCards": "Credit Card",
    "OtherCurrentLiabilities": "Other Current Liability",
    "LongTermLiabilities": "Long Term Liability",
}
ASSETS = (("CurrentAssets", ("BankAccounts", "AR", "OtherCurrentAssets")), "FixedAssets", "OtherAssets")
LIABILITIES = (("CurrentLiabilities", ("AP", "CreditCards", "OtherCurrentLiabilities")), "LongTermLiabilities")


@dataclass(frozen=True)
class Quirks:
    """Ways of answering that differ between companies, regions and what is known of the real service.

    retained_from
        ``fiscal_year``: the balance sheet's net income is the fiscal year's to date; ``start_date``: since the
        request's start date, the rest counts as retained earnings. Equity is the same.
    """

    labels: Labels
    locale: str = "US"
    cash_flow_form: str = "net"
    balance_sheet_total: bool = False
    retained_from: str = "fiscal_year"


class ReportWriter:
    """Writes the reports of one company as of one state of its books."""

    def __init__(self, ledger: Ledger, quirks: Quirks, now: datetime) -> None:
        self.ledger = ledger
        self.company = ledger.company
        self.quirks = quirks
        self.labels = quirks.labels
        self.now = now
        self.accounts: dict[int, Account] = ledger.books.accounts
        self.children: dict[int, list[int]] = {}
        for account in self.accounts.values():
            if account.parent:
                self.children.setdefault(account.parent, []).append(account.id)

    def write(self, name: str, params: Mapping[str, str]) -> dict[str, Any]:
        """A report as an object to be encoded. Raises ApiError for parameters the API refuses."""
        if name not in REPORTS:
            raise ApiError(400, "5020", "Permission Denied Error", f"Unknown report {name}")
        for filtered in FILTERS:
            if filtered in params:
                raise invalid_parameter(filtered, "the stand-in filters no reports")
        today = self.now.astimezone(self.company.zone).date()
        period = periods.requested(params, today, self.company.fiscal_year_start_month)
        summary = params.get("summarize_column_by") or "Total"
        if summary not in periods.SUMMARIES:
            raise invalid_parameter("summarize_column_by", summary)
        basis = self._basis(params) if name != "CashFlow" else "Accrual"
        balances = self.ledger.balances("accrual" if basis == "Accrual" else "cash")
        total = name != "BalanceSheet" or self.quirks.balance_sheet_total
        cut = periods.columns(period, summary, self.labels, total=total)
        if len(cut) * (len(self.accounts) + 10) > MAX_CELLS:
            detail = "Result Set Big Error : Report too large, please customize"
            raise ApiError(400, "10100", "Result Set Big Error", detail)
        build = {
            "ProfitAndLoss": self._profit_and_loss,
            "BalanceSheet": self._balance_sheet,
            "CashFlow": self._cash_flow,
        }
        rows = build[name](balances, period, cut)
        return {
            "Header": self._header(name, basis, period, summary, empty=not rows),
            "Columns": {"Column": [_account_column(), *map(_money_column, cut)]},
            "Rows": {"Row": rows} if rows else {},
        }

    def _basis(self, params: Mapping[str, str]) -> str:
        basis = params.get("accounting_method") or self.company.report_basis
        if basis not in ("Accrual", "Cash"):
            raise invalid_parameter("accounting_method", basis)
        return basis

    def _header(self, name: str, basis: str, period: Period, summary: str, *, empty: bool) -> dict[str, Any]:
        header: dict[str, Any] = {
            "Time": self.now.astimezone(PACIFIC).isoformat(timespec="seconds"),
            "ReportName": name,
        }
        if period.macro:
            header["DateMacro"] = period.macro
        options = [{"Name": "NoReportData", "Value": "true" if empty else "false"}]
        if name != "CashFlow":
            header["ReportBasis"] = basis
            options.insert(0, {"Name": "AccountingStandard", "Value": "GAAP"})
        return header | {
            "StartPeriod": period.first.isoformat(),
            "EndPeriod": period.last.isoformat(),
            "SummarizeColumnsBy": summary,
            "Currency": self.company.currency,
            "Option": options,
        }

    # Profit and loss

    def _profit_and_loss(self, balances: Balances, period: Period, cut: list[Column]) -> list[Row]:
        credit = ("Income", "OtherIncome")
        parts = {
            group: self._accounts_of(
                GROUP_TYPES[group],
                [self._moved(balances, column) for column in cut],
                sign=-1 if group in credit else 1,
            )
            for group in ("Income", "COGS", "Expenses", "OtherIncome", "OtherExpenses")
        }
        if all(part.empty for part in parts.values()):
            return []
        width = len(cut)
        gross = added((parts["Income"].cells, negated(parts["COGS"].cells)), width)
        operating = added((gross, negated(parts["Expenses"].cells)), width)
        other = added((parts["OtherIncome"].cells, negated(parts["OtherExpenses"].cells)), width)
        results = {
            "GrossProfit": gross,
            "NetOperatingIncome": operating,
            "NetOtherIncome": other,
            "NetIncome": added((operating, other), width),
        }
        # Where a company has nothing of a kind its section is missing, except Income, which is shown without rows.
        absent = {group for group, part in parts.items() if part.empty} - {"Income"}
        if {"OtherIncome", "OtherExpenses"} <= absent:
            absent.add("NetOtherIncome")
        rows = []
        for group in PROFIT_AND_LOSS[self.quirks.locale]:
            if group in results and group not in absent:
                rows.append(virtual(self.labels.section(group), results[group], group))
            elif group not in absent:
                rows.append(self._section(group, parts[group]))
        return rows

    # Balance sheet

    def _balance_sheet(self, balances: Balances, period: Period, cut: list[Column]) -> list[Row]:
        standing = [lambda number, last=column.last: balances.at(number, last.toordinal()) for column in cut]
        width = len(cut)
        assets = self._groups(ASSETS, standing, sign=1)
        liabilities = self._groups(LIABILITIES, standing, sign=-1)
        equity = self._equity(balances, period, cut, standing)
        if assets.empty and liabilities.empty and equity.empty:
            return []
        both = Branch(cells=added((liabilities.cells, equity.cells), width))
        if not liabilities.empty:
            both.rows.append(self._section("Liabilities", liabilities))
        both.rows.append(self._section("Equity", equity))
        return [self._section("TotalAssets", assets), self._section("TotalLiabilitiesAndEquity", both)]

    def _equity(self, balances: Balances, period: Period, cut: list[Column], standing: list) -> Branch:
        """Equity accounts, with what was earned before the current fiscal year as retained earnings."""
        retained = self.ledger.books.key["retained"]
        earned, earlier = [], []
        for column in cut:
            if self.quirks.retained_from == "start_date":
                since = period.first
            else:
                since = periods.fiscal_year_start(column.last, self.company.fiscal_year_start_month)
            earned.append(self._profit(balances, since, column.last))
            earlier.append(self._profit(balances, date.min, since - DAY))
        own = self._cells(standing, -1)

        def cells(number: int) -> Cells:
            return added((own(number), earlier), len(cut)) if number == retained else own(number)

        branch = self._account_rows("Equity", cells, len(cut))
        if any(cents is not None for cents in earned):
            branch.rows.append(data_row(self.labels.section("NetIncome"), earned, group="NetIncome"))
            branch.cells = added((branch.cells, earned), len(cut))
        return branch

    def _profit(self, balances: Balances, first: date, last: date) -> int | None:
        """Net income of some days; None where nothing was earned or spent."""
        accounts = (a.id for a in self.accounts.values() if a.facts.statement == "pl")
        moves = (balances.between(number, first.toordinal(), last.toordinal()) for number in accounts)
        return negated(added(([cents] for cents in moves), 1))[0]

    # Cash flow

    def _cash_flow(self, balances: Balances, period: Period, cut: list[Column]) -> list[Row]:
        moved = [self._moved(balances, column) for column in cut]
        width = len(cut)
        income = [self._profit(balances, column.first, column.last) for column in cut]
        parts = {name: self._changes(name, self._cells(moved, -1), width) for name in SECTIONS}
        cash = [account.id for account in self.accounts.values() if account.is_cash]
        before = [self._sum(balances, cash, column.first - DAY) for column in cut]
        after = [self._sum(balances, cash, column.last) for column in cut]
        quiet = all(part.empty for part in parts.values()) and all(cents is None for cents in income)
        if quiet and not any(after):
            return []
        operating = added((income, parts["operating"].cells), width)
        increase = added((operating, parts["investing"].cells, parts["financing"].cells), width)
        rows = [self._operating(income, parts["operating"], operating)]
        rows += [
            self._section(group, parts[name])
            for name, group in (("investing", "InvestingActivities"), ("financing", "FinancingActivities"))
            if not parts[name].empty
        ]
        rows.append(virtual(self.labels.section("CashIncrease"), increase, "CashIncrease"))
        if any(before):
            rows.append(virtual(self.labels.section("BeginningCash"), before, "BeginningCash"))
        return [*rows, virtual(self.labels.section("EndingCash"), after, "EndingCash")]

    def _operating(self, income: Cells, adjustments: Branch, operating: Cells) -> Row:
        """Net income and its adjustments; companies differ in what the section's summary says."""
        net_income = data_row(self.labels.section("NetIncome"), [c or 0 for c in income], group="NetIncome")
        whole = Branch([net_income], operating)
        if self.quirks.cash_flow_form == "net":
            if not adjustments.empty:
                whole.rows.append(self._section("OperatingAdjustments", adjustments))
            return self._section("OperatingActivities", whole)
        if not adjustments.empty:
            inner = self._section("OperatingAdjustments", adjustments)
            del inner["Summary"]
            whole.rows.append(inner)
        whole.cells = adjustments.cells
        label = self.labels.total_of(self.labels.section("OperatingAdjustments"))
        return section(self.labels.section("OperatingActivities"), label, whole, "OperatingActivities")

    def _changes(self, name: str, own: Any, width: int) -> Branch:
        """Changes of the accounts of one section, flat: sub-accounts are named with their parents."""
        branch = Branch(cells=[None] * width)
        for account in self.accounts.values():
            if account.cash_flow == name:
                cells = own(account.id)
                if any(cells):
                    branch.rows.append(data_row(self._full_name(account.id), cells, number=account.id))
                    branch.cells = added((branch.cells, cells), width)
        return branch

    # Parts

    def _moved(self, balances: Balances, column: Column) -> Any:
        first, last = column.first.toordinal(), column.last.toordinal()
        return lambda number: balances.between(number, first, last)

    def _cells(self, readers: list, sign: int) -> Any:
        def cells(number: int) -> Cells:
            row = [read(number) for read in readers]
            return row if sign > 0 else negated(row)

        return cells

    def _accounts_of(self, account_type: str, readers: list, sign: int) -> Branch:
        return self._account_rows(account_type, self._cells(readers, sign), len(readers))

    def _account_rows(self, account_type: str, own: Any, width: int) -> Branch:
        roots = [a.id for a in self.accounts.values() if a.type == account_type and not a.parent]
        # Reports list accounts by number where there are numbers, else by name.
        ordered = {parent: sorted(family, key=self._name) for parent, family in self.children.items()}
        return account_rows(sorted(roots, key=self._name), ordered, own, self._name, self.labels.total_of, width)

    def _groups(self, layout: Iterable[Any], readers: list, sign: int) -> Branch:
        branch = Branch(cells=[None] * len(readers))
        for entry in layout:
            group, inner = (entry, None) if isinstance(entry, str) else entry
            if inner is None:
                part = self._accounts_of(GROUP_TYPES[group], readers, sign)
            else:
                part = self._groups(inner, readers, sign)
            if not part.empty:
                branch.rows.append(self._section(group, part))
                branch.cells = added((branch.cells, part.cells), len(readers))
        return branch

    def _section(self, group: str, part: Branch) -> Row:
        return section(self.labels.section(group), self.labels.total(group), part, group)

    def _sum(self, balances: Balances, accounts: list[int], day: date) -> int | None:
        return added(([balances.at(number, day.toordinal())] for number in accounts), 1)[0]

    def _name(self, number: int) -> str:
        account = self.accounts[number]
        return f"{account.number} {account.name}" if account.number else account.name

    def _full_name(self, number: int) -> str:
        account = self.accounts[number]
        own = self._name(number)
        return f"{self._full_name(account.parent)}:{own}" if account.parent else own


SECTIONS = ("operating", "investing", "financing")


def _account_column() -> dict[str, Any]:
    return {"ColTitle": "", "ColType": "Account", "MetaData": [{"Name": "ColKey", "Value": "account"}]}


def _money_column(column: Column) -> dict[str, Any]:
    metadata = [{"Name": "ColKey", "Value": column.key or "total"}]
    if column.key is not None:
        metadata = [
            {"Name": "StartDate", "Value": column.first.isoformat()},
            {"Name": "EndDate", "Value": column.last.isoformat()},
            *metadata,
        ]
    return {"ColTitle": column.title, "ColType": "Money", "MetaData": metadata}
