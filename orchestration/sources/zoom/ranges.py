"""Rows of many days, asked for range by range as Zoom accepts them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date

from orchestration.sources.zoom.api import Row
from orchestration.sources.zoom.days import month_windows

Pages = Callable[[date, date], Iterator[list[Row]]]


def rows_of(first: date, last: date, pages: Pages, key: Callable[[Row], str]) -> Iterator[Row]:
    """Rows from ``first`` to ``last``; what two ranges hold, as they share a day, is given once.

    ``pages`` asks for one range, page by page. ``key`` tells rows apart; those without one ("") are told apart by all
    that they say, and given as often as one range has them.
    """
    before: Counter[str] = Counter()
    for window in month_windows(first, last):
        given: Counter[str] = Counter()
        for rows in pages(*window):
            for row in rows:
                name = key(row) or json.dumps(row, sort_keys=True, default=str)
                given[name] += 1
                if given[name] > before[name]:
                    yield row
        before = given
