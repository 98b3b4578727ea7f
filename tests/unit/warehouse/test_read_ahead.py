"""Reading ahead: the same records in their order, a bounded number ahead, one thread at a time asking the source."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.errors import TransientError
from orchestration.sources.core.records import Record
from orchestration.warehouse.read_ahead import MOST_BYTES, MOST_CHUNKS, ReadAhead

# Its chunks, one that is being filled and one that is being taken.
MOST_AHEAD = (MOST_CHUNKS + 2) * 100


def records(count: int) -> Iterator[Record]:
    return (Record(str(number), {}) for number in range(count))


@settings(deadline=None)
@given(count=st.integers(0, 2_500))
def test_all_records_come_in_their_order(count: int) -> None:
    with ReadAhead(records(count)) as ahead:
        assert [int(one.record_id) for one in ahead] == list(range(count))


@pytest.mark.parametrize("before", [0, 100, 250])
def test_what_the_source_raises_is_raised_where_the_records_are_wanted(before: int) -> None:
    error = TransientError("page 3 failed")

    def failing() -> Iterator[Record]:
        yield from records(before)
        raise error

    with pytest.raises(TransientError) as raised, ReadAhead(failing()) as ahead:
        for _ in ahead:
            pass
    assert raised.value is error


def test_a_writer_that_stands_still_is_not_run_away_from() -> None:
    read = 0

    def endless() -> Iterator[Record]:
        nonlocal read
        while True:
            read += 1
            yield Record(str(read), {})

    with ReadAhead(endless()) as ahead:
        taken = len(list(islice(ahead, 5_000)))
        settled = 0
        while settled != read:
            settled = read
            time.sleep(0.05)
        assert taken < read <= taken + MOST_AHEAD


def test_large_answers_are_read_ahead_one_at_a_time() -> None:
    received = 0

    def pages() -> Iterator[Record]:
        nonlocal received
        while True:
            received += MOST_BYTES
            yield from records(100)

    with ReadAhead(pages(), lambda: received) as ahead:
        next(iter(ahead))
        time.sleep(0.2)
        # One being written, one read, one asked for when that was full.
        assert received <= 3 * MOST_BYTES


def test_a_writer_that_fails_waits_for_the_request_that_is_under_way_and_no_other_follows() -> None:
    asking, answered, asked = threading.Event(), threading.Event(), 0

    def slowly() -> Iterator[Record]:
        nonlocal asked
        while True:
            yield from records(100)
            asked += 1
            asking.set()
            time.sleep(0.2)
            answered.set()

    def write(ahead: ReadAhead) -> None:
        next(iter(ahead))
        assert asking.wait(10)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), ReadAhead(slowly()) as ahead:
        write(ahead)
    assert answered.is_set()
    before = asked
    time.sleep(0.3)
    assert asked == before
    assert not any(thread.name == "read ahead" for thread in threading.enumerate())


def test_the_source_is_read_in_the_context_of_the_load() -> None:
    bound = contextvars.ContextVar[str]("bound")
    bound.set("bennett")

    def of_context() -> Iterator[Record]:
        yield Record(bound.get(), {})

    with ReadAhead(of_context()) as ahead:
        assert [one.record_id for one in ahead] == ["bennett"]
