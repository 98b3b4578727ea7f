"""How fast and how long: a rate limiter per organization, and a deadline that covers a whole request."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any


class RateLimiter:
    """At most ``calls`` in any ``seconds``, over all threads that share it."""

    def __init__(
        self,
        calls: int,
        seconds: float = 60.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = calls
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._recent: deque[float] = deque()

    def permit(self, calls: int, seconds: float) -> None:
        """From now on at most that many: what the server says of its limit replaces what was assumed."""
        with self._lock:
            self._calls, self._seconds = calls, seconds

    def wait(self) -> float:
        """Wait for a place and take it; seconds waited."""
        # Held while sleeping on purpose: whoever comes later may not overtake.
        with self._lock:
            now = self._clock()
            while self._recent and self._recent[0] <= now - self._seconds:
                self._recent.popleft()
            waited = 0.0
            if len(self._recent) >= self._calls:
                waited = self._recent[-self._calls] + self._seconds - now
                self._sleep(waited)
            self._recent.append(now + waited)
            return waited


class Watchdog:
    """Ends a request when its time is up, whatever it is doing.

    A timeout per read never fires on a server that sends one byte a second; shutting the socket down does end it.
    Serves one request at a time over one connection: ``trace`` (an extension of the HTTP client) tells it which.
    """

    def __init__(self) -> None:
        self._stream: Any = None
        self.fired = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember the connection that requests go over from now on."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._stream = info.get("return_value")

    @contextlib.contextmanager
    def watch(self, seconds: float) -> Iterator[None]:
        """Shut the connection down if the block takes longer than this; ``fired`` then says so."""
        self.fired = False
        _alarms.set(self, time.monotonic() + seconds)
        try:
            yield
        finally:
            _alarms.clear(self)

    def end(self) -> None:
        """Shut the connection down."""
        self.fired = True
        connection = self._stream.get_extra_info("socket") if self._stream is not None else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Alarms:
    """One thread that ends the requests of all watchdogs: a thread each would cost more than many a request."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ends: dict[Watchdog, float] = {}
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    def set(self, watchdog: Watchdog, ends: float) -> None:
        with self._changed:
            self._ends[watchdog] = ends
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="request deadlines", daemon=True)
                self._thread.start()
            elif ends < self._wakes:
                self._changed.notify()

    def clear(self, watchdog: Watchdog) -> None:
        # Waits for an end that is on its way: it must not hit the next request.
        with self._changed:
            self._ends.pop(watchdog, None)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for watchdog in [one for one, ends in self._ends.items() if ends <= now]:
                    del self._ends[watchdog]
                    watchdog.end()
                # A request that was answered is not waited for again: most nights this thread wakes once a minute.
                self._wakes = min(self._ends.values(), default=float("inf"))
                self._changed.wait(None if self._wakes == float("inf") else max(0.0, self._wakes - now))


_alarms = _Alarms()
