"""The tables of an export as they stand at an instant: made, rewritten for late events, replaced, left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from orchestration.demo.ga4.life import Life, Row
from orchestration.demo.ga4.properties import Property
from orchestration.demo.world import World

# The daily table is there at five in the morning, property's time; every sixth one a day late.
READY = time(5)
REWRITES = 3
# Some streamed tables outlive the daily one by half a day.
LINGER = timedelta(hours=12)


@dataclass
class Table:
    """``make`` gives its rows as insertAll takes them, the first time they are asked for.

    without
        Columns of the usual ones that it has not.
    """

    make: Callable[[], list[Row]]
    modified: datetime
    without: frozenset[str] = frozenset()

    @cached_property
    def rows(self) -> list[Row]:
        return self.make()


@dataclass
class Export:
    """One property's dataset. ``given``: tables made by hand, by name; they stand beside those that life makes.

    ``removed``: names of tables that are not there, whatever life says.
    """

    property: Property
    given: dict[str, Table] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    _made: dict[tuple, Table] = field(default_factory=dict)

    def tables(self, world: World) -> dict[str, Table]:
        """All tables by name."""
        made = dict(self._living(world)) if self.property.lively else {}
        return {name: table for name, table in (made | self.given).items() if name not in self.removed}

    def _living(self, world: World) -> Iterator[tuple[str, Table]]:
        first = world.base.astimezone(self.property.zone).date()
        life = Life(self.property, world.seed, first)
        day, today = life.begins, world.now.astimezone(self.property.zone).date()
        while day <= today:
            offset = (day - first).days
            if offset not in self.property.missing:
                yield from self._of(life, day, world.now, flagged=offset >= self.property.flag_since)
            day += timedelta(days=1)

    def _of(self, life: Life, day: date, now: datetime, *, flagged: bool) -> Iterator[tuple[str, Table]]:
        late = 2 if day.toordinal() % 6 == 0 else 1
        made = _local(day + timedelta(days=late), READY, self.property)
        if made <= now:
            written = max(made + timedelta(days=n) for n in range(REWRITES + 1) if made + timedelta(days=n) <= now)
            yield f"events_{day:%Y%m%d}", self._table(life, day, written, flagged=flagged, daily=True)
        lingers = LINGER if day.toordinal() % 5 == 0 else timedelta()
        if _local(day, time(1), self.property) <= now < made + lingers:
            yield f"events_intraday_{day:%Y%m%d}", self._table(life, day, now, flagged=flagged, daily=False)

    def _table(self, life: Life, day: date, until: datetime, *, flagged: bool, daily: bool) -> Table:
        key = (life, day, until, daily)
        if key not in self._made:
            without = frozenset() if flagged else frozenset({"is_active_user"})
            self._made[key] = Table(lambda: _rows(life, day, until, flagged=flagged, daily=daily), until, without)
        return self._made[key]


def _rows(life: Life, day: date, until: datetime, *, flagged: bool, daily: bool) -> list[Row]:
    there = [event for event in life.events(day) if event.arrived <= until]
    if not flagged:
        return [event.row for event in there]
    active = {event.row["user_pseudo_id"] for event in there if event.engaging}
    # Google knows who was active on a day when the day is over.
    return [event.row | {"is_active_user": event.row["user_pseudo_id"] in active if daily else None} for event in there]


def _local(day: date, at: time, given: Property) -> datetime:
    return datetime.combine(day, at, given.zone).astimezone(UTC)
