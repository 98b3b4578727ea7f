from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from orchestration.sources.core.limits import RateLimiter


class Clock:
    """Time that passes only when somebody sleeps or is told to wait."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(
    calls=st.integers(1, 5),
    pauses=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=40),
)
def test_no_minute_ever_holds_more_calls_than_allowed(calls: int, pauses: list[float]) -> None:
    clock = Clock()
    limiter = RateLimiter(calls, 60.0, clock=clock, sleep=clock.sleep)
    made: list[float] = []
    for pause in pauses:
        clock.sleep(pause)
        before = clock.now
        waited = limiter.wait()
        assert clock.now == before + waited
        made.append(clock.now)
    for index, instant in enumerate(made[calls:]):
        assert instant - made[index] >= 60.0 - 1e-6


def test_nobody_waits_while_there_is_room() -> None:
    clock = Clock()
    limiter = RateLimiter(3, 60.0, clock=clock, sleep=clock.sleep)
    assert [limiter.wait() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limiter.wait() == 60.0


def test_threads_share_one_limit() -> None:
    clock = Clock()
    limiter = RateLimiter(10, 60.0, clock=clock, sleep=clock.sleep)
    threads = [threading.Thread(target=limiter.wait) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.now == 120.0
