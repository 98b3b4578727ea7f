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
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        self.fired = True
        connection = self._stream.get_extra_info("socket") if self._stream is not None else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
