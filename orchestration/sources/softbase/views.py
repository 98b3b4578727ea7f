"""Rows of one view: all of them, or those that changed; and which of them are deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_

from orchestration.errors import StreamUnavailable
from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.core.sql import Database
from orchestration.sources.core.sql_tables import FoundTable, Table
from orchestration.sources.core.sql_values import record_key
from orchestration.sources.softbase.streams import AUDIT, CREATED, GONE, GONE_AT, MODIFIED, ViewStream

# An hour comes twice when summer time ends, transactions take a while, and a replica follows later.
OVERLAP = timedelta(hours=3)
# What business dates are recent, where nothing better tells of changes.
TRAILING = timedelta(days=45)
# A view without audit columns says nothing of what is deleted: up to so many rows it is read whole every night.
WHOLE_ROWS = 100_000
# Systems that know no empty date write one of 1900: what lies before this is none, as for the models
# (softbase_first_date).
FIRST_DATE = datetime(1990, 1, 1)  # noqa: DTZ001 - a wall clock's
# What leaves a view without a trace shows in a full read only. Once a week, and not a day later because one night
# began a minute before the hour.
FULL_EVERY = timedelta(days=6, hours=12)

# The server's clock when the read began: the instant that what landed stands for.
READ_AT = "read_at"
# The dealership's date then.
READ_ON = "read_on"
SINCE = "changed_since"
FULL_AT = "full_at"


@dataclass
class ViewReader:
    """One read of one stream.

    zone
        Whose wall clock the database's times are.
    begin
        Rows that were over before are left out.
    """

    database: Database
    schema: str
    stream: ViewStream
    state: Mapping[str, Any]
    zone: ZoneInfo
    begin: date | None
    extract: Extract = field(init=False)

    def __post_init__(self) -> None:
        self.extract = Extract(records=(), mode="full")

    def read(self, window: tuple[date, date] | None) -> Extract:
        """What changed since the state's instant, or everything where that can't be known or is due again.

        With a ``window``: the rows with a business date in it; of a view without such dates all.
        """
        extract = self.extract
        try:
            found = self._found()
        except StreamUnavailable:
            if not self.stream.may_lack or self.state or self._is_there():
                raise
            extract.mode = "incremental"
            extract.notes.append(f"{self.stream.name} skipped: the dealership has no view {self.stream.view}")
            return extract
        now = self.database.now()
        statement = self._from_the_beginning(found)
        if window is not None:
            extract.mode = "incremental" if found.table.key else "full"
            dates = _present(found, self.stream.dates)
            if found.table.key and dates:
                statement = statement.where(self._within(found, dates, window))
        elif self._is_full_due(found, now):
            extract.state = self._read(now) | {SINCE: _iso(now), FULL_AT: _iso(now)}
            if not self.state:
                self._note_missing(found)
        else:
            since = parse_iso(self.state[SINCE])
            assert since is not None
            extract.mode = "incremental"
            extract.state = self._read(now) | {SINCE: _iso(max(now, since)), FULL_AT: self.state[FULL_AT]}
            statement = statement.where(changed(self.stream, found, self._wall(since), self._today(now)))
        # What is recent is among the rows of either read.
        dates = _present(found, self.stream.dates) if window is None else []
        if dates:
            extract.reread_days, extract.reread_records = TRAILING.days, 0
        extract.records = self._records(found, statement, dates, (self._today(now) - TRAILING).isoformat())
        return extract

    def _found(self) -> FoundTable:
        """The view as the tenant has it. A key that is there only in some tenants counts where it is."""
        found = self.database.find(self.stream.table, self.schema)
        if self.stream.key and not found.table.key and all(map(found.has, self.stream.key)):
            return replace(found, table=replace(found.table, required=self._with_key(found), key=self.stream.key))
        return found

    def _with_key(self, found: FoundTable) -> tuple[str, ...]:
        return (*found.table.required, *self.stream.key)

    def _is_there(self) -> bool:
        """Whether the schema has a view of that name, whatever its columns."""
        try:
            self.database.find(Table(self.stream.view, required=()), self.schema)
        except StreamUnavailable:
            return False
        return True

    def _is_full_due(self, found: FoundTable, now: datetime) -> bool:
        """Whether all rows must be read, for the reason noted."""
        since, full_at = parse_iso(self.state.get(SINCE)), parse_iso(self.state.get(FULL_AT))
        if since is None or full_at is None or not tells_of_changes(self.stream, found):
            return True
        if since > now:
            self.extract.notes.append("the last read is in the future by the server's clock: read in full")
            return True
        return now - full_at >= FULL_EVERY or (not found.has(MODIFIED) and self._rows(found) <= WHOLE_ROWS)

    def _rows(self, found: FoundTable) -> int:
        ((rows,),) = self.database.ask(lambda link: link.values(found.count()))
        return int(rows)

    def _from_the_beginning(self, found: FoundTable) -> Select[Any]:
        statement = found.select()
        if self.begin is not None and self.stream.begins:
            column = found.column(self.stream.begins)
            begin = datetime.combine(self.begin, time())
            statement = statement.where(or_(column >= begin, column.is_(None), column < FIRST_DATE))
        return statement

    def _within(self, found: FoundTable, dates: list[str], window: tuple[date, date]) -> ColumnElement[bool]:
        start = datetime.combine(window[0], time())
        bounds = [[found.column(name) >= start] for name in dates]
        if window[1] < date.max:
            end = datetime.combine(window[1] + timedelta(days=1), time())
            for name, bound in zip(dates, bounds, strict=True):
                bound.append(found.column(name) < end)
        return or_(*(and_(*bound) for bound in bounds))

    def _wall(self, since: datetime) -> datetime:
        """The instant less the overlap as the database writes it. Whether audit times are local or UTC is not certain:
        the earlier of both."""
        before = since - OVERLAP
        return min(before.astimezone(self.zone).replace(tzinfo=None), before.astimezone(UTC).replace(tzinfo=None))

    def _read(self, now: datetime) -> dict[str, Any]:
        return {READ_AT: _iso(now), READ_ON: self._today(now).isoformat()}

    def _today(self, now: datetime) -> date:
        return now.astimezone(self.zone).date()

    def _note_missing(self, found: FoundTable) -> None:
        missing = [name for name in found.missing if name not in AUDIT]
        if missing:
            self.extract.notes.append(f"{self.stream.view} has no {', '.join(missing)}")
        if self.stream.key and not found.table.key:
            self.extract.notes.append(f"{self.stream.view} has no {', '.join(self.stream.key)}: read in full")

    def _records(self, found: FoundTable, statement: Select[Any], dates: list[str], recent: str) -> Iterator[Record]:
        for row in self.database.rows(found, statement):
            if any(str(row.get(name) or "")[:10] >= recent for name in dates):
                self.extract.reread_records = (self.extract.reread_records or 0) + 1
            gone = row.get(GONE) is True or row.get(GONE) == 1 or row.get(GONE_AT) is not None
            yield Record(record_key(row, found.table.key), row, self._updated(row), deleted=gone)

    def _updated(self, row: Mapping[str, Any]) -> datetime | None:
        """When the row was last touched, as far as it says."""
        times = [text for name in (CREATED, MODIFIED, GONE_AT) if isinstance(text := row.get(name), str)]
        return _instant(max(times), self.zone) if times else None


def tells_of_changes(stream: ViewStream, found: FoundTable) -> bool:
    """Whether a view says which of its rows changed, by audit columns or by business dates, and names its rows."""
    return bool(found.table.key) and (found.has(MODIFIED) or bool(_present(found, stream.dates)))


def changed(stream: ViewStream, found: FoundTable, since: datetime, today: date) -> ColumnElement[bool]:
    """The condition of rows that may have changed since a wall-clock time.

    By audit columns: modified, created or deleted since; a modification time is missing until the first modification,
    and a deletion does not move it. By business dates as well: what enters the database around the application leaves
    the audit columns as they are. Open rows always.
    """
    alternatives: list[ColumnElement[bool]] = []
    if found.has(MODIFIED):
        alternatives += [found.column(name) >= since for name in (MODIFIED, CREATED, GONE_AT) if found.has(name)]
        if not found.has(CREATED):
            alternatives.append(found.column(MODIFIED).is_(None))
    recent = datetime.combine(today - TRAILING, time())
    alternatives += [found.column(name) >= recent for name in _present(found, stream.dates)]
    if stream.closing and found.has(stream.closing):
        alternatives += [found.column(stream.closing).is_(None), found.column(stream.closing) < FIRST_DATE]
    return or_(*alternatives)


def _present(found: FoundTable, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if found.has(name)]


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _iso(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
