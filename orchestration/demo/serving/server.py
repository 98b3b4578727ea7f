"""A stand-in's application served from a thread of this process, on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from orchestration.demo.serving.faulty import TRANSPORTS
from orchestration.errors import AiopError

HOST = "127.0.0.1"
STARTUP_SECONDS = 15.0


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's HTTP protocol, with its connection within reach of faults that reset it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        TRANSPORTS[transport.get_extra_info("peername")[:2]] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        peer = self.transport.get_extra_info("peername") if self.transport else None
        if peer:
            TRANSPORTS.pop(peer[:2], None)
        super().connection_lost(exc)


@contextmanager
def serving(app: ASGIApp, name: str, port: int = 0) -> Iterator[int]:
    """Serve ``app`` while the block runs, on a free port unless one is given; gives the port.

    Raises AiopError where the port is taken.
    """
    # Only where the protocol is named does asyncio switch Nagle's algorithm off: without, every answer of two
    # packets takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise AiopError(f"port {port} can't be used: {error.strerror}", hint="Is another server on it?") from error
    config = uvicorn.Config(
        app,
        http=_Protocol,
        loop="asyncio",
        lifespan="off",
        log_level="warning",
        access_log=False,
        # The app sends the world's date; two would contradict each other.
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=name, daemon=True)
    thread.start()
    deadline = time.monotonic() + STARTUP_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise AiopError(f"the {name} did not start", hint="its messages are above")
        time.sleep(0.005)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(STARTUP_SECONDS)
        listener.close()
