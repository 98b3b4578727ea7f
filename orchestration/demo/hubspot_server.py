"""The HubSpot stand-in as a server: in a thread on any port for tests, or for as long as a command runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.demo.crm.portals import DEMO_PORTALS, Portal, connection_of
from orchestration.demo.crm.store import Crm
from orchestration.demo.crm.truth import Snapshot, snapshot_of
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot.app import Service, create_app
from orchestration.demo.serving.server import HOST, serving
from orchestration.demo.world import World


@dataclass
class RunningHubspot:
    """A stand-in that answers at ``base_url``. ``service`` is its state, for tests in the same process."""

    service: Service
    port: int

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def connection(self, slug: str) -> dict[str, str]:
        """The resolved connection settings of a portal, as an extractor takes them."""
        return connection_of(self.service.api.accounts[slug].portal, self.base_url)

    def account(self, slug: str) -> Account:
        """A portal as of now: its CRM to be edited (holding ``lock``), its quirks to be set."""
        return self.service.account(slug)

    def crm(self, slug: str) -> Crm:
        return self.account(slug).crm

    def truth(self, slug: str, zone: ZoneInfo | None = None) -> Snapshot:
        """What a snapshot taken now must show, edits on demand included."""
        account = self.account(slug)
        with account.lock:
            return snapshot_of(account.crm, account.instant, zone or account.portal.zone)

    def advance(self, days: int) -> World:
        """Let the world live on, as `aiop demo advance` does."""
        return self.service.world.advance(days)


@contextmanager
def running(
    directory: Path | None = None,
    *,
    port: int = 0,
    portals: Sequence[Portal] = DEMO_PORTALS,
    world: World | None = None,
) -> Iterator[RunningHubspot]:
    """A stand-in in a thread of this process, on a free port unless one is given.

    With ``directory`` it follows the world kept there; without, it lives in ``world`` (default: the first day).
    Raises AiopError where the port is taken.
    """
    service = Service(tuple(portals), directory, world or World())
    with serving(create_app(service), "HubSpot stand-in", port) as chosen:
        yield RunningHubspot(service, chosen)
