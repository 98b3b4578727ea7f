from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestration.errors import TransientError
from orchestration.sources.core.records import RequestStats
from orchestration.sources.core.retry import RetryPolicy, TooSlow, TryAgain, with_retry

POLICY = RetryPolicy(attempts=4, initial=2.0, longest=10.0, budget=300.0, session_budget=400.0)


def failing(*troubles: Exception) -> Callable[[], str]:
    """Fails with each of these, then succeeds."""
    remaining = list(troubles)

    def attempt() -> str:
        if remaining:
            raise remaining.pop(0)
        return "done"

    return attempt


def test_what_passes_is_waited_out_and_counted() -> None:
    stats = RequestStats()
    assert with_retry(failing(TryAgain("a"), TryAgain("b")), policy=POLICY, stats=stats) == "done"
    assert stats.retries == 2
    assert 3.0 <= stats.waited_seconds <= 6.0


def test_waits_grow_up_to_the_longest() -> None:
    waits = [POLICY.wait(failures, TryAgain("x")) for failures in range(1, 9)]
    for failures, wait in enumerate(waits, 1):
        grown = min(10.0, 2.0 * 2 ** (failures - 1))
        assert grown / 2 <= wait <= grown


def test_a_wait_is_never_shorter_than_the_server_asks() -> None:
    assert all(7.0 <= POLICY.wait(1, TryAgain("x", after=7.0)) <= 8.0 for _ in range(50))
    assert POLICY.wait(1, TryAgain("x", at_least=60.0)) == 60.0


def test_it_gives_up_after_the_last_attempt_and_says_how_often_it_tried() -> None:
    stats = RequestStats()
    with pytest.raises(TransientError, match=r"down \(tried 4 times\)"):
        with_retry(failing(*[TryAgain("down")] * 9), policy=POLICY, stats=stats)
    assert stats.retries == 3


def test_a_wait_beyond_the_budget_is_refused_and_says_until_when() -> None:
    stats = RequestStats()
    with pytest.raises(TransientError, match=r"tried once; the next attempt would have to wait until \d{4}-\d\d-\d\d"):
        with_retry(failing(TryAgain("quota", after=86400.0)), policy=POLICY, stats=stats)
    assert stats.waited_seconds == 0


def test_an_absurd_wait_is_refused_too() -> None:
    with pytest.raises(TransientError, match="would have to wait until"):
        with_retry(failing(TryAgain("quota", after=1e300)), policy=POLICY, stats=RequestStats())


def test_all_requests_of_a_session_share_a_budget_of_waits() -> None:
    stats = RequestStats(retry_seconds=390.0)
    with pytest.raises(TransientError, match="would have to wait"):
        with_retry(failing(TryAgain("x", at_least=60.0)), policy=POLICY, stats=stats)


def test_waits_on_rate_limits_use_up_no_retries() -> None:
    stats = RequestStats(waited_seconds=100_000.0)
    assert with_retry(failing(TryAgain("x")), policy=POLICY, stats=stats) == "done"


def test_other_errors_pass_at_once() -> None:
    stats = RequestStats()
    with pytest.raises(KeyError):
        with_retry(failing(KeyError("bug")), policy=POLICY, stats=stats)
    assert stats.retries == 0


def test_an_impatient_caller_hears_of_slowness_at_once_but_waits_out_the_rest() -> None:
    stats = RequestStats()
    with pytest.raises(TooSlow):
        with_retry(failing(TryAgain("504", slow=True)), policy=POLICY, stats=stats, patient=False)
    assert stats.retries == 0
    assert with_retry(failing(TryAgain("500")), policy=POLICY, stats=stats, patient=False) == "done"
