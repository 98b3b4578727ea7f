"""Rate limits of one portal's private app: a rolling window for all calls, another for searches, a daily quota."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import date

from orchestration.demo.crm.portals import Limits
from orchestration.demo.hubspot.errors import rate_limited

WINDOW = 10.0


class Meter:
    """Counts calls in real time, since a client's speed is real; the day is that of the portal's clock.

    retry_after
        Whether 429 answers say how long to wait: HubSpot does so only sometimes.
    """

    def __init__(self, limits: Limits, hub_id: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.hub_id = hub_id
        self.retry_after = False
        self.used_today = 0
        self._clock = clock
        self._day: date | None = None
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()

    def count(self, today: date, *, search: bool) -> None:
        """Count one call; raises the 429 of the limit it exceeds. Refused calls use up nothing."""
        if today != self._day:
            self._day, self.used_today = today, 0
        now = self._clock()
        if self.limits.per_day is not None and self.used_today >= self.limits.per_day:
            raise rate_limited("DAILY", self.hub_id, None)
        if search:
            self._check(self._searches, self.limits.searches_per_second, 1.0, now, "SECONDLY")
        else:
            self._check(self._calls, self.limits.per_ten_seconds, WINDOW, now, "TEN_SECONDLY_ROLLING")
        self.used_today += 1

    def headers(self) -> dict[str, str]:
        """What answers to calls other than searches say about the limits."""
        headers = {}
        if self.limits.per_day is not None:
            headers["X-HubSpot-RateLimit-Daily"] = str(self.limits.per_day)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, self.limits.per_day - self.used_today))
        if self.limits.per_ten_seconds is not None:
            headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = str(round(WINDOW * 1000))
            headers["X-HubSpot-RateLimit-Max"] = str(self.limits.per_ten_seconds)
            headers["X-HubSpot-RateLimit-Remaining"] = str(max(0, self.limits.per_ten_seconds - len(self._calls)))
        return headers

    def _check(self, calls: deque[float], most: int | None, window: float, now: float, policy: str) -> None:
        while calls and calls[0] <= now - window:
            calls.popleft()
        if most is not None and len(calls) >= most:
            wait = calls[0] + window - now
            raise rate_limited(policy, self.hub_id, str(max(1, round(wait + 0.5))) if self.retry_after else None)
        calls.append(now)
