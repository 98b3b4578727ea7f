"""What one GA4 property and its export are like."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

GA4_PORT = 9104


@dataclass(frozen=True)
class Property:
    """One property, exported to ``project.analytics_<number>``.

    known_users, joining
        Users there were before the export began, and about how many join a day.
    platforms
        Data stream by platform, weighted by how often users have it.
    history_days
        How long before the world's first day the export began.
    missing
        Days without a table, counted from the world's first date: the export was paused.
    flag_since
        The day, counted likewise, from which tables have the column is_active_user.
    lively
        Whether it has a life of its own; one that has not starts with no table.
    """

    slug: str
    number: int
    project: str
    timezone: str = "America/Chicago"
    known_users: int = 90
    joining: int = 2
    platforms: tuple[tuple[str, str, int], ...] = (
        ("IOS", "2345678901", 5),
        ("ANDROID", "2345678902", 3),
        ("WEB", "2345678903", 2),
    )
    history_days: int = 75
    missing: frozenset[int] = field(default=frozenset({-41, 6}))
    flag_since: int = -60
    lively: bool = True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def dataset(self) -> str:
        return f"analytics_{self.number}"


VITAL_APP = Property("vital_worklife", 318_204_455, "vital-worklife-app")
FJORD_APP = Property(
    "fjord_software",
    402_118_730,
    "fjord-analytics",
    timezone="UTC",
    known_users=25,
    joining=1,
    platforms=(("WEB", "5550000001", 1),),
    history_days=40,
    missing=frozenset(),
    flag_since=-90,
)
DEMO_PROPERTIES = (VITAL_APP, FJORD_APP)


def ga4_port() -> int:
    """Port of the demo's stand-in: fixed, so that connections stay valid; DEMO_GA4_PORT names another."""
    return int(os.environ.get("DEMO_GA4_PORT") or GA4_PORT)


def connection_of(given: Property, base_url: str) -> dict[str, Any]:
    """A property's connection. The stand-in asks for no credentials, as emulators don't."""
    return {
        "project": given.project,
        "dataset": given.dataset,
        "property_timezone": given.timezone,
        "base_url": base_url,
    }


def blank_property(slug: str = "blank", **facts: Any) -> Property:
    """A property without tables: to be filled by hand."""
    return replace(Property(slug, 100_000_001, f"project-{slug}", lively=False, timezone="America/Chicago"), **facts)
