"""Records of one object type: all of them, or those that changed; and those that are archived, merged or back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.paging import cursor_pages
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.hubspot.api import BATCH, PortalApi, Row
from orchestration.sources.hubspot.associations import Associator
from orchestration.sources.hubspot.changes import ChangeSearch
from orchestration.sources.hubspot.faults import Refused
from orchestration.sources.hubspot.streams import ObjectStream

# The search index follows the records within seconds, after large imports within minutes.
OVERLAP = timedelta(hours=1)
# What is deleted for good, or changes without a new modification date, shows in a full list only. Once a week, and not
# a day later because one night began a minute before the hour.
FULL_EVERY = timedelta(days=6, hours=12)
# Ids in the recycle bin are remembered from one night to the next, up to so many: beyond, one that was restored without
# looking modified shows in the next full list.
MOST_ARCHIVED = 50_000

# The server's clock when the read began: the instant that what landed stands for.
READ_AT = "read_at"
SINCE = "changed_since"
FULL_AT = "full_at"
ARCHIVED = "archived"
LINKED = "linked"

_Pages = Iterator[tuple[Sequence[Row], int]]


@dataclass
class ObjectReader:
    """One read of one stream."""

    api: PortalApi
    stream: ObjectStream
    state: Mapping[str, Any]
    properties: list[str]
    extract: Extract = field(init=False)
    _merged: dict[str, datetime | None] = field(default_factory=dict)
    _strange: int = 0
    _live: int = 0

    def __post_init__(self) -> None:
        self.extract = Extract(records=(), mode="full")
        kept = frozenset(map(str, self.state.get(LINKED) or ()))
        self._associator = Associator(self.api, self.stream.kind, self.stream.linked, kept, self.extract.notes)

    def read(self, window: tuple[date, date] | None) -> Extract:
        """What changed since the state's instant, or everything where that can't be known or is due again.

        With a ``window``: what was last modified in it, by the zone that the portal's days are counted in.
        """
        extract, now = self.extract, self.api.clock
        if window is not None:
            extract.mode, extract.records = "incremental", self._changed(*self._bounds(window))
            return extract
        since = self._since(now)
        if since is None:
            extract.records = self._everything(now)
            return extract
        extract.mode = "incremental"
        extract.state = {SINCE: _iso(now - OVERLAP) if now else _iso(since), FULL_AT: self.state.get(FULL_AT)}
        if now is not None:
            extract.state[READ_AT] = _iso(now)
        extract.records = self._night(since)
        return extract

    def _since(self, now: datetime | None) -> datetime | None:
        """From when on changes are to be searched; None where all must be read, for the reason noted."""
        since, full_at = parse_iso(self.state.get(SINCE)), parse_iso(self.state.get(FULL_AT))
        if since is None or full_at is None:
            return None
        if now is not None and since > now:
            self.extract.notes.append("the last read is in the future by the server's clock: read in full")
            return None
        if now is not None and now - full_at >= FULL_EVERY:
            return None
        if self.stream.modified not in self.properties:
            self.extract.notes.append(
                f"without the property {self.stream.modified} nothing tells of changes: read in full"
            )
            return None
        return since

    def _bounds(self, window: tuple[date, date]) -> tuple[datetime, datetime | None]:
        start, end = window
        since = datetime.combine(start, time(), self.api.zone)
        return since, datetime.combine(end + timedelta(days=1), time(), self.api.zone) if end < date.max else None

    def _everything(self, now: datetime | None) -> Iterator[Record]:
        yield from self._records(self._list())
        yield from self._gone()
        if now is not None:
            self.extract.state |= {READ_AT: _iso(now), SINCE: _iso(now - OVERLAP), FULL_AT: _iso(now)}
        self._finish()

    def _night(self, since: datetime) -> Iterator[Record]:
        yield from self._changed(since, None)
        yield from self._gone()
        self._finish()

    def _changed(self, since: datetime, until: datetime | None) -> Iterator[Record]:
        search = ChangeSearch(self.api, self.stream.kind, self.stream.modified, since, until)
        try:
            yield from self._records(self._by_id(search.pages()))
            if search.complete():
                return
            reason = f"search found {len(search.found)} of the {search.expected} changed records it counts"
        except Refused as error:
            reason = error.message
        self.extract.notes.append(f"{reason}: all records were listed instead")
        yield from self._records(self._list())

    def _gone(self) -> Iterator[Record]:
        """Records in the recycle bin and losers of merges, as deleted; and those back from the bin.

        A record that was restored may look as if it had not changed since long: that it left the bin tells of it.
        """
        archived: set[str] = set()
        readable = True
        try:
            for rows, _ in self._list(archived=True):
                for row in rows:
                    self._note_merged(row)
                    archived.add(str(row.get("id")))
                    yield Record(_identity(row), row, parse_iso(row.get("archivedAt")) or _updated(row), deleted=True)
        except Refused as error:
            readable = False
            self.extract.notes.append(f"archived records can't be listed: {error.message}")
        before = [str(one) for one in self.state.get(ARCHIVED) or ()]
        if not readable:
            self.extract.state[ARCHIVED] = before
        else:
            yield from self._records(self._by_id([[one for one in before if one not in archived]]))
            self.extract.state[ARCHIVED] = sorted(archived) if len(archived) <= MOST_ARCHIVED else []
        for loser, at in self._merged.items():
            if loser not in archived:
                # What is left of a loser is its id in the winner; the warehouse keeps the payload it has.
                yield Record(loser, None, at, deleted=True)

    def _finish(self) -> None:
        self.extract.state[LINKED] = self._associator.read
        if self._strange:
            self.extract.notes.append(f"{self._strange} results are no objects and were left out")
        if self._live:
            self.extract.notes.append(
                f"{self._live} records in the list of archived ones say that they are not: not taken as deleted"
            )

    def _list(self, archived: bool = False) -> _Pages:
        size = 0

        def fetch(after: str | None) -> tuple[list[Row], str | None]:
            nonlocal size
            page = self.api.listed(self.stream.kind, self.properties, after=after, archived=archived)
            self._strange += page.strange
            self._live += page.live
            size = page.size
            return page.rows, page.after

        for rows in cursor_pages(fetch, what=f"list of {'archived ' if archived else ''}{self.stream.kind}"):
            yield rows, size

    def _by_id(self, batches: Iterable[Sequence[str]]) -> _Pages:
        """Records as they are now, in whatever state the index has them; without those that are live no more."""
        for ids in batches:
            for first in range(0, len(ids), BATCH):
                page = self.api.records(self.stream.kind, ids[first : first + BATCH], self.properties)
                yield page.rows, page.size

    def _records(self, pages: _Pages) -> Iterator[Record]:
        for row in self._associator.added(pages):
            self._note_merged(row)
            yield Record(_identity(row), row, _updated(row))

    def _note_merged(self, row: Row) -> None:
        properties = row.get("properties")
        if not isinstance(properties, Mapping):
            return
        losers = _ids(properties.get("hs_merged_object_ids"))
        # Contacts name them a second way, each with the time of its merge, and the winner among them.
        losers += [one.partition(":")[0] for one in _ids(properties.get("hs_calculated_merged_vids"))]
        for loser in losers:
            if loser != str(row.get("id")):
                self._merged[loser] = _updated(row)


def _identity(row: Row) -> str:
    value = row.get("id")
    return "" if value is None else str(value)


def _updated(row: Row) -> datetime | None:
    return parse_iso(row.get("updatedAt"))


def _ids(text: object) -> list[str]:
    return [part.strip() for part in str(text or "").split(";") if part.strip()]


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
