"""What all three financial statements are made of: accounts by type over the columns of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.demo.books.chart import Account
from orchestration.demo.ledger import Basis, Ledger
from orchestration.demo.quickbooks.labels import Labels
from orchestration.demo.quickbooks.periods import Column, Period
from orchestration.demo.quickbooks.trees import Branch, Cells, Row, account_rows, added, section, virtual

DAY = timedelta(days=1)


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


class Statement:
    """The figures of one request: a ledger's postings on a basis, cut into columns."""

    def __init__(self, ledger: Ledger, basis: Basis, quirks: Quirks, period: Period, columns: list[Column]) -> None:
        self.ledger = ledger
        self.company = ledger.company
        self.quirks = quirks
        self.labels = quirks.labels
        self.period = period
        self.columns = columns
        self.balances = ledger.balances(basis)
        self.accounts: dict[int, Account] = ledger.books.accounts
        self._families: dict[int, list[int]] = {}
        # Reports list accounts by number where there are numbers, else by name.
        for account in sorted(self.accounts.values(), key=lambda account: self.name(account.id)):
            self._families.setdefault(account.parent, []).append(account.id)

    @property
    def width(self) -> int:
        return len(self.columns)

    # Figures, debits positive; None where nothing was posted

    def moved(self, account: int) -> Cells:
        """What was posted to an account in every column."""
        bounds = ((column.first.toordinal(), column.last.toordinal()) for column in self.columns)
        return [self.balances.between(account, first, last) for first, last in bounds]

    def standing(self, account: int) -> Cells:
        """An account's balance at the end of every column."""
        return [self.balances.at(account, column.last.toordinal()) for column in self.columns]

    def profit(self, first: date, last: date) -> int | None:
        """Net income of some days, positive where something was earned."""
        accounts = (a.id for a in self.accounts.values() if a.facts.statement == "pl")
        moves = added(([self.balances.between(a, first.toordinal(), last.toordinal())] for a in accounts), 1)[0]
        return None if moves is None else -moves

    def cash_at(self, day: date) -> int | None:
        """Bank accounts and undeposited funds at the end of a day."""
        cash = (account.id for account in self.accounts.values() if account.is_cash)
        return added(([self.balances.at(account, day.toordinal())] for account in cash), 1)[0]

    # Rows

    def accounts_of(self, account_type: str, own: Callable[[int], Cells]) -> Branch:
        """All accounts of a type with sub-accounts below their parents; ``own`` gives an account's own amounts."""
        roots = [number for number in self._families.get(0, ()) if self.accounts[number].type == account_type]
        return account_rows(roots, self._families, own, self.name, self.labels.total_of, self.width)

    def section(self, group: str, part: Branch) -> Row:
        return section(self.labels.section(group), self.labels.total(group), part, group)

    def result(self, group: str, cells: Cells) -> Row:
        """A row that is nothing but a result, such as gross profit."""
        return virtual(self.labels.section(group), cells, group)

    def name(self, number: int) -> str:
        account = self.accounts[number]
        return f"{account.number} {account.name}" if account.number else account.name

    def full_name(self, number: int) -> str:
        """An account's name with its parents', as flat lists show it."""
        parent = self.accounts[number].parent
        return f"{self.full_name(parent)}:{self.name(number)}" if parent else self.name(number)
