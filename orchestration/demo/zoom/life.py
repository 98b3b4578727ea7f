"""An account's life, day by day.

What happens on a day depends on the seed, the account and the date alone, never on when it is asked for: an account
lived until one instant and continued later is the same as one lived in one go.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from orchestration.demo.books.dice import Dice
from orchestration.demo.zoom import calling, meeting
from orchestration.demo.zoom.accounts import ZoomAccount
from orchestration.demo.zoom.records import Leg, Meeting, Person, Queue

NAMES = (
    "Pat Okafor",
    "Sam Lindqvist",
    "Robin Nguyen",
    "Alex O'Brien",
    "Jo Müller",
    "Kim Sato",
    "Lee Haddad",
    "Mo Diaz",
)
# Somebody leaves every so many days of the world; they stay in the list of inactive users so long.
TURNOVER_DAYS = 9
INACTIVE_DAYS = 12
_STAFF_CHANGES = 200


class Life:
    """An account from ``history_days`` before the world's first instant on."""

    def __init__(self, account: ZoomAccount, seed: int, base: datetime) -> None:
        self.account = account
        self.seed = seed
        self.base = base
        self.zone = account.zone
        self.people: list[Person] = []
        self.queues: list[Queue] = []
        self.legs: list[Leg] = []
        self.meetings: list[Meeting] = []
        self._next_day = base.astimezone(self.zone).date() - timedelta(days=account.history_days)
        if account.lively:
            self._hire()

    def continue_until(self, now: datetime) -> None:
        """Live through every local day up to that of ``now``; what of it shows when is for whoever looks."""
        today = now.astimezone(self.zone).date()
        while self.account.lively and self._next_day <= today:
            day, self._next_day = self._next_day, self._next_day + timedelta(days=1)
            dice = Dice(self.seed, self.account.slug, day.isoformat())
            self.legs += calling.calls_of(self, day, dice)
            self.meetings += meeting.meetings_of(self, day, dice)

    def at(self, day: date, hour: int, minute: int, second: int = 0) -> datetime:
        """A local time of a day; one that a clock change skips is as much later, one that comes twice its first."""
        return datetime.combine(day, time(hour, minute, second), self.zone).astimezone(UTC)

    def pace(self, day: date) -> float:
        """How busy a day is: weekends less, holidays not at all."""
        if (day.month, day.day) in ((12, 25), (1, 1), (7, 4)):
            return 0.0
        if day.weekday() < 5:
            return 1.0
        return 0.15 if self.account.weekends else 0.0

    def active(self, at: datetime) -> list[Person]:
        """Who works here at an instant."""
        return [person for person in self.people if person.status(at) == "active"]

    def _hire(self) -> None:
        account, begin = self.account, self.base - timedelta(days=500)
        for number in range(account.people):
            # Every fourth has no phone.
            self.people.append(self._person(number, begin, begin + timedelta(days=1)))
        for change in range(1, _STAFF_CHANGES):
            day = self.base + timedelta(days=TURNOVER_DAYS * change)
            leaver = self.people[change - 1]
            leaver.left, leaver.removed = day, day + timedelta(days=INACTIVE_DAYS)
            # Invited days before, active the day after somebody left.
            number = account.people + change - 1
            self.people.append(self._person(number, day - timedelta(days=4), day + timedelta(days=1)))
        for number in range(account.queues):
            closed = self.base + timedelta(days=5) if number == 1 else None
            self.queues.append(Queue(f"queue{number}-{account.slug}", f"Line {number + 1}", 800 + number, closed))

    def _person(self, number: int, created: datetime, activated: datetime) -> Person:
        name = NAMES[number % len(NAMES)]
        email = f"{name.split()[0]}.{number}@{self.account.slug.replace('_', '-')}.example.com".lower()
        identity = f"u{number:03d}_{self.account.slug[:6]}-{(number * 7919) % 99991:05d}"
        return Person(identity, email, name, created, activated, phone=number % 4 != 3)
