"""Calendar months as their first days, and the half-years that reports are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

Month = date


def month_of(day: date) -> Month:
    """The month a day lies in."""
    return day.replace(day=1)


def shift(month: Month, by: int) -> Month:
    """The month ``by`` months later (earlier: negative)."""
    years, index = divmod(month.month - 1 + by, 12)
    return date(month.year + years, index + 1, 1)


def last_day(month: Month) -> date:
    """The month's last day."""
    return shift(month, 1) - timedelta(days=1)


def months_between(first: Month, last: Month) -> list[Month]:
    """All months from ``first`` to ``last``, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [shift(first, step) for step in range(count)]


def half_year(month: Month) -> tuple[Month, Month]:
    """First and last month of the half of the calendar year."""
    first = month.replace(month=1 if month.month <= 6 else 7)
    return first, shift(first, 5)


def half_years(first: Month, last: Month) -> Iterator[list[Month]]:
    """The months from ``first`` to ``last``, half-year by half-year."""
    while first <= last:
        _, end = half_year(first)
        yield months_between(first, min(end, last))
        first = shift(end, 1)
