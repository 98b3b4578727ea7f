"""Which dates a night reads, and what of them lands."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.ga4.bigquery import BigQuery, TableFacts
from orchestration.sources.ga4.faults import TableGone
from orchestration.sources.ga4.statement import PARAMETERS, RULES, statement
from orchestration.sources.ga4.tables import DateTable, date_tables

# Events arrive for three days after their date, whose table is then written anew (Google: "up to three days").
LATE_DAYS = 4
# Dates whose table is asked every night whether it changed, and how often the older ones are.
WATCHED_DAYS = 35
SWEEP_EVERY = timedelta(days=6, hours=12)

# The server's clock when the read began.
READ_AT = "read_at"
# When all tables were last looked at, not just the watched ones.
SWEPT_AT = "swept_at"
# The oldest date that was ever exported, as far as was seen; it stays when BigQuery lets old tables expire.
EXPORTED_SINCE = "exported_since"
# Date (YYYYMMDD) -> [table, last change in ms]: what was read. The dates whose figures are known.
DATES = "dates"
# Names the rules by which the sessions of these dates were counted (statement.RULES).
COUNTED_BY = "counted_by"

Window = tuple[date, date]


@dataclass
class Export:
    """The tables of one property as they are in one session: listed and described once, for both streams."""

    bigquery: BigQuery
    zone: ZoneInfo
    _listed: list[DateTable] | None = None
    _facts: dict[str, TableFacts] = field(default_factory=dict)

    def tables(self) -> list[DateTable]:
        """The table of each date, oldest first."""
        if self._listed is None:
            names = self.bigquery.tables()
            clock = self.bigquery.clock
            self._listed = date_tables(names, clock.astimezone(self.zone).date() if clock else None)
        return self._listed

    def facts(self, table: DateTable) -> TableFacts:
        """Raises TableGone where it was deleted since it was listed."""
        if table.name not in self._facts:
            self._facts[table.name] = self.bigquery.facts(table.name)
        return self._facts[table.name]


@dataclass
class Reader:
    """One read of one stream; ``extract`` says what it found."""

    export: Export
    organization: str
    state: Mapping[str, Any]
    window: Window | None
    extract: Extract = field(default_factory=lambda: Extract(records=(), mode="incremental"))
    _rules: str | None = None

    def days(self) -> Extract:
        """Each table as BigQuery describes it. A date without a table has no record: nothing is known of it."""
        self.extract.records = self._described()
        return self.extract

    def sessions(self) -> Extract:
        """Dates that are new, still open to late events, or changed since; each one whole, in place of what was."""
        self._rules = RULES
        self.extract.records = self._read()
        return self.extract

    def _described(self) -> Iterator[Record]:
        described = 0
        for table, facts in self._looked_at():
            described += 1
            self._known[table.suffix] = [table.name, facts.modified]
            modified = _instant(facts.modified)
            yield Record(
                table.suffix,
                {
                    "date": table.day.isoformat(),
                    "table": table.name,
                    "provisional": table.provisional,
                    "rows": facts.rows,
                    "modified_at": modified.isoformat() if modified else None,
                },
                modified,
            )
        self._reread(described, WATCHED_DAYS)

    def _read(self) -> Iterator[Record]:
        tables = self.export.tables()
        late = {table.suffix for table in tables if table.day > _newest(tables) - timedelta(days=LATE_DAYS)}
        dates = 0
        for table, facts in self._looked_at():
            known = [table.name, facts.modified]
            if self.window is None and table.suffix not in late and self._before.get(table.suffix) == known:
                self._known[table.suffix] = known
                continue
            try:
                yield from self._date(table, facts)
            except TableGone:
                self._vanished(table)
                continue
            dates += 1
            self._known[table.suffix] = known
        self._reread(dates, LATE_DAYS)

    def _reread(self, dates: int, always: int) -> None:
        """Dates that were read, for those without a table are unknown; where none has one, as many as there were."""
        if self.window is None:
            self.extract.reread_days = dates or min(len(self._known), always)

    def _date(self, table: DateTable, facts: TableFacts) -> Iterator[Record]:
        bigquery = self.export.bigquery
        text = statement(f"{bigquery.dataset}.{table.name}", facts.columns)
        found = bigquery.rows(text, PARAMETERS)
        hashed = Pseudonyms(bigquery.settings.user_key, self.organization, bigquery.dataset)
        for row in found:
            yield session_record(table, row, hashed)
        # Only now: of a date that was not read to its end, nothing is replaced.
        self.extract.replaced.append(date_prefix(table))

    def _looked_at(self) -> Iterator[tuple[DateTable, TableFacts]]:
        """Tables that may have something new, described. Fills the state meanwhile."""
        tables = self.export.tables()
        begun = self.export.bigquery.clock
        self._begin(begun)
        sweep = self._sweeps(begun)
        watched = _newest(tables) - timedelta(days=WATCHED_DAYS)
        start = self.export.bigquery.settings.start_date
        for table in tables:
            if (start and table.day < start) or (self.window and not self.window[0] <= table.day <= self.window[1]):
                continue
            before = self._before.get(table.suffix)
            if not (self.window or sweep or before is None or before[0] != table.name or table.day > watched):
                continue
            try:
                facts = self.export.facts(table)
            except TableGone:
                self._vanished(table)
                continue
            yield table, facts
        self._finish(begun, sweep, tables)

    def _begin(self, now: datetime | None) -> None:
        read_at = parse_iso(self.state.get(READ_AT))
        dates = self.state.get(DATES)
        self._before: dict[str, list[Any]] = dict(dates) if isinstance(dates, Mapping) else {}
        if now is not None and read_at is not None and read_at > now:
            self.extract.notes.append("the last read is in the future by the server's clock: all dates are read again")
            self._before = {}
        # What was read and is no longer in BigQuery stays known: tables expire, days that were do not.
        self._known: dict[str, list[Any]] = dict(self._before)
        if self._before and self._rules != self.state.get(COUNTED_BY) and self.window is None:
            self.extract.notes.append("what is counted of a date has changed: all dates are read again")
            self._before = {}

    def _sweeps(self, now: datetime | None) -> bool:
        swept = parse_iso(self.state.get(SWEPT_AT))
        return swept is None or now is None or swept > now or now - swept >= SWEEP_EVERY

    def _finish(self, now: datetime | None, sweep: bool, tables: list[DateTable]) -> None:
        since = [table.suffix for table in tables[:1]] + [str(self.state.get(EXPORTED_SINCE) or "")]
        state: dict[str, Any] = {DATES: self._known, EXPORTED_SINCE: min((one for one in since if one), default=None)}
        if self._rules is not None:
            state[COUNTED_BY] = self._rules
        if now is not None:
            state[READ_AT] = now.isoformat(timespec="seconds")
            state[SWEPT_AT] = state[READ_AT] if sweep else self.state.get(SWEPT_AT)
        self.extract.state |= state

    def _vanished(self, table: DateTable) -> None:
        self.extract.notes.append(f"{table.name} was deleted while it was read: what landed of its date stays")


@dataclass(frozen=True)
class Pseudonyms:
    """Users by a keyed hash of their pseudo id: distinct counts stay exact, and no device's id is stored.

    The hash is that of one organization and dataset, so users can't be followed from one to another.
    """

    key: str
    organization: str
    dataset: str

    def __call__(self, pseudo_id: str) -> str:
        person = json.dumps([self.organization, self.dataset, pseudo_id], ensure_ascii=False)
        key = hashlib.blake2b(self.key.encode(), digest_size=32).digest()
        return hashlib.blake2b(person.encode("utf-8", "surrogatepass"), digest_size=16, key=key).hexdigest()


def session_record(table: DateTable, row: Mapping[str, Any], hashed: Pseudonyms) -> Record:
    """One row of the statement as it lands."""
    user = None if row["user_pseudo_id"] is None else hashed(row["user_pseudo_id"])
    key = [row["stream_id"], user, row["session_id"]]
    last = _instant(row["last_event_us"], per_second=1_000_000)
    payload = {
        "date": table.day.isoformat(),
        "stream_id": row["stream_id"],
        "user": user,
        **{name: row[name] for name in _AS_THEY_ARE},
        "screens": [{"name": one["name"], "views": one["views"]} for one in row["screens"]],
    }
    return Record(date_prefix(table) + json.dumps(key, ensure_ascii=False)[1:], payload, last)


_AS_THEY_ARE = (
    "session_id",
    "platform",
    "session_number",
    "session_engaged",
    "is_active",
    "first_event_us",
    "last_event_us",
    "engagement_ms",
    "first_opens",
    "first_visits",
    "events",
    "deliveries",
    "views",
    "screen_views",
)


def date_prefix(table: DateTable) -> str:
    """How the keys of all records of a date begin, and of no other's: keys are JSON arrays, the date first."""
    return f'["{table.suffix}", '


def _newest(tables: list[DateTable]) -> date:
    return tables[-1].day if tables else date.min + timedelta(days=WATCHED_DAYS)


def _instant(value: int | None, per_second: int = 1000) -> datetime | None:
    """An instant of 1970 and after in units of so many a second; None where a clock was set to what no date is."""
    if value is None:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value * (1_000_000 // per_second))
    except OverflowError:
        return None
