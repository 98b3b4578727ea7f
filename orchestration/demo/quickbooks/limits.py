"""Intuit's throttles: requests a minute and at once, by company."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from orchestration.demo.quickbooks.wire import throttled

MINUTE = 60.0


@dataclass
class Limits:
    """What one company may be asked; None lifts a limit. Retry-After is sent only where ``retry_after`` is set."""

    per_minute: int | None = 500
    reports_per_minute: int | None = 200
    at_once: int | None = 10
    retry_after: str = ""
    _requests: deque[float] = field(default_factory=deque)
    _reports: deque[float] = field(default_factory=deque)
    _running: int = 0

    @contextmanager
    def admit(self, *, report: bool) -> Iterator[None]:
        """Count a request in for as long as it runs. Raises ApiError 429 where it is one too many."""
        if self.at_once is not None and self._running >= self.at_once:
            self._refuse()
        self._count(self._requests, self.per_minute)
        if report:
            self._count(self._reports, self.reports_per_minute)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def _count(self, seen: deque[float], limit: int | None) -> None:
        now = time.monotonic()
        while seen and seen[0] <= now - MINUTE:
            seen.popleft()
        if limit is not None and len(seen) >= limit:
            self._refuse()
        seen.append(now)

    def _refuse(self) -> None:
        raise throttled({"Retry-After": self.retry_after} if self.retry_after else None)
