"""The ledger's balances as Softbase keeps them: per account, field and period, movement and balance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from orchestration.demo.dealer.chart import ACCOUNTS, Account
from orchestration.demo.dealer.dealership import Dealership
from orchestration.demo.dealer.documents import Posting, Records

Row = dict[str, Any]


def ledger_rows(dealership: Dealership, records: Records, today: date) -> Iterator[Row]:
    """Rows of GL: ``Actual`` to the last month posted in, ``Budget`` to the end of the fiscal year of ``today``."""
    by_month: dict[tuple[str, date], list[Posting]] = defaultdict(list)
    for posting in records.postings:
        by_month[posting.account, posting.on.replace(day=1)].append(posting)
    first = dealership.first_day.replace(day=1)
    months = list(_months(first, max((posting.on for posting in records.postings), default=today)))
    results = _results(dealership, by_month, months)
    for account in ACCOUNTS:
        balance = records.opening.get(account.key, 0)
        for month in months:
            posted = by_month.get((account.key, month), [])
            starts = month == dealership.fiscal_start(month) and month != first
            carried = account.kind == "retained" and starts
            if account.in_income_statement and starts:
                balance = 0
            if carried:
                balance += results.get((month - timedelta(days=1)).replace(day=1), 0)
            moved = sum(posting.amount for posting in posted)
            balance += moved
            if posted or carried or month == first or not dealership.sparse_ledger:
                yield _row(dealership, account, "Actual", month, moved, balance, posted)
        yield from _budget(dealership, account, first, today)


def _results(
    dealership: Dealership, by_month: dict[tuple[str, date], list[Posting]], months: list[date]
) -> dict[date, int]:
    """What the fiscal year made until each month, as a credit."""
    results, sofar = {}, 0
    for month in months:
        if month == dealership.fiscal_start(month):
            sofar = 0
        for account in ACCOUNTS:
            if account.in_income_statement:
                sofar += sum(posting.amount for posting in by_month.get((account.key, month), []))
        results[month] = sofar
    return results


def _budget(dealership: Dealership, account: Account, first: date, today: date) -> Iterator[Row]:
    """A plan for the income statement and, as some dealers do, for cash: figures like the actual ones, and wrong."""
    if not account.in_income_statement and account.key != "checking":
        return
    end = dealership.fiscal_start(dealership.fiscal_start(today) + timedelta(days=370)) - timedelta(days=1)
    monthly = (-1 if account.kind == "revenue" else 1) * (int(account.number) % 9_973) * 900
    planned = 0
    for month in _months(first, end):
        planned = monthly if month == dealership.fiscal_start(month) else planned + monthly
        yield _row(dealership, account, "Budget", month, monthly, planned, [])


def _row(
    dealership: Dealership, account: Account, field: str, month: date, moved: int, balance: int, posted: list[Posting]
) -> Row:
    year, number = dealership.period(month)
    last = max(posted, key=lambda posting: (posting.posted, posting.id), default=None)
    effective = max((posting.on for posting in posted), default=None)
    return {
        "AccountNo": account.number,
        "AccountField": field,
        "Year": year,
        "Month": number,
        "YTD": Decimal(balance * 100).scaleb(-4),
        "MTD": Decimal(moved * 100).scaleb(-4),
        "LastTransAmount": Decimal(last.amount * 100).scaleb(-4) if last else None,
        "LastTransDate": last.posted.replace(microsecond=0) if last else None,
        "LastEffectiveDate": datetime.combine(effective, time()) if effective else None,
        "NumberOfTrans": len(posted),
        "LastTransJournal": last.journal if last else None,
    }


def _months(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = (first + timedelta(days=32)).replace(day=1)
