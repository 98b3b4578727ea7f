"""Which tables hold which dates.

A date is in ``events_YYYYMMDD`` once it is over and in ``events_intraday_YYYYMMDD`` before that, often in both for some
hours, and for good in the second alone where only the streaming export is on. Names are matched whole: by prefix or
``_TABLE_SUFFIX``, ``intraday_20260203`` lies behind every date, and its events would count twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

_NAME = re.compile(r"events_(intraday_)?(\d{4})(\d\d)(\d\d)\Z")


@dataclass(frozen=True)
class DateTable:
    """One date's table. ``provisional``: the streamed one, which a complete one may yet replace."""

    day: date
    name: str
    provisional: bool

    @property
    def suffix(self) -> str:
        return f"{self.day:%Y%m%d}"


def date_tables(names: Iterable[str], today: date | None) -> list[DateTable]:
    """The table to read for each date, by date.

    Where a date has both, its daily one. A streamed one stands only for a date that is over, ``today`` being the
    property's: before, half a day would pass for a day. Without ``today``, none does.
    """
    daily: dict[date, DateTable] = {}
    streamed: dict[date, DateTable] = {}
    for name in names:
        parts = _NAME.match(name)
        if parts is None:
            continue
        try:
            day = date(int(parts[2]), int(parts[3]), int(parts[4]))
        except ValueError:
            continue
        (streamed if parts[1] else daily)[day] = DateTable(day, name, bool(parts[1]))
    over = {day: table for day, table in streamed.items() if today is not None and day < today}
    return [table for _, table in sorted((over | daily).items())]
