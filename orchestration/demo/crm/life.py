"""A portal's life, one event after another.

What happens on a day depends on the seed, the portal, the date and what stands in the CRM by then, never on when it is
asked for: a CRM lived until one instant and continued later is the same CRM as one lived in one go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from orchestration.demo.books.dice import Dice
from orchestration.demo.crm import activities, companies, people, selling, staff, stages
from orchestration.demo.crm.formats import DAY, local_date, local_instant, to_ms
from orchestration.demo.crm.habits import Habit
from orchestration.demo.crm.store import Crm

if TYPE_CHECKING:
    from datetime import datetime

    from orchestration.demo.crm.portals import Portal
    from orchestration.demo.crm.records import Record
    from orchestration.demo.world import World


# How long HubSpot keeps what was archived.
BIN_DAYS = 90


class Life:
    """A portal's CRM as it develops from ``base - history_days`` on; ``base`` is the world's first instant."""

    def __init__(self, portal: Portal, seed: int, base: datetime) -> None:
        self.portal = portal
        self.seed = seed
        self.crm = Crm(merged_are_archived=portal.merged_are_archived)
        self.zone = portal.zone
        self.first_day = local_date(to_ms(base), self.zone)
        self.today = self.first_day - timedelta(days=portal.history_days)
        self.at = local_instant(self.today, 0, 0, self.zone)
        self.dice = Dice(seed, portal.slug, "setup")
        self.binned: list[Record] = []
        self.winners: list[Record] = []
        self._pending: deque[tuple[int, int, Callable[[Life], object]]] = deque()
        self._habits: list[Habit] = []
        if portal.lively:
            stages.open_pipelines(self)
            staff.open_staff(self)
            companies.open_properties(self)
            people.open_properties(self)
            selling.open_products(self)
            self._habits = [
                *companies.habits(portal),
                *people.habits(portal),
                *selling.habits(portal),
                *activities.habits(portal),
                *staff.habits(portal),
            ]
            self._plan(self.today)

    @classmethod
    def of(cls, portal: Portal, world: World) -> Life:
        """A portal as the world's clock has it."""
        life = cls(portal, world.seed, world.base)
        life.continue_until(to_ms(world.now))
        return life

    def continue_until(self, at: int) -> None:
        """Live up to and including an instant; an earlier one changes nothing."""
        while self.portal.lively:
            while self._pending and self._pending[0][0] <= at:
                self.at, number, act = self._pending.popleft()
                self.dice = Dice(self.seed, self.portal.slug, self.today.isoformat(), number)
                act(self)
            if self._pending or local_instant(self.today + timedelta(days=1), 0, 0, self.zone) > at:
                return
            self.today += timedelta(days=1)
            self._plan(self.today)

    def pick(self, kind: str, newest: float = 1.0) -> Record | None:
        """Some live record out of the newest share of a kind, by id; None where there is none."""
        ids = self.crm.ids(kind)
        if not ids:
            return None
        share = max(1, int(len(ids) * newest))
        return self.crm.records[kind][ids[-self.dice.between(1, share)]]

    def owner(self) -> str | None:
        """The id of somebody who works here."""
        active = [owner.id for owner in self.crm.owners.values() if not owner.archived]
        return str(self.dice.pick(active)) if active else None

    def _plan(self, day: date) -> None:
        """Throw what happens on a day and when."""
        dice = Dice(self.seed, self.portal.slug, day.isoformat(), "plan")
        pace = 1.25 if day.weekday() < 5 else 0.375
        opens, ends = local_instant(day, 8, 0, self.zone), local_instant(day + timedelta(days=1), 0, 0, self.zone)
        starts, closes = local_instant(day, 0, 0, self.zone), local_instant(day, 18, 0, self.zone)
        events: list[tuple[int, Callable[[Life], object]]] = [
            (local_instant(day, 3, 30, self.zone), lambda life: life.crm.empty_bin(life.at - BIN_DAYS * DAY)),
            (local_instant(day, 7, 30, self.zone), lambda life: stages.change_pipelines(life, life.day_number)),
        ]
        for habit in self._habits:
            low, high = (opens, closes) if habit.office else (starts, ends)
            for _ in range(dice.count(habit.per_day * pace)):
                events.append((dice.between(low, high - 1), habit.act))
        numbered = [(at, number, act) for number, (at, act) in enumerate(events)]
        self._pending = deque(sorted(numbered, key=lambda event: event[:2]))

    @property
    def day_number(self) -> int:
        """Days since the world's first; negative before it."""
        return (self.today - self.first_day).days
