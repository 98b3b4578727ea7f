"""A dealership's cash by month as its own database adds it up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, func, select

from orchestration.sources.core.records import Session
from orchestration.sources.core.sql_tables import FoundTable
from orchestration.sources.softbase.asking import Figures, ask, cents, day_of, dealership_of, lives, today, view
from orchestration.sources.softbase.session import Dealership
from orchestration.sources.softbase.verified_accounts import ASSETS, CREDITS, INCOME, accounts_of, key


def cash_figures(session: Session) -> dict[date, Figures] | None:
    """Cash and its flows by the last day of each month of the ledger, up to this month, by column of mart_cash_flow.

    Flows are what the month moved on the accounts, added up by the database; the mart's are differences of balances.
    In a month whose movements do not add up to 0 nothing tells a year that was closed from an error: financing is left
    out there. None where the ledger has rows and they do not say which months they are of.
    """
    dealership = dealership_of(session)
    ledger = view(dealership, "gl")
    ahead = _months_ahead(dealership, ledger)
    if ahead is None:
        rows = select(func.count()).select_from(ledger.source).where(_actual(ledger))
        return None if ask(dealership, rows)[0][0] else {}
    accounts = accounts_of(dealership, view(dealership, "chart_of_accounts"))
    months = _moved(dealership, ledger, ahead)
    kinds = {account: accounts.kind(account) for moved in months.values() for account in moved}
    balances: dict[str, Decimal] = {}
    for first in sorted(months):
        for account, (balance, movement) in months[first].items():
            # What stood on an account before its first row.
            balances.setdefault(account, balance - movement)
    figures: dict[date, Figures] = {}
    for first, moved in sorted(months.items()):
        flows = dict.fromkeys((*ASSETS, *CREDITS, *INCOME), Decimal(0))
        for account, (_, movement) in moved.items():
            balances[account] += movement
            flows[kinds[account] or ""] = flows.get(kinds[account] or "", Decimal(0)) + movement
        cash = [balances[account] for account, kind in kinds.items() if kind == "cash"]
        unknown = [account for account, kind in kinds.items() if kind is None]
        is_told = not any(balances[account] or moved.get(account, (0, 0))[1] for account in unknown)
        # Of a month without one before it no change is known, of no account no balance.
        follows = first - timedelta(days=1) in figures
        stated: Figures = {name: cents(amount) if follows and is_told else None for name, amount in _flows(flows)}
        if sum(flows.values()):
            del stated["financing_cash_flow"]
        figures[_month_end(first)] = {
            "cash_balance": cents(sum(cash)) if cash else None,
            "cash_change_mtd": cents(flows["cash"]) if cash and follows else None,
            **stated,
        }
    return figures


def _flows(moved: Mapping[str, Decimal]) -> Iterator[tuple[str, Decimal]]:
    """Debits are positive: what an asset grows by is paid for, what is owed grew by the contrary."""
    working = ASSETS - {"cash", "fixed_asset"} | CREDITS - {"debt", "equity"} | INCOME
    yield "operating_cash_flow", -sum((moved[kind] for kind in working), Decimal(0))
    yield "ar_change", moved["receivable"]
    yield "inventory_change", moved["inventory"]
    yield "ap_change", -moved["payable"]
    yield "investing_cash_flow", -moved["fixed_asset"]
    yield "financing_cash_flow", -moved["debt"] - moved["equity"]


def _moved(dealership: Dealership, ledger: FoundTable, ahead: int) -> dict[date, dict[str, tuple[Decimal, Decimal]]]:
    """Balance and movement of every account by month, up to this one."""
    number, year, month = (ledger.column(name) for name in ("AccountNo", "Year", "Month"))
    sums = [func.sum(ledger.column(name)) for name in ("YTD", "MTD")]
    statement = select(number, year, month, *sums).where(_actual(ledger)).group_by(number, year, month)
    months: dict[date, dict[str, tuple[Decimal, Decimal]]] = {}
    now = today(dealership)
    for account, *when, balance, movement in ask(dealership, statement):
        first = _month(when[0], when[1], ahead)
        if first <= now and key(account):
            had = months.setdefault(first, {}).get(key(account), (Decimal(0), Decimal(0)))
            months[first][key(account)] = (had[0] + Decimal(balance or 0), had[1] + Decimal(movement or 0))
    return months


def _actual(ledger: FoundTable) -> ColumnElement[bool]:
    return and_(ledger.column("AccountField") == "Actual", ledger.column("Month").between(1, 12), lives(ledger))


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
