"""The QuickBooks stand-in as a server: in a thread on any port for tests, or for as long as a command runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.demo.books.company import Company
from orchestration.demo.ledger import Ledger
from orchestration.demo.organizations import COMPANIES, connection_of
from orchestration.demo.quickbooks.app import Service, create_app
from orchestration.demo.serving.server import HOST, serving
from orchestration.demo.world import World


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

    def advance(self, days: int) -> World:
        """Let the world live on, as `aiop demo advance` does."""
        return self.service.world.advance(days)

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
    with serving(create_app(service), "QuickBooks stand-in", port) as chosen:
        yield RunningServer(service, chosen)


def _no_company(slug: str) -> Company:
    raise KeyError(f"no demo company {slug}")
