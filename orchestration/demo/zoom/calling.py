"""Calls of a day: mostly in office hours, some on the edges of days and of clock changes, some passed on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from orchestration.demo.books.dice import Dice
from orchestration.demo.zoom.records import Leg

if TYPE_CHECKING:
    from orchestration.demo.zoom.life import Life

ANSWERED = ("answered", "answered", "connected", "accepted", "picked_up", "succeeded")
UNANSWERED = (
    "voicemail", "no_answer", "ring_timeout", "abandoned", "canceled", "hang_up", "rejected", "busy", "overflowed",
)  # fmt: skip
ODD = ("call_failed", "unconnected", "invalid_key", "system_blocked", "service_unavailable", "parked")
# Local times at which somebody always calls on a day with calls: days begin and end here, clocks change at two.
EDGES = ((0, 30), (1, 30), (3, 15), (23, 30))
# Longer than from one night to the next, shorter than the days that a reader should read again.
LATE_HOURS = (26, 50)


def calls_of(life: Life, day: date, dice: Dice) -> list[Leg]:
    """All legs of the calls that begin on a local day, as they will show some time."""
    pace = life.pace(day)
    if not pace:
        return []
    found: list[Leg] = []
    times = [(hour, minute, 0) for hour, minute in EDGES if life.account.weekends]
    times += [
        (8 + dice.between(0, 9), dice.between(0, 59), dice.between(0, 59))
        for _ in range(dice.count(life.account.calls_per_day * pace))
    ]
    for number, (hour, minute, second) in enumerate(times):
        found += _call(life, day, number, life.at(day, hour, minute, second), dice)
    return found


def _call(life: Life, day: date, number: int, start: datetime, dice: Dice) -> Iterator[Leg]:
    inbound = dice.chance(0.62)
    # Beyond what a double holds exactly, as Zoom's are.
    call_id = str(7_000_000_000_000_000_000 + day.toordinal() * 10_000 + number)
    passed_on = dice.between(1, 2) if dice.chance(0.12) else 0
    for leg in range(passed_on + 1):
        last = leg == passed_on
        if last:
            result = dice.pick(ANSWERED) if dice.chance(0.7) else dice.pick(UNANSWERED)
            result = dice.pick(ODD) if dice.chance(0.03) else result
        else:
            result = dice.pick(("answered", "no_answer", "overflowed", "ring_timeout"))
        seconds = dice.between(20, 1500) if result in ANSWERED else dice.between(0, 35)
        end = start + timedelta(seconds=seconds)
        late = timedelta(hours=dice.between(*LATE_HOURS)) if dice.chance(0.04) else timedelta(minutes=2)
        yield Leg(
            uuid=f"{start:%Y%m%d}-{life.account.slug[:4]}{day.toordinal()}-{number:04d}-{leg}",
            call_id=call_id,
            direction="inbound" if inbound else "outbound",
            start=start,
            seconds=seconds,
            result=result,
            shown=end + late,
        )
        start = end + timedelta(seconds=2)
