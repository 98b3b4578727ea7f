"""Entities: everything by paged query the first time, and what changed since by change data capture afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orchestration.errors import PermanentError, TransientError
from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.paging import numbered_pages
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.core.retry import TooSlow
from orchestration.sources.quickbooks.api import CAPTURE_LIMIT, PAGE_SIZE, ROUND_SIZE, SMALLEST_PAGE, CompanyApi
from orchestration.sources.quickbooks.faults import TooLarge
from orchestration.sources.quickbooks.streams import ENTITIES, EntityStream

# Intuit keeps changes for 30 days; the margin is for a night that fails and for the clocks' differences.
CAPTURE_DAYS = 28
# A change committed while an answer is made may carry an earlier time than the answer.
LAG = timedelta(minutes=5)
FULL_READS = 3
SINCE = "changed_since"


@dataclass(frozen=True)
class _Capture:
    """Changes since an instant, as of another, by entity. What is not in ``rows`` has to be asked for."""

    since: datetime
    at: datetime | None
    rows: dict[str, list[Any]]


@dataclass
class EntityReader:
    """Reads the entities of one company. Changes are asked for once for all of them and kept until they are read."""

    api: CompanyApi
    skipped: Collection[str] = ()
    """Names of streams that nobody reads."""
    _shared: _Capture | None = None

    def read(self, stream: EntityStream, state: Mapping[str, Any] | None) -> Extract:
        """What changed since ``state``, or everything where that can't be known."""
        since = parse_iso((state or {}).get(SINCE))
        if since is None:
            return self._full(stream, [])
        now = self.api.clocks.earliest
        if now is not None and now - since > timedelta(days=CAPTURE_DAYS):
            days = (now - since).days
            return self._full(stream, [f"{days} days since the last read, more than changes are kept: read in full"])
        if now is not None and since > now:
            return self._full(stream, ["the last read is in the future by the server's clock: read in full"])
        try:
            capture = self._capture(stream, since)
        except PermanentError as error:
            return self._full(stream, [f"changes can't be had ({error.message[:200]}): read in full"])
        rows = capture.rows.pop(stream.entity, None)
        if rows is None:
            return self._full(stream, [f"{CAPTURE_LIMIT} or more changes, the most QuickBooks tells: read in full"])
        return Extract(
            records=_records(rows, capture.at),
            mode="incremental",
            state={SINCE: _iso(capture.at - LAG if capture.at else since)},
        )

    def _capture(self, stream: EntityStream, since: datetime) -> _Capture:
        """The entity's changes since then or earlier: from what all share, or on its own where that is cut short.

        Or refused, for then it may be another entity that can't be had.
        """
        if self._shared is None or since < self._shared.since:
            try:
                self._shared = self._ask([one.entity for one in ENTITIES if one.name not in self.skipped], since)
            except PermanentError:
                self._shared = _Capture(since, None, {})
        if stream.entity in self._shared.rows:
            return self._shared
        return self._ask([stream.entity], since)

    def _ask(self, entities: list[str], since: datetime) -> _Capture:
        rows, at = self.api.changes(entities, since)
        # Cut short at the limit, silently and nobody knows where: then it says nothing about any entity.
        complete = sum(map(len, rows.values())) < CAPTURE_LIMIT
        return _Capture(since, at, rows if complete else {})

    def _full(self, stream: EntityStream, notes: list[str]) -> Extract:
        extract = Extract(records=(), mode="full", notes=notes)
        extract.records = self._everything(stream, extract)
        return extract

    def _everything(self, stream: EntityStream, extract: Extract) -> Iterator[Record]:
        """All records, page by page, until as many are known as the server counts.

        Positions shift while somebody works in the books: a record deleted on a page already read hides another one
        from the next page. So the changes made meanwhile are read too, and what is left is counted. Reading again
        repeats records, which the loader expects.
        """
        reading = _FullRead(self.api, stream, extract.notes)
        for _ in range(FULL_READS):
            yield from reading.pages()
            if reading.began is not None:
                extract.state.setdefault(SINCE, _iso(reading.began - LAG))
            if not reading.needs_count:
                return
            yield from reading.changes_meanwhile()
            expected = reading.count()
            if expected is None or reading.known >= expected:
                return
            extract.notes.append(f"{reading.known} of {expected} records read: read again")
        raise TransientError(
            f"{stream.entity}: QuickBooks counts more records than it lists, {FULL_READS} times in a row",
            hint="somebody may be importing into the books: run the sync again later.",
        )


@dataclass
class _FullRead:
    """One full read of an entity: the records known to be live, and since when changes may have been missed."""

    api: CompanyApi
    stream: EntityStream
    notes: list[str]
    began: datetime | None = None
    needs_count: bool = False
    _ids: set[str] = field(default_factory=set)
    _nameless: int = 0
    _size: int = PAGE_SIZE

    @property
    def known(self) -> int:
        """Live records read so far."""
        return len(self._ids) + self._nameless

    @property
    def _where(self) -> str:
        return "Active IN (true,false)" if self.stream.name_list else ""

    def pages(self) -> Iterator[Record]:
        self._nameless = largest = 0
        for rows in self._in_time():
            largest = max(largest, len(rows))
            yield from self._noted(_records(rows, self.began))
        if 0 < largest < self._size:
            self._size = largest

    def _in_time(self) -> Iterator[Sequence[Any]]:
        """The pages, smaller ones from where the server can't give as many rows, or not in time."""
        position = 1
        while True:
            size = self._size
            pages = numbered_pages(self._page, size=size, what=self.stream.entity, identity=_identity, first=position)
            try:
                for rows in pages:
                    yield rows
                    position += size
            except (TooSlow, TooLarge) as error:
                if size <= SMALLEST_PAGE:
                    raise
                self.api.client.stats.retries += 1
                self._size = max(SMALLEST_PAGE, size // 4)
                self.notes.append(f"{self._size} records a page instead of {size}: {error.message[:200]}")
            else:
                return

    def changes_meanwhile(self) -> Iterator[Record]:
        if self.began is None:
            return
        try:
            changed, at = self.api.changes((self.stream.entity,), self.began - LAG)
        except PermanentError:
            return
        yield from self._noted(_records(changed[self.stream.entity], at))

    def count(self) -> int | None:
        return self.api.count(self.stream.entity, self._where)

    def _page(self, position: int) -> list[Any]:
        page = self.api.query(self.stream.entity, self._where, first=position, size=self._size)
        if self.began is None:
            self.began = page.at
        # A short page is the end, unless the server keeps to a smaller size of its own, which is a round number.
        capped = len(page.rows) > 0 and len(page.rows) % ROUND_SIZE == 0
        self.needs_count = self.needs_count or position > 1 or capped
        return page.rows

    def _noted(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            if record.deleted:
                self._ids.discard(record.record_id)
            elif record.record_id:
                self._ids.add(record.record_id)
            else:
                self._nameless += 1
            yield record


def settings_record(row: Mapping[str, Any], at: datetime | None) -> Record:
    """The one record of a settings entity; it is the company's whether or not it carries an id."""
    return Record(str(row.get("Id") or "1"), row, _changed_at(row) or at)


def _records(rows: Iterable[Any], at: datetime | None) -> Iterator[Record]:
    """Rows as records. What is not an object has no place to land in; QuickBooks sends none such."""
    for row in rows:
        if not isinstance(row, Mapping):
            continue
        if str(row.get("status")).lower() == "deleted":
            # What is left of a deleted object is its id: the warehouse keeps the payload it has.
            yield Record(_identity(row), None, _changed_at(row) or at, deleted=True)
        else:
            yield Record(_identity(row), row, _changed_at(row))


def _identity(row: Any) -> str:
    value = row.get("Id") if isinstance(row, Mapping) else None
    return "" if value is None else str(value)


def _changed_at(row: Mapping[str, Any]) -> datetime | None:
    meta = row.get("MetaData")
    return parse_iso(meta.get("LastUpdatedTime")) if isinstance(meta, Mapping) else None


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
