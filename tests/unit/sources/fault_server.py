"""A server on a real socket that misbehaves to order: each connection plays the next step of a script."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Step = Callable[[socket.socket, threading.Event], None]


@dataclass(frozen=True)
class SeenRequest:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: str


class FaultServer:
    """``script`` holds the steps still to play; the last one is repeated. ``seen`` holds the requests that came."""

    def __init__(self) -> None:
        self.script: list[Step] = []
        self.seen: list[SeenRequest] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # Wakes accept(), which closing alone does not.
        with contextlib.suppress(OSError), socket.create_connection(self._listener.getsockname(), timeout=1):
            pass
        self._thread.join(5)
        self._listener.close()

    def plays(self, *steps: Step) -> None:
        self.script = list(steps)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = _read_request(connection)
            if request is None:
                return
            with self._lock:
                self.seen.append(request)
                step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            step(connection, self._stopping)


def _read_request(connection: socket.socket) -> SeenRequest | None:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    parts = urlsplit(target)
    return SeenRequest(method, parts.path, parse_qs(parts.query), headers, body.decode())


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Step:
    """A whole, well-formed response; what is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def play(connection: socket.socket, _stopping: threading.Event) -> None:
        connection.sendall(_head(status, {"Content-Length": str(len(content)), **(headers or {})}) + content)

    return play


def cut_off(content: bytes, missing: int = 100) -> Step:
    """Promises more bytes than it sends."""

    def play(connection: socket.socket, _stopping: threading.Event) -> None:
        connection.sendall(_head(200, {"Content-Length": str(len(content) + missing)}) + content)

    return play


def reset(connection: socket.socket, _stopping: threading.Event) -> None:
    """Ends the connection with RST instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(content: bytes, interval: float, *, with_length: bool = True) -> Step:
    """Sends the body one byte at a time, always soon enough to satisfy a timeout per read."""
    length = {"Content-Length": str(len(content))} if with_length else {}
    return _slowly(_head(200, length), content, interval)


def drip_headers(interval: float) -> Step:
    """Never gets to the end of its headers."""
    return _slowly(b"HTTP/1.1 200 OK\r\nX-Padding: ", b"x" * 100_000, interval)


def _slowly(first: bytes, then: bytes, interval: float) -> Step:
    def play(connection: socket.socket, stopping: threading.Event) -> None:
        connection.sendall(first)
        for byte in then:
            if stopping.wait(interval):
                return
            connection.sendall(bytes([byte]))

    return play


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", "Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
