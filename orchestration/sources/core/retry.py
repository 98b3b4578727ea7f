"""When to ask again: bounded attempts with growing, jittered waits, and the server's own word where it gives one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import stamina

from orchestration.errors import TransientError
from orchestration.sources.core.instants import utc_now
from orchestration.sources.core.records import RequestStats

T = TypeVar("T")


class TryAgain(Exception):
    """This attempt failed in a way that the next may not.

    ``after``: seconds the server asks to wait. ``at_least``: the shortest wait that makes sense, where it says nothing.
    ``slow``: the server could not answer in time, so asking for less may help.
    """

    def __init__(
        self, message: str, *, after: float | None = None, at_least: float = 0.0, slow: bool = False, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.after = after
        self.at_least = at_least
        self.slow = slow
        self.hint = hint


class TooSlow(TransientError):
    """The server could not answer in time, and the caller would rather ask for less than for the same again."""


@dataclass(frozen=True)
class RetryPolicy:
    """Bounds on asking again, in seconds.

    ``initial`` doubles with every failure up to ``longest``. No wait starts that would end after ``budget`` seconds
    since the first attempt, or that would bring a session's waits beyond ``session_budget``.
    """

    attempts: int = 6
    initial: float = 2.0
    longest: float = 60.0
    budget: float = 600.0
    session_budget: float = 1800.0

    def wait(self, failures: int, trouble: TryAgain) -> float:
        """How long to wait after that many failures. Never less than the server asks; jitter spreads the rest."""
        if trouble.after is not None:
            return trouble.after + random.uniform(0, min(1.0, self.initial))
        grown = min(self.longest, self.initial * 2 ** (failures - 1))
        return max(trouble.at_least, grown * random.uniform(0.5, 1.0))


def with_retry(attempt: Callable[[], T], *, policy: RetryPolicy, stats: RequestStats, patient: bool = True) -> T:
    """Call ``attempt`` until it returns, raises something else than TryAgain, or the policy is used up.

    Then TransientError says how often was tried, or until when the server wants to be left alone. Not ``patient``:
    TooSlow at once where the server could not answer in time.
    """
    failures = 0
    refusal = ""
    started = time.monotonic()

    def backoff(error: Exception) -> bool | float:
        nonlocal failures, refusal
        if not isinstance(error, TryAgain) or (error.slow and not patient):
            return False
        failures += 1
        wait = policy.wait(failures, error)
        if time.monotonic() - started + wait > policy.budget or stats.retry_seconds + wait > policy.session_budget:
            until = utc_now() + timedelta(seconds=min(wait, timedelta(days=3660).total_seconds()))
            refusal = f"; the next attempt would have to wait until {until:%Y-%m-%d %H:%M:%S} UTC"
            return False
        if failures < policy.attempts:
            stats.waited_seconds += wait
            stats.retry_seconds += wait
            stats.retries += 1
        return wait

    try:
        for turn in stamina.retry_context(on=backoff, attempts=policy.attempts, timeout=None):
            with turn:
                return attempt()
    except TryAgain as error:
        if error.slow and not patient:
            raise TooSlow(error.message) from error
        times = "once" if failures == 1 else f"{failures} times"
        raise TransientError(
            f"{error.message} (tried {times}{refusal})",
            hint=error.hint or "run the sync again later; what was loaded before is untouched.",
        ) from error
    raise AssertionError("stamina always returns or raises")
