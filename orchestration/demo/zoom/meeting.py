"""Meetings of a day with who was in them, some more than once."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING

from orchestration.demo.books.dice import Dice
from orchestration.demo.zoom.records import Meeting, Person, Stay

if TYPE_CHECKING:
    from orchestration.demo.zoom.life import Life

GUESTS = ("Guest Å", "Ana Pereira", "李 雷", "J. Doe", "Zoë", "client 7")


def meetings_of(life: Life, day: date, dice: Dice) -> list[Meeting]:
    """Meetings that begin on a local day."""
    found = []
    for number in range(dice.count(life.account.meetings_per_day * life.pace(day))):
        late = dice.chance(0.05)
        start = life.at(day, 23 if late else 8 + dice.between(0, 9), 40 if late else dice.between(0, 59))
        hosts = life.active(start)
        if hosts:
            found.append(_meeting(life, dice.pick(hosts), start, f"{day} {number}", dice))
    return found


def _meeting(life: Life, host: Person, start: datetime, key: str, dice: Dice) -> Meeting:
    length = timedelta(seconds=dice.between(240, 5400))
    stays = [Stay("16778240", host.name, host.email, start, start + length)]
    for guest in range(dice.between(1, 5)):
        join = start + timedelta(seconds=dice.between(0, 120))
        leave = start + length - timedelta(seconds=dice.between(0, 60))
        name, user = GUESTS[guest], str(16_778_241 + guest)
        if dice.chance(0.25):
            # Lost the line and came back, under another number of the session.
            middle = join + (leave - join) / 2
            middle = middle.replace(microsecond=0)
            stays.append(Stay(user, name, "", join, middle))
            user, join = str(16_779_000 + guest), middle + timedelta(seconds=15)
        stays.append(Stay(user, name, "", join, leave))
    end = max(stay.leave for stay in stays)
    return Meeting(
        uuid=uuid_of(f"{life.seed} {life.account.slug} {key}", dice.between(0, 9)),
        number=80_000_000_000 + dice.between(0, 9_999_999),
        host=host,
        topic="Weekly sync",
        start=start,
        end=end,
        stays=stays,
        shown=end + timedelta(minutes=30),
    )


def uuid_of(key: str, kind: int) -> str:
    """A meeting's uuid: some begin with a slash, some hold two in a row, as base64 has it."""
    text = b64encode(blake2b(key.encode(), digest_size=16).digest()).decode()
    return {0: f"/{text[1:]}", 1: f"{text[:5]}//{text[7:]}"}.get(kind, text.replace("/", "a"))
