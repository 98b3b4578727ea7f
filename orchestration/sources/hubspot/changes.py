"""Which records changed, by search: complete beyond the 10,000 results that one search gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from orchestration.sources.core.paging import LoopGuard
from orchestration.sources.hubspot.api import Page, PortalApi, Row


@dataclass
class ChangeSearch:
    """Ids of live records of one kind that were modified from ``since`` on and, if given, before ``until``.

    Each search asks for ids behind the last one found, in the order of ids that the index itself has: HubSpot orders
    and compares ids as text, so a bound computed from a number would skip some. Nothing is asked by position, where a
    record that leaves the results would hide another. As nothing documents that the order and the comparison agree,
    what was found is counted against the total that HubSpot names: ``complete`` is known once all pages are read.
    """

    api: PortalApi
    kind: str
    modified: str
    since: datetime
    until: datetime | None = None
    found: set[str] = field(default_factory=set)
    expected: int | None = None
    _circled: bool = False

    def pages(self) -> Iterator[list[str]]:
        """New ids, up to 200 at a time."""
        guard = LoopGuard(f"search of {self.kind}")
        last, after = "", "0"
        while True:
            page = self._ask(last, after)
            if self.expected is None:
                self.expected = page.total
            ids = [one for one in map(_object_id, page.rows) if one not in self.found]
            self.found.update(ids)
            if ids:
                yield ids
            if page.after is None:
                return
            if page.rows and not ids:
                self._circled = True
                return
            # An empty page is not the end; behind it, only its own word leads on.
            last, after = (_object_id(page.rows[-1]), "0") if page.rows else (last, page.after)
            guard.see((last, after))

    def complete(self) -> bool:
        """Whether all were found that HubSpot counted, before or after; those archived meanwhile count no more."""
        if self._circled:
            return False
        if self.expected is None or len(self.found) >= self.expected:
            return True
        self.expected = self._ask("", "0").total
        return self.expected is None or len(self.found) >= self.expected

    def _ask(self, last: str, after: str) -> Page:
        filters = [(self.modified, "GTE", _ms(self.since))]
        if self.until is not None:
            filters.append((self.modified, "LT", _ms(self.until)))
        if last:
            filters.append(("hs_object_id", "GT", last))
        return self.api.search(self.kind, filters, after=after)


def _object_id(row: Row) -> str:
    """The id exactly as the index has it."""
    properties = row.get("properties")
    value = properties.get("hs_object_id") if isinstance(properties, dict) else None
    return str(value or row.get("id"))


def _ms(instant: datetime) -> str:
    return str(int(instant.timestamp() * 1000))
