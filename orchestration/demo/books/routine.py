"""What the calendar brings, busy or not: payroll, rent, loan, depreciation, taxes, what owners put in and take out."""

from __future__ import annotations

from calendar import monthrange
from typing import TYPE_CHECKING

from orchestration.demo.books.documents import Line

if TYPE_CHECKING:
    from orchestration.demo.books.bookkeeper import Bookkeeper


def opening_entry(keeper: Bookkeeper) -> None:
    """What the company owned and owed on its first day."""
    revenue = keeper.company.monthly_revenue
    assets = {"checking": revenue * 3, "savings": revenue, "vehicles_cost": revenue, "equipment": revenue // 2}
    lines = [Line(keeper.account(key), cents) for key, cents in assets.items()]
    lines.append(Line(keeper.account("loan"), -revenue * 2))
    lines.append(Line(keeper.account("opening"), -sum(line.cents for line in lines)))
    keeper.enter("JournalEntry", lines=lines, note="Opening balances")


def keep_calendar(keeper: Bookkeeper) -> None:
    """What falls due today, weekend or not."""
    today = keeper.today
    day, last = today.day, monthrange(today.year, today.month)[1]
    if day in (15, last):
        _payroll(keeper)
    if day == 1:
        _check(keeper, {"rent": keeper.share(250)}, "Rent")
    if day == 5:
        _journal(keeper, {"insurance": keeper.share(60)}, "prepaid_insurance", "Insurance of the month")
    if day == 10 and today.month % 6 == 1:
        _check(keeper, {"prepaid_insurance": keeper.share(360)}, "Insurance, half a year")
    if day == 12 and today.month in (3, 9):
        _outlays(keeper)
    if day == 20:
        _check(keeper, {"loan": keeper.share(120), "interest_paid": keeper.share(20)}, "Loan instalment")
        _settle(keeper, "sales_tax", "Sales tax return")
    if day == 25:
        _settle(keeper, "card", "Card balance")
    if day == 28 and today.month % 3 == 0:
        _check(keeper, {"draws": keeper.share(150)}, "Draw")
    if day == last:
        _journal(keeper, {"depreciation": keeper.share(80)}, "vehicles_depreciation", "Depreciation")
        if keeper.company.other_income:
            _receive(keeper, "savings", {"interest": keeper.share(4)}, "Interest")


def _payroll(keeper: Bookkeeper) -> None:
    wages = keeper.share(700 if keeper.company.sells_goods else 2_300)
    costs = {"wages": wages, "payroll_taxes": wages // 12, "payroll": wages // 40}
    withheld, due = wages // 7, wages // 20
    lines = [Line(keeper.account(key), cents) for key, cents in costs.items()]
    lines.append(Line(keeper.account("payroll_due_federal"), -withheld))
    lines.append(Line(keeper.account("payroll_due"), -due))
    lines.append(Line(keeper.account("checking"), -sum(line.cents for line in lines)))
    keeper.enter("JournalEntry", lines=[line for line in lines if line.cents], note="Payroll")
    if keeper.today.day == 15:
        _settle(keeper, "payroll_due_federal", "Payroll taxes")
        _settle(keeper, "payroll_due", "Payroll liabilities")


def _outlays(keeper: Bookkeeper) -> None:
    """Things that last, and the owner's money for them."""
    bought = {"vehicles": keeper.share(300), "equipment": keeper.share(500), "deposits_paid": 50_000}
    _check(keeper, bought, "Outlays")
    _receive(keeper, "checking", {"owner": keeper.share(600)}, "Paid in")


def _check(keeper: Bookkeeper, parts: dict[str, int], note: str) -> None:
    lines = [Line(keeper.account(key), cents) for key, cents in parts.items()]
    vendor = min(keeper.books.vendors)
    keeper.enter("Purchase", party=vendor, account=keeper.account("checking"), lines=lines, method="Check", note=note)


def _receive(keeper: Bookkeeper, bank: str, parts: dict[str, int], description: str) -> None:
    lines = [Line(keeper.account(key), cents, 0, description) for key, cents in parts.items()]
    keeper.enter("Deposit", account=keeper.account(bank), lines=lines)


def _journal(keeper: Bookkeeper, debits: dict[str, int], credit: str, note: str) -> None:
    lines = [Line(keeper.account(key), cents) for key, cents in debits.items()]
    lines.append(Line(keeper.account(credit), -sum(debits.values())))
    keeper.enter("JournalEntry", lines=lines, note=note)


def _settle(keeper: Bookkeeper, key: str, note: str) -> None:
    """Pay what stands in a liability account from checking."""
    owed = -keeper.books.running[keeper.account(key)]
    if owed > 0:
        _check(keeper, {key: owed}, note)
