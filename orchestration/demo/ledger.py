"""A demo company's ledger at the end of any day, and the truth of its every month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from orchestration.demo.books import postings
from orchestration.demo.books.balances import Balances
from orchestration.demo.books.bookkeeper import Bookkeeper
from orchestration.demo.books.company import Company
from orchestration.demo.books.documents import Books
from orchestration.demo.books.postings import Posting
from orchestration.demo.world import World

Basis = Literal["accrual", "cash"]


class Ledger:
    """The books of ``company`` in ``world``, up to and including the day ``until`` (default: as its clock has it)."""

    def __init__(self, company: Company, world: World, until: date | None = None) -> None:
        self.company = company
        self._keeper = Bookkeeper(company, world)
        self._next_day = company.books_start
        self._kept: dict[Basis, tuple[int, list[Posting], Balances]] = {}
        self.continue_until(world.last_day(company.zone) if until is None else until)

    @property
    def books(self) -> Books:
        return self._keeper.books

    @property
    def keeper(self) -> Bookkeeper:
        return self._keeper

    @property
    def last_day(self) -> date:
        """The last day that is in the books."""
        return self._next_day - timedelta(days=1)

    def continue_until(self, day: date) -> None:
        """Keep the books up to and including ``day``; an earlier day changes nothing."""
        while self._next_day <= day:
            self._keeper.work(self._next_day)
            self._next_day += timedelta(days=1)

    def postings(self, basis: Basis) -> list[Posting]:
        """All postings on a basis; those of every document add up to zero."""
        return self._computed(basis)[1]

    def balances(self, basis: Basis) -> Balances:
        """The same postings, ready to be summed between days."""
        return self._computed(basis)[2]

    def month_totals(self, basis: Basis) -> dict[tuple[int, int], dict[str, Decimal]]:
        """Figures by (year, month) from the first month of the books to the last, straight from the postings.

        Flows are those of the month: income, cogs, gross_profit, expenses, other_income, other_expenses, net_income,
        total_revenue (income and other income), total_expenses (cogs, expenses and other expenses), and from the
        cash flow statement, which has no basis of its own and follows accrual, operating_cash_flow,
        investing_cash_flow, financing_cash_flow, cash_increase. Balances are those at its end: total_assets,
        total_liabilities, total_equity, cash_balance (bank accounts), ending_cash (with undeposited funds),
        accounts_receivable, accounts_payable. Exact, in units of the company's currency.
        """
        accounts = self.books.accounts
        own = _by_month(self.postings(basis))
        accrual = _by_month(self.postings("accrual"))
        standing: dict[int, int] = dict.fromkeys(accounts, 0)
        totals = {}
        for month in _months(self.company.books_start, self.last_day):
            moves = own.get(month, {})
            for account, cents in moves.items():
                standing[account] += cents
            flow = {key: 0 for key in ("operating", "investing", "financing")}
            cash_increase = 0
            for account, cents in accrual.get(month, {}).items():
                facts = accounts[account]
                if facts.is_cash:
                    cash_increase += cents
                else:
                    flow[facts.cash_flow or "operating"] -= cents
            figures = _figures(accounts, moves, standing)
            figures |= {f"{key}_cash_flow": cents for key, cents in flow.items()} | {"cash_increase": cash_increase}
            totals[month] = {key: Decimal(cents).scaleb(-2) for key, cents in figures.items()}
        return totals

    def _computed(self, basis: Basis) -> tuple[int, list[Posting], Balances]:
        kept = self._kept.get(basis)
        if kept is None or kept[0] != self.books.version:
            listed = list(postings.accrual(self.books) if basis == "accrual" else postings.cash(self.books))
            kept = self._kept[basis] = (self.books.version, listed, Balances(listed))
        return kept


def _by_month(listed: Iterable[Posting]) -> dict[tuple[int, int], dict[int, int]]:
    months: dict[tuple[int, int], dict[int, int]] = {}
    for posting in listed:
        day = date.fromordinal(posting.day)
        sums = months.setdefault((day.year, day.month), {})
        sums[posting.account] = sums.get(posting.account, 0) + posting.cents
    return months


def _months(first: date, last: date) -> Iterator[tuple[int, int]]:
    month = (first.year, first.month)
    while month <= (last.year, last.month):
        yield month
        month = (month[0] + month[1] // 12, month[1] % 12 + 1)


def _figures(accounts: dict, moves: dict[int, int], standing: dict[int, int]) -> dict[str, int]:
    def moved(account_type: str) -> int:
        return sum(cents for number, cents in moves.items() if accounts[number].type == account_type)

    def stands(**facts: object) -> int:
        return sum(
            cents
            for number, cents in standing.items()
            if all(getattr(accounts[number], name, None) == value for name, value in facts.items())
        )

    income, other_income = -moved("Income"), -moved("Other Income")
    cogs, expenses, other_expenses = moved("Cost of Goods Sold"), moved("Expense"), moved("Other Expense")
    classified = {
        name: sum(cents for number, cents in standing.items() if accounts[number].facts.classification == name)
        for name in ("Asset", "Liability")
    }
    return {
        "income": income,
        "cogs": cogs,
        "gross_profit": income - cogs,
        "expenses": expenses,
        "other_income": other_income,
        "other_expenses": other_expenses,
        "net_income": income + other_income - cogs - expenses - other_expenses,
        "total_revenue": income + other_income,
        "total_expenses": cogs + expenses + other_expenses,
        "total_assets": classified["Asset"],
        "total_liabilities": -classified["Liability"],
        "total_equity": -sum(
            cents for number, cents in standing.items() if accounts[number].facts.classification not in classified
        ),
        "cash_balance": stands(type="Bank"),
        "ending_cash": stands(is_cash=True),
        "accounts_receivable": stands(type="Accounts Receivable"),
        "accounts_payable": -stands(type="Accounts Payable"),
    }
