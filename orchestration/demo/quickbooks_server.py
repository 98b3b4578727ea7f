"""The QuickBooks stand-in as a server: in a thread on any port for tests, or for as long as a command runs."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from orchestration.demo.books.company import Company
from orchestration.demo.ledger import Ledger
from orchestration.demo.organizations import COMPANIES, connection_of
from orchestration.demo.quickbooks.app import Service, create_app
from orchestration.demo.quickbooks.faulty import TRANSPORTS
from orchestration.demo.world import World
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


@dataclass
class RunningServer:
    """A stand-in that answers at ``base_url``. ``service`` is its state, for tests in the same process."""

    service: Service
    port: int

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def token_url(self) -> str:
        return f"{self.base_url}/oauth2/v1/tokens/bearer"

    def company(self, slug: str) -> Company:
        """The demo company with a slug. Raises KeyError where there is none."""
        return next((c for c in self.service.companies if c.slug == slug), None) or _no_company(slug)

    def connection(self, slug: str) -> dict[str, Any]:
        """The resolved connection settings of a company, as an extractor takes them."""
        return connection_of(self.company(slug), self.base_url)

    def ledger(self, slug: str) -> Ledger:
        """The ledger behind a company as of now: the truth to compare with, edits on demand included."""
        realm = self.service.realms[self.company(slug).realm_id]
        with realm.lock:
            realm.follow(self.service.world())
            return realm.ledger


@contextmanager
def running(
    directory: Path | None = None,
    *,
    port: int = 0,
    companies: Sequence[Company] = COMPANIES,
    world: World | None = None,
) -> Iterator[RunningServer]:
    """A stand-in in a thread of this process, on a free port unless one is given.

    With ``directory`` it follows the world kept there and keeps its tokens there; without, it lives in ``world``
    (default: the first day) and in memory. Raises AiopError where the port is taken.
    """
    service = Service(tuple(companies), directory, world or World())
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise AiopError(f"port {port} can't be used: {error.strerror}", hint="Is another server on it?") from error
    config = uvicorn.Config(
        create_app(service),
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
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="quickbooks-standin", daemon=True)
    thread.start()
    deadline = time.monotonic() + STARTUP_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise AiopError("the QuickBooks stand-in did not start", hint="its messages are above")
        time.sleep(0.005)
    try:
        yield RunningServer(service, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(STARTUP_SECONDS)
        listener.close()


def _no_company(slug: str) -> Company:
    raise KeyError(f"no demo company {slug}")
