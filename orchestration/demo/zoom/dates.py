"""Which days a request asks about, and which of them an answer has."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from orchestration.demo.zoom.account import Account
from orchestration.demo.zoom.errors import not_valid

KEPT_MONTHS = 6


def asked_range(account: Account, query: dict[str, str], without: timedelta | None) -> tuple[date, date]:
    """``from`` and ``to``: a month at most, six months back at most."""
    today = account.now.astimezone(account.cut).date()
    try:
        first, last = (date.fromisoformat(query[name]) for name in ("from", "to"))
    except KeyError:
        if without is None:
            raise not_valid("Invalid field: from.") from None
        return today - without, today
    except ValueError:
        raise not_valid("Invalid field: from or to.") from None
    if first > last or last > (first.replace(day=1) + timedelta(days=31)).replace(day=1) + _since_first(first):
        raise not_valid("The range between from and to must not be more than one month.")
    kept = account.quirks.kept_days
    oldest = oldest_day(today) if kept is None else today - timedelta(days=kept)
    if first < oldest:
        if account.quirks.too_old == "refuse":
            raise not_valid("Only the last six months can be asked for.")
        first = oldest
    return first, last


def holds(account: Account, first: date, last: date, instant: datetime) -> bool:
    """Whether a range has an instant. Nobody knows whether its last day is one of it."""
    day = instant.astimezone(account.cut).date()
    return first <= day < last if account.quirks.to_excluded else first <= day <= last


def _since_first(day: date) -> timedelta:
    return timedelta(days=day.day - 1)


def oldest_day(today: date) -> date:
    """Six months back: nothing before it is told."""
    months = today.year * 12 + today.month - 1 - KEPT_MONTHS
    first = date(months // 12, months % 12 + 1, 1)
    length = ((first + timedelta(days=31)).replace(day=1) - first).days
    return first.replace(day=min(today.day, length))
