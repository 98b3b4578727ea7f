"""Report periods: which days a request is about, and into which columns they are cut."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.demo.quickbooks.labels import Labels
from orchestration.demo.quickbooks.wire import invalid_parameter

SUMMARIES = ("Total", "Month", "Week", "Days", "Quarter", "Year")
DEFAULT_MACRO = "This Fiscal Year-to-date"


@dataclass(frozen=True)
class Period:
    """Days from ``first`` to ``last``, both included. ``macro`` is the named range it was asked for by, if any."""

    first: date
    last: date
    macro: str = ""


@dataclass(frozen=True)
class Column:
    """One money column. ``key`` is None for the total of all others."""

    title: str
    first: date
    last: date
    key: str | None


def requested(params: Mapping[str, str], today: date, fiscal_start: int) -> Period:
    """The period of a report request.

    Dates count only when both are given: with one of them missing the macro decides, as if none had been sent.
    """
    start, end = params.get("start_date"), params.get("end_date")
    if start and end:
        period = Period(_date("start_date", start), _date("end_date", end))
        if period.first > period.last:
            raise invalid_parameter("start_date", f"{start} is after end_date {end}")
        return period
    macro = params.get("date_macro") or DEFAULT_MACRO
    return Period(*_macro(macro, today, fiscal_start), macro.lower())


def columns(period: Period, summary: str, labels: Labels, *, total: bool) -> list[Column]:
    """Money columns of a report; ``total`` says whether several columns are followed by one for all of them."""
    whole = Column(labels.section("Total"), period.first, period.last, None)
    if summary == "Total":
        return [whole]
    cut = [Column(_title(first, last, summary, labels), first, last, "") for first, last in _parts(period, summary)]
    cut = [Column(c.title, c.first, c.last, _title(c.first, c.last, summary, Labels("en", {}))) for c in cut]
    return [*cut, whole] if total else cut


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def add_months(day: date, months: int) -> date:
    """The first day of the month so many months from ``day``'s."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def fiscal_year_start(day: date, start_month: int) -> date:
    """First day of the fiscal year that ``day`` is in."""
    return date(day.year - (day.month < start_month), start_month, 1)


def _parts(period: Period, summary: str) -> Iterator[tuple[date, date]]:
    first = period.first
    while first <= period.last:
        match summary:
            case "Days":
                last = first
            case "Week":
                last = first + timedelta(days=(5 - first.weekday()) % 7)
            case "Month":
                last = month_end(first)
            case "Quarter":
                last = month_end(add_months(first, 2 - (first.month - 1) % 3))
            case _:
                last = date(first.year, 12, 31)
        yield first, min(last, period.last)
        first = last + timedelta(days=1)


def _title(first: date, last: date, summary: str, labels: Labels) -> str:
    whole_month = first.day == 1 and last == month_end(first)
    if summary == "Month" and whole_month:
        return labels.month(first)
    if summary == "Days":
        return f"{labels.short(first)} {first.day}, {first.year}"
    whole = first.day == 1 and last == month_end(last)
    if summary == "Year" and whole and (first.month, last.month) == (1, 12):
        return f"{labels.short(first)} - {labels.short(last)} {last.year}"
    if summary == "Quarter" and whole:
        return f"{labels.short(first)} - {labels.short(last)}, {last.year}"
    if first.month == last.month and first.year == last.year and summary == "Week":
        return f"{labels.short(first)} {first.day} - {last.day}, {last.year}"
    return f"{labels.short(first)} {first.day} - {labels.short(last)} {last.day}, {last.year}"


def _date(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise invalid_parameter(name, text) from None


def _macro(name: str, today: date, fiscal_start: int) -> tuple[date, date]:
    month = today.replace(day=1)
    year = fiscal_year_start(today, fiscal_start)
    ranges = {
        "today": (today, today),
        "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
        "this month": (month, month_end(month)),
        "this month-to-date": (month, today),
        "last month": (add_months(month, -1), month - timedelta(days=1)),
        "this fiscal year": (year, month_end(add_months(year, 11))),
        "this fiscal year-to-date": (year, today),
        "last fiscal year": (add_months(year, -12), year - timedelta(days=1)),
        "this calendar year-to-date": (date(today.year, 1, 1), today),
    }
    if name.lower() not in ranges:
        raise invalid_parameter("date_macro", name)
    return ranges[name.lower()]
