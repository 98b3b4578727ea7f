"""The BigQuery stand-in as a server: in a thread on any port for tests, or for as long as a command runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.demo.ga4.app import Service, create_app
from orchestration.demo.ga4.export import Export
from orchestration.demo.ga4.properties import DEMO_PROPERTIES, Property, connection_of
from orchestration.demo.ga4.truth import figures
from orchestration.demo.serving.server import HOST, serving
from orchestration.demo.world import World


@dataclass
class RunningGa4:
    """A stand-in that answers at ``base_url``. ``service`` is its state, for tests in the same process."""

    service: Service
    port: int

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def property(self, slug: str) -> Property:
        """Raises KeyError where there is none."""
        return {given.slug: given for given in self.service.api.properties}[slug]

    def export(self, slug: str) -> Export:
        """A property's tables: to be edited holding ``service.lock``."""
        return self.service.api.exports[self.property(slug).project]

    def connection(self, slug: str) -> dict[str, Any]:
        """The resolved connection settings of a property, as an extractor takes them."""
        return connection_of(self.property(slug), self.base_url)

    def truth(self, slug: str) -> dict[date, dict[str, Any]]:
        """What the mart must show by date once everything was read now."""
        given, world = self.property(slug), self.service.world()
        with self.service.lock:
            return figures(self.export(slug).tables(world), world.now, given.zone)

    def advance(self, days: int) -> World:
        """Let the world live on, as `aiop demo advance` does."""
        return self.service.world.advance(days)


@contextmanager
def running(
    directory: Path | None = None,
    *,
    port: int = 0,
    properties: Sequence[Property] = DEMO_PROPERTIES,
    world: World | None = None,
) -> Iterator[RunningGa4]:
    """A stand-in in a thread of this process, on a free port unless one is given.

    With ``directory`` it follows the world kept there; without, it lives in ``world`` (default: the first day).
    Raises AiopError where the port is taken.
    """
    service = Service(tuple(properties), directory, world or World())
    with serving(create_app(service), "GA4 stand-in", port) as chosen:
        yield RunningGa4(service, chosen)
