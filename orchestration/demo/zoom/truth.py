"""What the days of an account must show, counted straight from what happened.

The rules are those of the mart, written down a second time on purpose: nothing here is shared with what extracts,
loads or builds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from orchestration.demo.zoom.life import Life
from orchestration.demo.zoom.records import Leg

MISSED = {
    "voicemail", "no_answer", "ring_timeout", "abandoned", "canceled", "hang_up", "rejected", "busy", "overflowed",
}  # fmt: skip
Figures = dict[str, int | Decimal | None]
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class Counts:
    """Who and what there is at one instant, by column of mart_zoom_metrics."""

    day: date
    figures: dict[str, int]


def counts(life: Life, now: datetime, zone: ZoneInfo) -> Counts:
    """The snapshot that a read at ``now`` must leave under the local date of ``zone``."""
    return Counts(
        now.astimezone(zone).date(),
        {
            "total_users": sum(person.status(now) == "active" for person in life.people),
            "phone_users": sum(person.phone_status(now) == "activate" for person in life.people),
            "queue_count": sum(queue.status(now) == "active" for queue in life.queues),
        },
    )


def figures_of_day(life: Life, day: date, now: datetime, zone: ZoneInfo) -> Figures:
    """Meetings and calls of one day as they are known at ``now``.

    Calls and the average length of meetings go by the local dates of ``zone``, all else about meetings by those of
    the account's own zone, as the daily report has it; of today and yesterday the report may have no word yet, and
    then these go by ``zone``, too.
    """
    known = [one for one in life.meetings if one.shown <= now]
    reported = [one for one in known if one.start.astimezone(life.zone).date() == day]
    begun = [one for one in known if one.start.astimezone(zone).date() == day]
    if _is_open(day, now.astimezone(zone).date(), [one.start.astimezone(life.zone).date() for one in known]):
        reported = begun
    return {
        "total_meetings": len(reported),
        "total_meeting_minutes": sum(one.participant_minutes for one in reported),
        "total_participants": sum(one.participants for one in reported),
        "avg_meeting_duration_mins": _ratio(sum(one.minutes for one in begun), len(begun)),
        **_calls(life, day, now, zone),
    }


def _is_open(day: date, today: date, met: list[date]) -> bool:
    """Whether the report has no word of a day and may still come to have one; ``met``: its dates with meetings.

    A zero of today or yesterday is no word, and neither is a date that is still to come where the organization is.
    """
    return max((one for one in met if one <= today), default=date.min) < day and (today - day).days <= 1


def _calls(life: Life, day: date, now: datetime, zone: ZoneInfo) -> Figures:
    """A call passed on is one call; it belongs to the day on which its first known leg began."""
    by_call: dict[str, list[Leg]] = defaultdict(list)
    for leg in life.legs:
        if leg.shown <= now:
            by_call[leg.call_id].append(leg)
    calls = [sorted(legs, key=lambda leg: leg.start) for legs in by_call.values()]
    todays = [legs for legs in calls if legs[0].start.astimezone(zone).date() == day]
    seconds = sum(leg.seconds for legs in todays for leg in legs)
    inbound = [legs for legs in todays if legs[0].direction == "inbound"]
    return {
        "total_calls": len(todays),
        "inbound_calls": len(inbound),
        "outbound_calls": sum(legs[0].direction == "outbound" for legs in todays),
        "missed_calls": sum(all(leg.result in MISSED for leg in legs) for legs in inbound),
        "total_call_minutes": int(Decimal(seconds) / 60 // 1 + (1 if seconds % 60 >= 30 else 0)),
        "avg_call_duration_mins": _ratio(Decimal(seconds) / 60, len(todays)),
    }


def _ratio(total: int | Decimal, count: int) -> Decimal | None:
    return (Decimal(total) / count).quantize(_HUNDREDTH, ROUND_HALF_UP) if count else None
