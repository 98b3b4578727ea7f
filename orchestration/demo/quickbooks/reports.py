"""Reports as the API answers them: parameters, header, columns and the statement's rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestration.demo.books.company import Company
from orchestration.demo.ledger import Ledger
from orchestration.demo.quickbooks import periods
from orchestration.demo.quickbooks.balance_sheet import balance_sheet
from orchestration.demo.quickbooks.cash_flow import cash_flow
from orchestration.demo.quickbooks.periods import Column, Period
from orchestration.demo.quickbooks.profit_and_loss import profit_and_loss
from orchestration.demo.quickbooks.statements import Quirks, Statement
from orchestration.demo.quickbooks.wire import PACIFIC, ApiError, invalid_parameter

REPORTS = {"ProfitAndLoss": profit_and_loss, "BalanceSheet": balance_sheet, "CashFlow": cash_flow}
# Filters the real reports take; here no document bears them, and an unfiltered answer would be a wrong one.
FILTERS = ("customer", "vendor", "class", "department", "item", "employee")
MAX_CELLS = 400_000


def write_report(name: str, params: Mapping[str, str], ledger: Ledger, quirks: Quirks, now: datetime) -> dict[str, Any]:
    """A report as an object to be encoded. Raises ApiError for parameters the API refuses."""
    if name not in REPORTS:
        raise ApiError(400, "5020", "Permission Denied Error", f"Unknown report {name}")
    for filtered in FILTERS:
        if filtered in params:
            raise invalid_parameter(filtered, "the stand-in filters no reports")
    company = ledger.company
    today = now.astimezone(company.zone).date()
    period = periods.requested(params, today, company.fiscal_year_start_month)
    summary = params.get("summarize_column_by") or "Total"
    if summary not in periods.SUMMARIES:
        raise invalid_parameter("summarize_column_by", summary)
    # The cash flow has no basis of its own.
    basis = _basis(params, company) if name != "CashFlow" else ""
    total = name != "BalanceSheet" or quirks.balance_sheet_total
    columns = periods.columns(period, summary, quirks.labels, total=total)
    if len(columns) * (len(ledger.books.accounts) + 10) > MAX_CELLS:
        detail = "Result Set Big Error : Report too large, please customize"
        raise ApiError(400, "10100", "Result Set Big Error", detail)
    statement = Statement(ledger, "cash" if basis == "Cash" else "accrual", quirks, period, columns)
    rows = REPORTS[name](statement)
    header = {"Time": now.astimezone(PACIFIC).isoformat(timespec="seconds"), "ReportName": name}
    return {
        "Header": header | _header(company, basis, period, summary, empty=not rows),
        "Columns": {"Column": [_account_column(), *map(_money_column, columns)]},
        "Rows": {"Row": rows} if rows else {},
    }


def _basis(params: Mapping[str, str], company: Company) -> str:
    basis = params.get("accounting_method") or company.report_basis
    if basis not in ("Accrual", "Cash"):
        raise invalid_parameter("accounting_method", basis)
    return basis


def _header(company: Company, basis: str, period: Period, summary: str, *, empty: bool) -> dict[str, Any]:
    standard = [{"Name": "AccountingStandard", "Value": "GAAP"}] if basis else []
    return {
        **({"DateMacro": period.macro} if period.macro else {}),
        **({"ReportBasis": basis} if basis else {}),
        "StartPeriod": period.first.isoformat(),
        "EndPeriod": period.last.isoformat(),
        "SummarizeColumnsBy": summary,
        "Currency": company.currency,
        "Option": [*standard, {"Name": "NoReportData", "Value": "true" if empty else "false"}],
    }


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
