"""The Zoom stand-in as a server: in a thread on any port for tests, or for as long as a command runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.demo.serving.server import HOST, serving
from orchestration.demo.world import World
from orchestration.demo.zoom import truth
from orchestration.demo.zoom.account import Account
from orchestration.demo.zoom.accounts import DEMO_ACCOUNTS, ZoomAccount, connection_of
from orchestration.demo.zoom.app import Service, create_app


@dataclass
class RunningZoom:
    """A stand-in that answers at ``base_url``. ``service`` is its state, for tests in the same process."""

    service: Service
    port: int

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def connection(self, slug: str) -> dict[str, str]:
        """The resolved connection settings of an account, as an extractor takes them."""
        return connection_of(self.service.accounts[slug].facts, self.base_url)

    def account(self, slug: str) -> Account:
        """An account as of now: its life to be edited (holding ``lock``), its quirks to be set."""
        return self.service.account(slug)

    def counts(self, slug: str, zone: ZoneInfo) -> truth.Counts:
        """Users, phone users and queues that a read now must leave, with its local date."""
        account = self.account(slug)
        with account.lock:
            return truth.counts(account.life, account.now, zone)

    def figures(self, slug: str, day: date, zone: ZoneInfo) -> truth.Figures:
        """Meetings and calls of a local date as known now."""
        account = self.account(slug)
        with account.lock:
            return truth.figures_of_day(account.life, day, account.now, zone)

    def advance(self, days: int) -> World:
        """Let the world live on, as `aiop demo advance` does."""
        return self.service.world.advance(days)


@contextmanager
def running(
    directory: Path | None = None,
    *,
    port: int = 0,
    accounts: Sequence[ZoomAccount] = DEMO_ACCOUNTS,
    world: World | None = None,
) -> Iterator[RunningZoom]:
    """A stand-in in a thread of this process, on a free port unless one is given.

    With ``directory`` it follows the world kept there; without, it lives in ``world`` (default: the first day).
    Raises AiopError where the port is taken.
    """
    service = Service(tuple(accounts), directory, world or World())
    with serving(create_app(service), "Zoom stand-in", port) as chosen:
        yield RunningZoom(service, chosen)
