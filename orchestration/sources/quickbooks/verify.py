"""A month's figures asked afresh from QuickBooks, read by other means than those that fill the warehouse.

Each month is asked for on its own and summarised by total, not as a column among others; amounts are picked by a
reader of its own that looks for groups only. An error on the long way from report to mart shows as a difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from orchestration.errors import PermanentError
from orchestration.sources.core.records import Session
from orchestration.sources.quickbooks.api import CompanyApi
from orchestration.sources.quickbooks.months import Month, last_day, month_of, months_between
from orchestration.sources.quickbooks.session import Company

Figures = dict[str, Decimal | None]
_Amounts = dict[str, Decimal]

_HUNDREDTH = Decimal("0.01")
# As wide a percentage as the mart's column holds; others are unknown there.
_WIDEST = 1000

# Metric -> the groups that add up to it, with their signs.
_PROFIT_AND_LOSS = {
    "total_revenue": {"Income": 1, "OtherIncome": 1},
    "total_expenses": {"COGS": 1, "Expenses": 1, "OtherExpenses": 1},
    "net_income": {"NetIncome": 1},
    "gross_profit": {"Income": 1, "COGS": -1},
    "income": {"Income": 1},
}
_BALANCE_SHEET = {
    "total_assets": {"TotalAssets": 1},
    "total_liabilities": {"Liabilities": 1},
    "total_equity": {"Equity": 1},
    "cash_balance": {"BankAccounts": 1},
    "accounts_receivable": {"AR": 1},
    "accounts_payable": {"AP": 1},
}
# Not by the lines of operations, which is the mart's way: an error in reading them would not show.
_CASH_FLOW = {"operating_cash_flow": {"CashIncrease": 1, "InvestingActivities": -1, "FinancingActivities": -1}}
_CASH_FLOW_WITHOUT_INCREASE = {"operating_cash_flow": {"NetIncome": 1, "OperatingAdjustments": 1}}
# As some companies' reports spell it.
_SPELT = {"FinancingActivites": "FinancingActivities"}


def report_totals(session: Session, start: date, end: date) -> dict[Month, Figures]:
    """The figures of every month from that of ``start`` to that of ``end``, in the company's currency, exact.

    A group that a report does not have is zero: QuickBooks leaves out what nothing was posted to.
    """
    if not isinstance(session, Company):
        raise TypeError("a session on QuickBooks is needed")
    method = session.connection.accounting_method
    with session.attributed():
        return {
            month: {
                **_with_margin(_added(_groups(session.api, "ProfitAndLoss", month, method), _PROFIT_AND_LOSS)),
                **_added(_groups(session.api, "BalanceSheet", month, method), _BALANCE_SHEET),
                **_cash_flow(_groups(session.api, "CashFlow", month, None)),
            }
            for month in months_between(month_of(start), month_of(end))
        }


def _with_margin(figures: _Amounts) -> Figures:
    """Gross profit as a percentage of what was sold, which is not all revenue."""
    profit, sold = figures["gross_profit"], figures.pop("income")
    margin = (100 * profit / sold).quantize(_HUNDREDTH, ROUND_HALF_UP) if sold else None
    return {**figures, "gross_margin_pct": None if margin is None or abs(margin) >= _WIDEST else margin}


def _cash_flow(groups: _Amounts) -> _Amounts:
    """What the increase in cash leaves after investing and financing, where the report states it."""
    return _added(groups, _CASH_FLOW if "CashIncrease" in groups else _CASH_FLOW_WITHOUT_INCREASE)


def _added(groups: _Amounts, metrics: Mapping[str, Mapping[str, int]]) -> _Amounts:
    return {
        metric: sum((sign * groups.get(group, Decimal(0)) for group, sign in parts.items()), Decimal(0))
        for metric, parts in metrics.items()
    }


def _groups(api: CompanyApi, report: str, month: Month, method: str | None) -> _Amounts:
    """The amounts of a month's report by group."""
    params = {
        "start_date": month.isoformat(),
        "end_date": last_day(month).isoformat(),
        "summarize_column_by": "Total",
        **({"accounting_method": method} if method else {}),
    }
    return dict(_group_amounts(api.report(report, params).body.get("Rows")))


def _group_amounts(rows: object) -> Iterator[tuple[str, Decimal]]:
    """Every row that has a group, with its amount."""
    for row in _children(rows):
        if row.get("group"):
            yield _SPELT.get(str(row["group"]), str(row["group"])), _amount(row)
        yield from _group_amounts(row.get("Rows"))


def _amount(row: Mapping[str, Any]) -> Decimal:
    """A line's own amount; a section's summary, and where it has none, what its header and its lines add up to."""
    if "ColData" in row:
        return _last_cell(row)
    if isinstance(row.get("Summary"), Mapping):
        return _last_cell(row["Summary"])
    header = row.get("Header")
    own = _last_cell(header) if isinstance(header, Mapping) else Decimal(0)
    return own + sum((_amount(child) for child in _children(row.get("Rows"))), Decimal(0))


def _children(rows: object) -> list[Mapping[str, Any]]:
    found = rows.get("Row") if isinstance(rows, Mapping) else None
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []


def _last_cell(line: Mapping[str, Any]) -> Decimal:
    """The cell of the total, which is the last. Empty means zero."""
    cells = line.get("ColData")
    text = str(cells[-1].get("value") or "") if isinstance(cells, list) and len(cells) > 1 else ""
    try:
        return Decimal(text or "0")
    except InvalidOperation:
        raise PermanentError(f"a report shows {text[:40]!r} where an amount should be") from None
