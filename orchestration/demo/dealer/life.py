"""A dealership, one day after another.

What happens on a day depends on the seed, the dealership, the date and what stands in the records by then: a dealership
lived until one day and continued later is the same as one lived in one go.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from orchestration.demo.books.dice import Dice
from orchestration.demo.dealer import finance, fleet, opening, orders, rental
from orchestration.demo.dealer.chart import DEPARTMENTS
from orchestration.demo.dealer.dealership import Dealership
from orchestration.demo.dealer.documents import Kept, Records
from orchestration.demo.world import World


class Life:
    """A dealership's records as they develop from its first day on; ``world`` gives seed and first instant."""

    def __init__(self, dealership: Dealership, world: World) -> None:
        self.dealership = dealership
        self.departments = DEPARTMENTS[dealership.departments]
        self.world = world
        self.records = Records()
        self.dice = Dice(world.seed, dealership.slug, "setup")
        self.lived = dealership.first_day - timedelta(days=1)
        self.today = self.lived
        self.at = datetime.combine(self.lived, time(9))
        self.due: list[tuple[date, int, Callable[[Life], None]]] = []
        self._asked = 0
        self._last_number = {"order": dealership.first_order, "quote": 910_000_000, "contract": 5_000}
        opening.open_records(self)

    @classmethod
    def of(cls, dealership: Dealership, world: World) -> Life:
        """A dealership as the world's clock has it."""
        life = cls(dealership, world)
        life.continue_until(world)
        return life

    def continue_until(self, world: World) -> None:
        """Live until a world's last day; an earlier one changes nothing."""
        last = world.last_day(self.dealership.zone)
        while self.lived < last:
            self.live(self.lived + timedelta(days=1))

    def live(self, day: date) -> None:
        """Everything that happens on a day. Must be called for every day, in order."""
        self.today = day
        self.dice = Dice(self.world.seed, self.dealership.slug, day.isoformat())
        # Whoever looked at the day before asks for what changed since: business of this day is stamped later.
        last_look = self.world.last_look(day, self.dealership.zone).astimezone(self.dealership.zone)
        self.at = max(datetime.combine(day, time(8)), last_look.replace(tzinfo=None, microsecond=0))
        while self.due and self.due[0][0] <= day:
            heapq.heappop(self.due)[2](self)
        if day.weekday() < 6:
            orders.sell(self)
            rental.rent(self)
            fleet.trade(self)
        rental.count_days(self)
        finance.keep_books(self)
        self.lived = day

    def now(self) -> datetime:
        """The next instant at the desk. A day's entries stay within the day, and none is later than 23:59."""
        end = datetime.combine(self.at.date(), time(23, 59))
        step = timedelta(seconds=self.dice.between(20, 200), milliseconds=self.dice.between(0, 999))
        self.at = min(end, self.at + step)
        return self.at

    def in_days(self, days: int, act: Callable[[Life], None]) -> None:
        """Do something so many days from today (at least one)."""
        self._asked += 1
        heapq.heappush(self.due, (self.today + timedelta(days=max(1, days)), self._asked, act))

    def number(self, kind: str) -> int:
        """The next number of an order, a quote or a contract. Orders skip some, as voided forms do."""
        self._last_number[kind] += self.dice.between(1, 3)
        return self._last_number[kind]

    def touch(self, record: Kept) -> None:
        """Note that a record was changed now."""
        record.modified = self.now()

    def delete(self, record: Kept) -> None:
        """Delete a record as Softbase does: it stays, marked. The time of its last change stays as it was."""
        record.deleted = self.now()

    def post(self, text: str, amounts: dict[str, int], on: date | None = None, **facts: object) -> None:
        """Enter a journal entry, effective today unless ``on`` says when."""
        journal = str(facts.pop("journal", "GJ"))
        self.records.post(journal, on or self.today, self.now(), text, amounts, **facts)  # type: ignore[arg-type]

    def customer(self) -> str:
        """Some customer's number."""
        return self.dice.pick(list(self.records.customers))
