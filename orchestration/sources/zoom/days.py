"""Which days are read: as far back as Zoom keeps them, in windows it accepts, and which have been read."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.errors import PermanentError
from orchestration.sources.core.instants import parse_iso

KEPT_MONTHS = 6
# A call or meeting shows some time after it ended: so many days are read again.
TRAILING = timedelta(days=3)
# Nothing tells by which time zone Zoom cuts the days of a range: a day more on either side holds them by any.
MARGIN = timedelta(days=1)
# Nothing tells whether the day that ``to`` names is among those of an answer: one more is asked for.
MAY_BE_LEFT_OUT = timedelta(days=1)

READ_AT = "read_at"
COVERED = "covered"
# The first day that Zoom did not refuse, where it keeps less than six months as they are counted here.
HAD_SINCE = "had_since"

State = Mapping[str, Any]


def month_of(day: date) -> date:
    """First day of the month that a day lies in."""
    return day.replace(day=1)


def shifted(day: date, months: int) -> date:
    """The same day so many months later, or the month's last one."""
    years, index = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, index + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def earliest(today: date) -> date:
    """The first day that Zoom still tells about; the day exactly six months ago may already be too old for it."""
    return shifted(today, -KEPT_MONTHS) + timedelta(days=1)


def month_windows(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Ranges that together are ``first`` to ``last``, a month at most with both ends counted; none where it is empty.

    Each begins on the day that the one before ends on: should Zoom leave out the day that ``to`` names, no day between
    two ranges is lost.
    """
    while first <= last:
        end = min(shifted(first, 1) - timedelta(days=1), last)
        yield first, end
        if end == last:
            return
        first = end


def months_of(first: date, last: date) -> list[date]:
    """First days of the months that a range touches."""
    found = [month_of(first)] if first <= last else []
    while found and (following := shifted(found[-1], 1)) <= last:
        found.append(following)
    return found


@dataclass
class Coverage:
    """Days that have been read, as ranges in order with both ends included."""

    ranges: list[tuple[date, date]] = field(default_factory=list)

    @classmethod
    def of(cls, state: State, until: date) -> Coverage:
        """What a state tells, without days after ``until``."""
        found = cls()
        for pair in state.get(COVERED) or ():
            first, last = (date.fromisoformat(text) for text in pair)
            found.add(first, min(last, until))
        return found

    @property
    def last(self) -> date | None:
        """The latest day."""
        return self.ranges[-1][1] if self.ranges else None

    def __contains__(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.ranges)

    def add(self, first: date, last: date) -> None:
        """Add days; nothing where ``last`` is before ``first``."""
        if first > last:
            return
        merged: list[tuple[date, date]] = []
        for one in sorted([*self.ranges, (first, last)]):
            if merged and one[0] <= merged[-1][1] + timedelta(days=1):
                merged[-1] = (merged[-1][0], max(merged[-1][1], one[1]))
            else:
                merged.append(one)
        self.ranges = merged

    def missing(self, first: date, last: date) -> date | None:
        """The first day of a range that is not among them; None where all are."""
        span = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return next((day for day in span if day not in self), None)

    def written(self) -> list[list[str]]:
        """As it stands in a state."""
        return [[first.isoformat(), last.isoformat()] for first, last in self.ranges]


@dataclass(frozen=True)
class Plan:
    """What one read of a dated stream asks for.

    first, last
        Dates to ask for, both included, with a margin for the zone that Zoom cuts days by.
    kept
        In a window: the organization's local dates whose records are wanted. None: whatever comes.
    today
        The organization's local date by the server's clock.
    before
        Days that were read before; ``since``: the last of them where reading goes on from there.
    had_since
        The first day that Zoom still tells about by its own word; None: none that is known.
    """

    first: date
    last: date
    kept: tuple[date, date] | None
    today: date
    before: Coverage = field(default_factory=Coverage)
    since: date | None = None
    had_since: date | None = None

    def covered(self, first: date | None = None) -> Coverage:
        """Days that have been read when all from ``first`` on was; None: all that was asked for."""
        covered = Coverage(list(self.before.ranges))
        # By whichever zone the range was cut: its first day may not be whole.
        covered.add(max(first or date.min, self.first + MARGIN), self.today)
        return covered

    @property
    def reread_days(self) -> int:
        """As ``Extract.reread_days``."""
        return (self.last - self.first).days + 1 if self.kept is None else 0

    def keeps(self, day: date | None) -> bool:
        """Whether a record of that local date is wanted; one whose date can't be told is."""
        return self.kept is None or day is None or self.kept[0] <= day <= self.kept[1]


def plan(
    state: State, window: tuple[date, date] | None, now: datetime, zone: ZoneInfo, start: date | None, notes: list[str]
) -> Plan:
    """Which days to read. What a person asked for and can't be had is said in ``notes``.

    Raises PermanentError where all of a window is older than what Zoom keeps.
    """
    here, there = now.astimezone(zone).date(), now.date()
    oldest, newest = earliest(there), max(here, there)
    if window is not None:
        return _window(window, oldest, newest, here, notes)
    wanted = max(start or oldest, oldest)
    read_at, before = parse_iso(state.get(READ_AT)), Coverage.of(state, here)
    # A state of a time that has not come is no place to go on from.
    since = before.last if read_at is not None and read_at <= now else None
    # What Zoom refused once it never tells again: asking for it would be reading all of it every night.
    refused = state.get(HAD_SINCE) if since is not None else None
    had_since = date.fromisoformat(refused) if refused and date.fromisoformat(refused) > oldest else None
    oldest = had_since or oldest
    wanted = max(wanted, oldest)
    if start is not None and start < oldest and since is None:
        notes.append(_lost(start, oldest))
    if since is not None:
        if since + timedelta(days=1) < oldest:
            notes.append(_lost(since + timedelta(days=1), oldest))
        # Days that were never read, because of a gap or an earlier start than before, are read first of all.
        # The margin at the far end is never whole.
        wanted = before.missing(max(wanted, oldest + MARGIN), since) or max(wanted, since - TRAILING)
    return Plan(max(wanted - MARGIN, oldest), newest, None, here, before, since, had_since)


def _window(window: tuple[date, date], oldest: date, newest: date, here: date, notes: list[str]) -> Plan:
    first, last = window
    if last < oldest:
        raise PermanentError(
            f"Zoom keeps six months: nothing before {oldest} can be had, and {first} to {last} was asked for",
            hint="ask for a later window; what was loaded before is untouched.",
        )
    if first < oldest:
        notes.append(_lost(first, oldest))
    margin_before = first - MARGIN if first > date.min else first
    after = MARGIN + MAY_BE_LEFT_OUT
    margin_after = last + after if last <= date.max - after else last
    return Plan(max(margin_before, oldest), min(margin_after, newest), window, here)


def _lost(first: date, oldest: date) -> str:
    return f"{first} to {oldest - timedelta(days=1)} can't be had: Zoom keeps six months"


def local_date(text: object, zone: ZoneInfo) -> date | None:
    """The local date of an instant as Zoom writes it; without ``Z`` it is a local time already."""
    instant = parse_iso(text)
    if instant is None or not isinstance(text, str):
        return None
    is_local = datetime.fromisoformat(text.strip()).tzinfo is None
    return instant.date() if is_local else instant.astimezone(zone).date()
