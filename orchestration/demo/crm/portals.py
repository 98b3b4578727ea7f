"""What one HubSpot portal is like: how much it holds, what its plan allows, its quirks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Sizes:
    """About how many records of each kind the portal holds on the world's first day."""

    contacts: int = 0
    companies: int = 0
    deals: int = 0
    tickets: int = 0
    products: int = 0
    line_items: int = 0
    quotes: int = 0
    calls: int = 0
    emails: int = 0
    meetings: int = 0
    tasks: int = 0
    feedback_submissions: int = 0
    owners: int = 0

    @property
    def total(self) -> int:
        """All records; owners are none."""
        return sum(vars(self).values()) - self.owners

    def scaled(self, factor: float) -> Sizes:
        """The same proportions; owners and products stay as they are."""
        kept = {"owners": self.owners, "products": self.products}
        return Sizes(**{name: round(count * factor) for name, count in vars(self).items()} | kept)


@dataclass(frozen=True)
class Limits:
    """Requests a private app may make. Search has a limit of its own; None is no limit."""

    per_ten_seconds: int | None = 190
    per_day: int | None = 625_000
    searches_per_second: int | None = 5


@dataclass(frozen=True)
class Portal:
    """One HubSpot account and its private app's token.

    missing_scopes
        Scopes the private app was not given, or the portal's plan has not: 403 where they are needed.
    lively
        Whether the portal has a history and a life of its own; one that has not starts without any record.
    stage_properties
        Whether each stage brings the properties HubSpot computes for it (entered, left, time spent).
    survey_properties
        So many custom contact properties with long names: enough of them do not fit into a URL.
    search_lag_seconds
        How long the search index needs until it shows a change.
    numeric_ids
        Whether search compares ids as numbers; real portals compare them as text.
    merged_are_archived
        Whether the losers of merges are listed among the archived records.
    new_record_merges
        Kinds whose merges end in a record with an id of its own.
    """

    slug: str
    name: str
    hub_id: int
    token: str
    timezone: str = "America/Chicago"
    currency: str = "USD"
    sizes: Sizes = Sizes()
    limits: Limits = Limits()
    missing_scopes: frozenset[str] = frozenset()
    history_days: int = 1096
    lively: bool = True
    currencies: tuple[tuple[str, str], ...] = ()
    stage_properties: bool = True
    survey_properties: int = 0
    search_lag_seconds: int = 30
    numeric_ids: bool = False
    merged_are_archived: bool = False
    new_record_merges: frozenset[str] = field(default=frozenset({"companies", "deals", "tickets"}))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


_VITAL = Sizes(
    contacts=3000,
    companies=650,
    deals=600,
    tickets=420,
    products=36,
    line_items=900,
    quotes=240,
    calls=800,
    emails=1200,
    meetings=380,
    tasks=500,
    feedback_submissions=260,
    owners=14,
)

VITAL_WORKLIFE = Portal(
    slug="vital_worklife",
    name="VITAL WorkLife",
    hub_id=8_214_377,
    token="pat-na1-5f0c7a52-1f6e-4c0e-9b1d-vitalworklife",  # noqa: S106 (opens nothing but the stand-in)
    sizes=_VITAL,
    missing_scopes=frozenset({"crm.objects.goals.read"}),
    currencies=(("EUR", "1.0847"), ("CAD", "0.7291"), ("GBP", "1.271344")),
)

DEMO_PORTALS = (VITAL_WORKLIFE,)
HUBSPOT_PORT = 9102


def hubspot_port() -> int:
    """Port of the demo's stand-in: fixed, so that connections stay valid; DEMO_HUBSPOT_PORT names another."""
    return int(os.environ.get("DEMO_HUBSPOT_PORT") or HUBSPOT_PORT)


def token_name(portal: Portal) -> str:
    """Variable that holds a portal's private-app token."""
    return f"DEMO_HUBSPOT_TOKEN_{portal.slug.upper()}"


def connection_of(portal: Portal, base_url: str) -> dict[str, str]:
    """A portal's connection with its token resolved, as an extractor takes it."""
    return {"access_token": portal.token, "base_url": base_url}


def demo_portal(number: int) -> Portal:
    """A small portal beside the demo's own, with goals: for runs over many organizations."""
    return replace(
        VITAL_WORKLIFE,
        slug=f"portal_{number}",
        name=f"Portal {number}",
        hub_id=9_000_000 + number,
        token=f"pat-eu1-00000000-0000-4000-8000-{number:012d}",
        sizes=_VITAL.scaled(0.04),
        missing_scopes=frozenset(),
        currencies=(),
        history_days=365,
    )


def bench_portal(records: int = 50_000) -> Portal:
    """A portal with about so many records over all kinds, no limits and few properties beyond the default ones."""
    return replace(
        VITAL_WORKLIFE,
        slug="bench",
        name="Bench",
        hub_id=7_700_001,
        token="pat-na1-00000000-0000-4000-8000-bench0000000",  # noqa: S106
        sizes=_VITAL.scaled(records / _VITAL.total),
        limits=Limits(None, None, None),
        missing_scopes=frozenset(),
        history_days=365,
        stage_properties=False,
    )


def blank_portal(slug: str = "blank", **facts: object) -> Portal:
    """A portal without records, properties of its own, lag or limits: to be filled by hand."""
    bare = Portal(
        slug=slug,
        name=slug.capitalize(),
        hub_id=1_000_001,
        token=f"pat-na1-11111111-2222-4333-8444-{slug}",
        timezone="UTC",
        limits=Limits(None, None, None),
        lively=False,
        stage_properties=False,
        search_lag_seconds=0,
    )
    return replace(bare, **facts)  # type: ignore[arg-type]
