"""The rows of a balance sheet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from orchestration.demo.quickbooks.periods import fiscal_year_start
from orchestration.demo.quickbooks.statements import DAY, Statement
from orchestration.demo.quickbooks.trees import Branch, Cells, Row, added, data_row, negated

TYPES = {
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


def balance_sheet(statement: Statement) -> list[Row]:
    """Assets, then liabilities and equity, at the end of every column; none where nothing was ever posted."""
    assets = _groups(statement, ASSETS, sign=1)
    liabilities = _groups(statement, LIABILITIES, sign=-1)
    equity = _equity(statement)
    if assets.empty and liabilities.empty and equity.empty:
        return []
    both = Branch(cells=added((liabilities.cells, equity.cells), statement.width))
    if not liabilities.empty:
        both.rows.append(statement.section("Liabilities", liabilities))
    both.rows.append(statement.section("Equity", equity))
    return [statement.section("TotalAssets", assets), statement.section("TotalLiabilitiesAndEquity", both)]


def _groups(statement: Statement, layout: Iterable[Any], sign: int) -> Branch:
    """Nested groups of accounts; those a company has no balance in are missing."""

    def balance(account: int) -> Cells:
        cells = statement.standing(account)
        return cells if sign > 0 else negated(cells)

    branch = Branch(cells=[None] * statement.width)
    for entry in layout:
        if isinstance(entry, str):
            group, part = entry, statement.accounts_of(TYPES[entry], balance)
        else:
            group, part = entry[0], _groups(statement, entry[1], sign)
        if not part.empty:
            branch.rows.append(statement.section(group, part))
            branch.cells = added((branch.cells, part.cells), statement.width)
    return branch


def _equity(statement: Statement) -> Branch:
    """Equity accounts, with what was earned before the current fiscal year as retained earnings."""
    retained = statement.ledger.books.key["retained"]
    earned, earlier = [], []
    for column in statement.columns:
        if statement.quirks.retained_from == "start_date":
            since = statement.period.first
        else:
            since = fiscal_year_start(column.last, statement.company.fiscal_year_start_month)
        earned.append(statement.profit(since, column.last))
        earlier.append(statement.profit(date.min, since - DAY))

    def balance(account: int) -> Cells:
        own = negated(statement.standing(account))
        return added((own, earlier), statement.width) if account == retained else own

    branch = statement.accounts_of("Equity", balance)
    if any(cents is not None for cents in earned):
        branch.rows.append(data_row(statement.labels.section("NetIncome"), earned, group="NetIncome"))
        branch.cells = added((branch.cells, earned), statement.width)
    return branch
