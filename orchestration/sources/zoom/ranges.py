"""Rows of many days, asked for range by range as Zoom accepts them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain

from orchestration.sources.core.records import Extract
from orchestration.sources.zoom.api import AccountApi, Row
from orchestration.sources.zoom.days import COVERED, HAD_SINCE, Plan, earliest, month_windows
from orchestration.sources.zoom.faults import Refused

# Zoom may count its six months in days, or by months of the calendar: so much later may begin what it still tells.
MOST_LATER = timedelta(days=31)

Pages = Callable[[date, date], Iterator[list[Row]]]


@dataclass
class Reach:
    """The days of a plan, as far back as Zoom turns out to tell about them.

    first
        Moves forward a day at a time where Zoom refuses to go back so far; ``refusal`` is then its word.
    latest
        Where it stops to: a range that begins later and is refused is refused for another reason.
    """

    first: date
    last: date
    latest: date
    refusal: str = ""

    @classmethod
    def of(cls, plan: Plan, api: AccountApi) -> Reach:
        """All of a plan's days."""
        return cls(plan.first, plan.last, earliest(api.now().date()) + MOST_LATER)

    def rows(self, pages: Pages, key: Callable[[Row], str]) -> Iterator[Row]:
        """Their rows; what two ranges hold, as they share a day, is given once.

        ``pages`` asks for one range, page by page. ``key`` tells rows apart; those without one ("") are told apart by
        all that they say, and given as often as one range has them.
        """
        before: Counter[str] = Counter()
        for found in self._ranges(pages):
            given: Counter[str] = Counter()
            for row in chain.from_iterable(found):
                name = key(row) or json.dumps(row, sort_keys=True, default=str)
                given[name] += 1
                if given[name] > before[name]:
                    yield row
            before = given

    def _ranges(self, pages: Pages) -> Iterator[Iterator[list[Row]]]:
        if self.first <= self.last:
            yield self._oldest(pages)
        for number, window in enumerate(month_windows(self.first, self.last)):
            if number:
                yield pages(*window)

    def _oldest(self, pages: Pages) -> Iterator[list[Row]]:
        while True:
            first, last = next(month_windows(self.first, self.last))
            found = pages(first, last)
            try:
                return chain([next(found, [])], found)
            except Refused as error:
                # All of what somebody asked for being too old is an error.
                if not error.is_not_valid or first >= self.latest or last == self.last:
                    raise
                self.first, self.refusal = first + timedelta(days=1), error.message

    def settle(self, plan: Plan, extract: Extract) -> Plan:
        """The plan without days that Zoom refused to tell about: those are said, and not counted as read."""
        if self.first == plan.first:
            return plan
        had = replace(plan, first=self.first, had_since=self.first)
        extract.notes.append(f"{plan.first} to {self.first - timedelta(days=1)} can't be had: {self.refusal}")
        extract.state |= {COVERED: had.covered().written(), HAD_SINCE: self.first.isoformat()}
        return had
