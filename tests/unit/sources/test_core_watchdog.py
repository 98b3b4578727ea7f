"""Deadlines of requests that overlap, kept by one thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from orchestration.sources.core.limits import Watchdog


@contextmanager
def watched() -> Iterator[tuple[Watchdog, socket.socket]]:
    """A watchdog over one end of a connection, and the other end."""
    near, far = socket.socketpair()
    with near, far:
        watchdog = Watchdog()
        stream = SimpleNamespace(get_extra_info=lambda name: near)
        watchdog.trace("connection.connect_tcp.complete", {"return_value": stream})
        yield watchdog, far


def is_open(far: socket.socket) -> bool:
    """Whether nobody has shut the connection down yet; nothing is sent over it."""
    far.setblocking(False)
    try:
        far.recv(1)
    except BlockingIOError:
        return True
    return False


def test_each_request_ends_at_its_own_deadline_whichever_began_first() -> None:
    with watched() as (patient, patient_end), watched() as (hasty, hasty_end):
        with patient.watch(30):
            with hasty.watch(0.05):
                hasty_end.settimeout(10)
                assert hasty_end.recv(1) == b""
            assert hasty.fired
        assert not patient.fired
        assert is_open(patient_end)


def test_an_answered_request_is_never_ended_later() -> None:
    with watched() as (watchdog, far):
        for _ in range(50):
            with watchdog.watch(0.05):
                pass
        with watchdog.watch(30):
            time.sleep(0.2)
        assert not watchdog.fired
        assert is_open(far)


def test_a_deadline_that_passed_is_forgotten_with_its_request() -> None:
    with watched() as (watchdog, _):
        with watchdog.watch(0.01):
            time.sleep(0.2)
        assert watchdog.fired
        with watchdog.watch(30):
            assert not watchdog.fired


def test_requests_share_one_thread() -> None:
    before = threading.active_count()
    with watched() as (one, _), watched() as (other, _), watched() as (third, _):
        with one.watch(30), other.watch(20), third.watch(40):
            assert threading.active_count() <= before + 1
