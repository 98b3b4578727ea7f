"""How people use an app: sessions by the day they begin, with every event and when it reached Google.

All of it follows from the world's seed, the property and the day, so any day can be told at any time, and stays so.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from orchestration.demo.ga4.properties import Property

Row = dict[str, Any]

# Names as apps really have them: umlauts, quotes, signs, and none at all.
SCREENS = ("Home", "Get help", "Übungen", 'Q&A "Pricing"', "50% off / today", "\U0001f642 Mood check-in", "")
CLASSES = ("HomeViewController", "HelpActivity", "")
TITLES = ("Welcome", "Book a session", "FAQ – how it works", "")
CHURN_DAYS = 60


@dataclass(frozen=True)
class Event:
    """``row`` as the export has it, but for is_active_user, which is the day's. ``arrived``: aware UTC."""

    row: Row
    arrived: datetime
    engaging: bool


@dataclass(frozen=True)
class User:
    pseudo_id: str
    joined: date | None
    platform: str
    stream_id: str


@dataclass(frozen=True)
class Life:
    """One property in one world; ``first``: the world's first date."""

    property: Property
    seed: int
    first: date

    @property
    def begins(self) -> date:
        """The first date exported."""
        return self.first - timedelta(days=self.property.history_days)

    def events(self, day: date) -> list[Event]:
        """All events of a date that ever arrive, in the order in which they happened."""
        found = [
            event
            for start in (day - timedelta(days=1), day)
            for event in _sessions(self, start)
            if event.row["event_date"] == f"{day:%Y%m%d}"
        ]
        return sorted(found, key=lambda event: event.row["event_timestamp"])

    def users(self, day: date) -> Iterator[User]:
        """Who may use the app on a date."""
        for number in range(self.property.known_users):
            yield self._user(f"known {number}", None)
        for back in range(CHURN_DAYS, -1, -1):
            joined = day - timedelta(days=back)
            if joined >= self.begins:
                for number in range(self._random(joined, "joining").randint(0, 2 * self.property.joining)):
                    yield self._user(f"{joined} {number}", joined)

    def _user(self, name: str, joined: date | None) -> User:
        chance = self._random(name)
        weights = [weight for _, _, weight in self.property.platforms]
        platform, stream_id, _ = chance.choices(self.property.platforms, weights)[0]
        digest = blake2b(f"{self.seed} {self.property.number} {name}".encode(), digest_size=16).hexdigest()
        pseudo_id = f"{int(digest[:8], 16)}.{int(digest[8:16], 16)}" if platform == "WEB" else digest
        return User(pseudo_id, joined, platform, stream_id)

    def _random(self, *what: object) -> random.Random:
        return random.Random(f"{self.seed}/{self.property.number}/{'/'.join(map(str, what))}")


@lru_cache(maxsize=4096)
def _sessions(life: Life, day: date) -> tuple[Event, ...]:
    """Events of all sessions that begin on a day, those after its midnight among them."""
    found: list[Event] = []
    for user in life.users(day):
        chance = life._random(user.pseudo_id, day)
        new = user.joined == day
        if new or chance.random() < 0.3:
            for number in range(chance.choices((1, 2, 3), (6, 3, 1))[0]):
                found += _session(life, user, day, number, chance, new and number == 0)
        elif chance.random() < 0.08:
            found += _silent(life, user, day, chance)
    return tuple(found)


def _session(life: Life, user: User, day: date, number: int, chance: random.Random, new: bool) -> Iterator[Event]:
    late = chance.random() < 0.06
    minute = chance.randint(23 * 60 + 50, 23 * 60 + 59) if late else chance.randint(5 * 60, 23 * 60 + 40)
    at = datetime.combine(day, time(), life.property.zone).astimezone(UTC) + timedelta(minutes=minute)
    at += timedelta(seconds=chance.randint(0, 59), microseconds=chance.randint(0, 999_999))
    # A phone without a network keeps its events for a while; some for longer than Google waits.
    delay = timedelta(hours=chance.randint(20, 90)) if chance.random() < 0.07 else timedelta(seconds=30)
    consented = new or chance.random() > 0.06
    session_id = int(at.timestamp())
    web = user.platform == "WEB"
    shared = [
        _parameter("ga_session_id", number=session_id),
        _parameter("ga_session_number", number=chance.randint(1, 40)),
        _parameter("session_engaged", text="1") if web else _parameter("session_engaged", number=1),
    ]
    names = ["session_start"]
    names[:0] = [("first_visit" if web else "first_open")] if new else []
    names += [("page_view" if web else "screen_view")] * chance.randint(1, 6) + ["user_engagement"]
    for name in names:
        parameters = [*(shared if consented else ()), *_about(name, chance)]
        row = _row(life, user, at, name, parameters, consented)
        yield Event(row, at + delay, engaging=name == "user_engagement" or new)
        if chance.random() < 0.02:
            yield Event(row | {"event_params": parameters[::-1]}, at + delay, engaging=False)
        at += timedelta(seconds=chance.randint(1, 240), microseconds=chance.randint(1, 999_999))


def _silent(life: Life, user: User, day: date, chance: random.Random) -> Iterator[Event]:
    """A notification that reaches a phone nobody looks at: an event, no session, no active user."""
    at = datetime.combine(day, time(12), life.property.zone).astimezone(UTC) + timedelta(
        seconds=chance.randint(0, 9999)
    )
    yield Event(_row(life, user, at, "notification_receive", [], True), at, engaging=False)


def _about(name: str, chance: random.Random) -> list[Row]:
    if name == "screen_view":
        texts = {"firebase_screen": chance.choice(SCREENS), "firebase_screen_class": chance.choice(CLASSES)}
    elif name == "page_view":
        texts = {"page_title": chance.choice(TITLES), "page_location": "https://app.example.com/"}
    elif name == "user_engagement":
        return [_parameter("engagement_time_msec", number=chance.randint(900, 90_000))]
    else:
        return []
    return [_parameter(key, text=text) for key, text in texts.items() if text or chance.random() < 0.5]


def _row(life: Life, user: User, at: datetime, name: str, parameters: list[Row], consented: bool) -> Row:
    return {
        "event_date": f"{at.astimezone(life.property.zone):%Y%m%d}",
        "event_timestamp": round(at.timestamp() * 1_000_000),
        "event_name": name,
        "event_params": parameters,
        "user_pseudo_id": user.pseudo_id if consented else None,
        "stream_id": user.stream_id,
        "platform": user.platform,
    }


def _parameter(key: str, *, text: str | None = None, number: int | None = None) -> Row:
    value = {"string_value": text, "int_value": number, "float_value": None, "double_value": None}
    return {"key": key, "value": value}
