"""A dealership's cash by month as its own database adds it up."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, true

from orchestration.sources.core.records import Session
from orchestration.sources.core.sql_tables import FoundTable
from orchestration.sources.softbase.asking import Figures, ask, cents, day_of, dealership_of, lives, today, view
from orchestration.sources.softbase.session import Dealership


def tells_cash(session: Session) -> bool:
    """Whether the ledger can be asked for ``cash_figures``: its rows say which months they are of."""
    dealership = dealership_of(session)
    ledger = view(dealership, "gl")
    rows = select(func.count()).select_from(ledger.source).where(_actual(ledger))
    return _months_ahead(dealership, ledger) is not None or not ask(dealership, rows)[0][0]


def cash_figures(session: Session) -> dict[date, Figures]:
    """Balance and movement of cash by the last day of each month of the ledger, up to this month.

    Cash is what the chart flags; where it flags nothing, and of accounts that it does not have, numbers beginning with
    11. Empty where ``tells_cash`` is false.
    """
    dealership = dealership_of(session)
    ledger, chart = view(dealership, "gl"), view(dealership, "chart_of_accounts")
    ahead = _months_ahead(dealership, ledger)
    if ahead is None:
        return {}
    year, month, account = ledger.column("Year"), ledger.column("Month"), ledger.column("AccountNo")
    actual, cash = _actual(ledger), _is_cash(dealership, ledger, chart)
    begun = select(account.label("account"), func.min(year * 100 + month).label("first")).where(actual, cash)
    accounts = begun.group_by(account).subquery()
    # What stood on an account before its first row.
    opening = select(func.sum(ledger.column("YTD") - ledger.column("MTD"))).where(
        actual, accounts.c.first == year * 100 + month, accounts.c.account == account
    )
    balance: Decimal | None = ask(dealership, opening)[0][0]
    movements = select(year, month, func.sum(ledger.column("MTD"))).where(actual, cash).group_by(year, month)
    moved = {_month(row[0], row[1], ahead): Decimal(row[2] or 0) for row in ask(dealership, movements)}
    periods = ask(dealership, select(year, month).where(actual).group_by(year, month))
    figures: dict[date, Figures] = {}
    now = today(dealership)
    for first in sorted(_month(row[0], row[1], ahead) for row in periods):
        if first > now:
            break
        change = moved.get(first, Decimal(0))
        balance = None if balance is None else balance + change
        # Of a month without one before it no change is known, of no account no balance.
        known = balance is not None and first - timedelta(days=1) in figures
        figures[_month_end(first)] = {
            "cash_balance": None if balance is None else cents(balance),
            "cash_change_mtd": cents(change) if known else None,
        }
    return figures


def _actual(ledger: FoundTable) -> ColumnElement[bool]:
    return and_(ledger.column("AccountField") == "Actual", ledger.column("Month").between(1, 12), lives(ledger))


def _is_cash(dealership: Dealership, ledger: FoundTable, chart: FoundTable) -> ColumnElement[bool]:
    numbered = ledger.column("AccountNo").like("11%")
    if not chart.has("CashAccount"):
        return numbered
    flagged = and_(lives(chart), chart.column("CashAccount") == true())
    if not ask(dealership, select(func.count()).select_from(chart.source).where(flagged))[0][0]:
        return numbered
    same = chart.column("AccountNo") == ledger.column("AccountNo")
    return or_(exists().where(same, flagged), and_(numbered, not_(exists().where(same, lives(chart)))))


def _months_ahead(dealership: Dealership, ledger: FoundTable) -> int | None:
    """How many months of the calendar lie between what rows say as Year and Month and what they are of.

    Most rows had their last entry in their own month. None: nothing tells.
    """
    if dealership.connection.gl_calendar == "calendar":
        return 0
    dates = [day_of(ledger.column(name)) for name in ("LastEffectiveDate", "LastTransDate") if ledger.has(name)]
    if not dates:
        return None
    day = func.coalesce(*dates) if len(dates) > 1 else dates[0]
    rows = select(ledger.column("Year").label("y"), ledger.column("Month").label("m"), day.label("on_day"))
    dated = rows.where(_actual(ledger)).subquery()
    counted = select(dated.c.y, dated.c.m, dated.c.on_day, func.count()).where(dated.c.on_day.is_not(None))
    votes: Counter[int] = Counter()
    for year, month, on_day, count in ask(dealership, counted.group_by(dated.c.y, dated.c.m, dated.c.on_day)):
        votes[(on_day.year - int(year)) * 12 + on_day.month - int(month)] += int(count)
    return min(votes, key=lambda one: (-votes[one], abs(one)), default=None)


def _month(year: int, month: int, ahead: int) -> date:
    """First day of the calendar's month."""
    months = int(year) * 12 + int(month) - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def _month_end(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
