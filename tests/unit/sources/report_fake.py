"""Reports as QuickBooks lays them out, built from amounts by month; nothing here is shared with the extractor."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Amounts = Mapping[date, Decimal]


@dataclass(frozen=True)
class Line:
    """An account, or a section with lines of its own. ``own``: what was posted to it directly, by month."""

    label: str
    own: Amounts = field(default_factory=dict)
    lines: Sequence[Line] = ()
    group: str | None = None

    def total(self, month: date) -> Decimal:
        return self.own.get(month, Decimal(0)) + sum((line.total(month) for line in self.lines), Decimal(0))


def months_of(params: Mapping[str, str]) -> list[date]:
    first, last = date.fromisoformat(params["start_date"]), date.fromisoformat(params["end_date"])
    month, months = first.replace(day=1), []
    while month <= last:
        months.append(month)
        month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    return months


def report(
    name: str,
    lines: Sequence[Line],
    params: Mapping[str, str],
    *,
    dates: bool = True,
    keys: bool = True,
    total: bool = True,
    titles: Sequence[str] | None = None,
    header: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """``lines`` over the months that ``params`` ask for.

    dates, keys, total
        Whether columns carry StartDate and EndDate, whether they carry a ColKey, whether there is a Total column.
    """
    months = months_of(params)
    by_month = params.get("summarize_column_by") == "Month"
    periods = [[month] for month in months] if by_month else []
    cells = [*periods, *([months] if total or not by_month else [])]
    columns = [_column("", "Account", [("ColKey", "account")] if keys else [])]
    for index, period in enumerate(periods):
        title = titles[index] if titles else f"{period[0]:%b %Y}"
        meta = [("StartDate", period[0].isoformat()), ("EndDate", _end(period[0]).isoformat())] if dates else []
        columns.append(_column(title, "Money", [*meta, *([("ColKey", f"{period[0]:%b %Y}")] if keys else [])]))
    if len(cells) > len(periods):
        columns.append(_column("Total", "Money", [("ColKey", "total")] if keys else []))
    return {
        "Header": {
            "Time": "2026-03-01T04:00:00-08:00",
            "ReportName": name,
            **({} if name == "CashFlow" else {"ReportBasis": params.get("accounting_method", "Accrual")}),
            "StartPeriod": params["start_date"],
            "EndPeriod": params["end_date"],
            "SummarizeColumnsBy": params.get("summarize_column_by", "Total"),
            "Currency": "USD",
            "Option": [{"Name": "NoReportData", "Value": "false"}],
            **(header or {}),
        },
        "Columns": {"Column": columns},
        "Rows": {"Row": [_row(line, cells) for line in lines]} if lines else {},
    }


def no_data(name: str, params: Mapping[str, str], *, columns: bool = True) -> dict[str, Any]:
    """What QuickBooks answers where nothing was posted."""
    empty = report(name, [], params, header={"Option": [{"Name": "NoReportData", "Value": "true"}]})
    return empty if columns else {**empty, "Columns": {"Column": []}}


def _row(line: Line, cells: Sequence[Sequence[date]]) -> dict[str, Any]:
    group = {"group": line.group} if line.group else {}
    totals = [sum((line.total(month) for month in period), Decimal(0)) for period in cells]
    if not line.lines:
        return {"ColData": _cells(line.label, totals), "type": "Data", **group}
    own = [sum((line.own.get(month, Decimal(0)) for month in period), Decimal(0)) for period in cells]
    return {
        "Header": {"ColData": _cells(line.label, own)},
        "Rows": {"Row": [_row(child, cells) for child in line.lines]},
        "Summary": {"ColData": _cells(f"Total {line.label}", totals)},
        "type": "Section",
        **group,
    }


def _cells(label: str, amounts: Sequence[Decimal]) -> list[dict[str, str]]:
    # QuickBooks writes nothing where nothing is.
    return [
        {"value": label, "id": str(len(label))},
        *({"value": f"{amount:.2f}" if amount else ""} for amount in amounts),
    ]


def _column(title: str, kind: str, meta: Sequence[tuple[str, str]]) -> dict[str, Any]:
    named = {"MetaData": [{"Name": name, "Value": value} for name, value in meta]} if meta else {}
    return {"ColTitle": title, "ColType": kind, **named}


def _end(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])
