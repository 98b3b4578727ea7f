"""A Postgres server with faults: a proxy on loopback that hears each question, and may answer it as trouble does.

It knows as much of the protocol as it takes to tell where a message ends. A question for the next rows of a cursor is
heard as the query that the cursor was declared for.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from orchestration.demo.serving.faults import Fault, Faults

_HOST = "127.0.0.1"
_ENCRYPTION_REQUESTS = {80877103, 80877104}
_DECLARED = re.compile(r'declare\s+("[^"]+"|\S+)\s.*?cursor\s.*?for\s(.*)', re.IGNORECASE | re.DOTALL)
_FETCHED = re.compile(r'fetch\s.*?from\s+("[^"]+"|\S+)', re.IGNORECASE)
# SQLSTATE of a session that its server ends.
_ENDED = "57P01"


@dataclass
class Proxy:
    """``log`` has every question; ``faults`` decides on those to come, by database ("/name") and text.

    Kinds of faults: ``reset`` and ``cut`` (half of the answer, then nothing), ``drip`` and ``delay``, ``status`` and
    ``body`` (an error: ``headers["state"]`` is its SQLSTATE, ``body`` its text), ``garbage`` (no protocol at all).
    """

    target: tuple[str, int]
    faults: Faults = field(default_factory=Faults)
    log: list[str] = field(default_factory=list)
    port: int = 0


@contextmanager
def proxying(target: tuple[str, int]) -> Iterator[Proxy]:
    """A proxy in front of a server, on a free port, for as long as the block runs."""
    proxy = Proxy(target)
    with socket.create_server((_HOST, 0)) as listener:
        proxy.port = listener.getsockname()[1]
        threading.Thread(target=_accept, args=(proxy, listener), daemon=True, name="proxy").start()
        try:
            yield proxy
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _accept(proxy: Proxy, listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_Conversation(proxy, client).run, daemon=True, name="proxied").start()


class _Conversation:
    """One client and its connection to the server, one message after the other."""

    def __init__(self, proxy: Proxy, client: socket.socket) -> None:
        self.proxy = proxy
        self.client = client
        self.server = socket.create_connection(proxy.target)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.database = ""
        self.cursors: dict[str, str] = {}
        self.fault: Fault | None = None

    def run(self) -> None:
        with contextlib.suppress(OSError, EOFError), self.client, self.server:
            self._start()
            while True:
                readable, _, _ = select.select([self.client, self.server], [], [])
                if self.server in readable:
                    self._answer(self.server.recv(65536))
                elif self.client in readable:
                    self._question()

    def _start(self) -> None:
        """Until the client has said which database it wants."""
        while True:
            head = self._exactly(8)
            length, code = struct.unpack("!ii", head)
            body = self._exactly(length - 8)
            self.server.sendall(head + body)
            if code not in _ENCRYPTION_REQUESTS:
                parts = body.split(b"\0")
                self.database = dict(zip(parts[::2], parts[1::2], strict=False)).get(b"database", b"").decode()
                break
            self.client.sendall(self.server.recv(1))
        self._hear(f"connect {self.database}")
        if self.fault is not None:
            self._answer(b"")

    def _question(self) -> None:
        head = self._exactly(5)
        body = self._exactly(struct.unpack("!i", head[1:])[0] - 4)
        if head[:1] in b"QP":
            self._hear(self._meant(body if head[:1] == b"Q" else body.partition(b"\0")[2]))
            if self.fault is not None and self.fault.kind in ("reset", "status", "body", "garbage"):
                self._answer(b"")
        self.server.sendall(head + body)

    def _meant(self, text: bytes) -> str:
        statement = text.partition(b"\0")[0].decode("utf-8", "replace")
        if declared := _DECLARED.match(statement):
            self.cursors[declared[1]] = declared[2]
            return f"declare {declared[2]}"
        fetched = _FETCHED.match(statement)
        return f"fetch {self.cursors.get(fetched[1], '')}" if fetched else statement

    def _hear(self, statement: str) -> None:
        text = f"/{self.database} {statement}"
        self.proxy.log.append(text)
        self.fault = self.proxy.faults.take(f"/{self.database}", text)

    def _answer(self, data: bytes) -> None:
        """Pass on what the server says, or what the fault makes of it."""
        fault, kind = self.fault, self.fault.kind if self.fault else ""
        if not data and fault is None:
            raise EOFError
        if kind == "reset":
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise EOFError
        if fault is not None and kind in ("status", "body"):
            self.client.sendall(_error(fault.headers.get("state", _ENDED), fault.body or "terminating connection"))
            raise EOFError
        if kind == "garbage":
            self.client.sendall(b"\x01\x02 not a word of the protocol")
            raise EOFError
        if kind == "cut":
            self.client.sendall(data[: len(data) // 2])
            raise EOFError
        if fault is not None and kind == "delay":
            time.sleep(fault.seconds)
        if fault is not None and kind == "drip":
            for place in range(len(data)):
                self.client.sendall(data[place : place + 1])
                time.sleep(fault.seconds)
        else:
            self.client.sendall(data)

    def _exactly(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.client.recv(length - len(data))
            if not more:
                raise EOFError
            data += more
        return data


def _error(state: str, text: str) -> bytes:
    """An ErrorResponse of the protocol, after which the session is over."""
    fields = b"".join(code + value.encode() + b"\0" for code, value in ((b"S", "FATAL"), (b"V", "FATAL")))
    body = fields + b"C" + state.encode() + b"\0M" + text.encode() + b"\0\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body
