"""When the jobs run: names and crons, without the machinery that runs them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from orchestration.settings import schedule_timezone


@dataclass(frozen=True)
class Schedule:
    """A job and its cron (five fields of numbers). ``sources``: what it reads; None: whatever has missed its night."""

    job: str
    cron: str
    sources: tuple[str, ...] | None

    @cached_property
    def _fields(self) -> tuple[frozenset[int], ...]:
        parts = self.cron.split()
        if len(parts) != len(_RANGES):
            raise ValueError(f"{self.job}: {self.cron!r} has not five fields")
        return tuple(_numbers(part, *bounds) for part, bounds in zip(parts, _RANGES, strict=True))

    def next_after(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """The first time after ``instant``, in UTC. One that a clock change skips happens as much later."""
        minutes, hours, _, _, _ = self._fields
        day = instant.astimezone(zone).date()
        # Eight years hold every 29th of February.
        for _ in range(366 * 8):
            if self._on(day):
                for hour in sorted(hours):
                    for minute in sorted(minutes):
                        found = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
                        if found > instant:
                            return found
            day += timedelta(days=1)
        raise ValueError(f"{self.job}: {self.cron!r} never happens")

    def _on(self, day: date) -> bool:
        _, _, days, months, weekdays = self._fields
        _, _, day_text, _, weekday_text = self.cron.split()
        in_month, in_week = day.day in days, day.isoweekday() % 7 in weekdays
        # As cron has it: where both are restricted, either will do.
        both = day_text != "*" and weekday_text != "*"
        return day.month in months and ((in_month or in_week) if both else (in_month and in_week))


SCHEDULES = (
    Schedule("etl_sales_daily", "0 1 * * *", ("softbase",)),
    Schedule("etl_rental_fleet", "30 1 * * *", ("softbase",)),
    Schedule("etl_cash_flow", "0 2 * * *", ("softbase",)),
    Schedule("etl_quickbooks_financial", "0 2 * * *", ("quickbooks",)),
    Schedule("etl_hubspot_contacts", "0 3 * * *", ("hubspot",)),
    Schedule("etl_hubspot_deals", "0 3 * * *", ("hubspot",)),
    Schedule("etl_zoom_metrics", "0 4 * * *", ("zoom",)),
    Schedule("etl_case_metrics", "0 5 * * *", ("azure_sql",)),
    Schedule("etl_app_analytics", "0 6 * * *", ("ga4",)),
    Schedule("nightly", "0 7 * * *", None),
)

CRONS = {schedule.job: schedule.cron for schedule in SCHEDULES}


def schedules_on() -> bool:
    """Whether schedules run here (``AIOP_SCHEDULES=on``)."""
    return os.environ.get("AIOP_SCHEDULES", "off").lower() == "on"


def next_run(source: str, now: datetime, schedules: Iterable[Schedule] = SCHEDULES) -> tuple[datetime, str] | None:
    """When a source is read next, and by which job; None where no job reads it. In UTC."""
    zone = ZoneInfo(schedule_timezone())
    times = [
        (schedule.next_after(now, zone), schedule.job)
        for schedule in schedules
        if schedule.sources is None or source in schedule.sources
    ]
    return min(times, default=None)


_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _numbers(text: str, low: int, high: int) -> frozenset[int]:
    """The numbers of one field: ``*``, ``5``, ``1-5``, ``*/15``, and lists of them. Sunday is 0 and 7."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        start, end = (low, high) if span == "*" else (int(first), int(last if dash else first))
        if not low <= start <= end <= high:
            raise ValueError(f"{text!r} is out of bounds ({low} to {high})")
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(number % 7 for number in found) if high == 7 else frozenset(found)
