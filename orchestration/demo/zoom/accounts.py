"""What one Zoom account is like: who works there, how much they call and meet, what its plan allows, its quirks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class ZoomAccount:
    """One account and its server-to-server OAuth app.

    timezone
        The account's own, which the daily report cuts its days by.
    calls_per_day, meetings_per_day
        On an average working day. There are some at weekends only where ``weekends``.
    plan
        What the app's limits follow; None: no limits.
    missing_scopes
        Scopes the app was not given: 400 with code 4711 where they are needed.
    has_phone
        Without, every address below ``/phone`` is refused.
    lists_zero_days
        Whether the daily report has a row for days without anything.
    history_days
        So many days before the world's first the account has a history.
    lively
        Whether it has a history and a life at all; one that has not starts empty.
    """

    slug: str
    account_id: str
    client_id: str
    client_secret: str = field(repr=False)
    timezone: str = "America/Chicago"
    people: int = 8
    queues: int = 3
    calls_per_day: float = 30
    meetings_per_day: float = 2
    weekends: bool = True
    plan: str | None = "business"
    missing_scopes: frozenset[str] = frozenset()
    has_phone: bool = True
    lists_zero_days: bool = True
    history_days: int = 200
    lively: bool = True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


VITAL_WORKLIFE = ZoomAccount(
    "vital_worklife",
    "Wl2vXq0bT9yEo1aZk3mRsA",
    "vitalWorkLifeClient01",
    "stand-in-secret-of-vital-worklife",
)
IRIS_CLINIC = ZoomAccount(
    "iris_clinic",
    "Ir1sCl1n1cQq8d7fGh2jKw",
    "irisClinicClient00001",
    "stand-in-secret-of-iris-clinic",
    timezone="America/Los_Angeles",
    people=4,
    queues=1,
    calls_per_day=9,
    meetings_per_day=0.7,
    weekends=False,
    plan="pro",
    lists_zero_days=False,
    history_days=75,
)
DEMO_ACCOUNTS = (VITAL_WORKLIFE, IRIS_CLINIC)
ZOOM_PORT = 9103


def zoom_port() -> int:
    """Port of the demo's stand-in: fixed, so that connections stay valid; DEMO_ZOOM_PORT names another."""
    return int(os.environ.get("DEMO_ZOOM_PORT") or ZOOM_PORT)


def secret_name(account: ZoomAccount) -> str:
    """Variable that holds the client secret of an account's app."""
    return f"DEMO_ZOOM_CLIENT_SECRET_{account.slug.upper()}"


def connection_of(account: ZoomAccount, base_url: str) -> dict[str, str]:
    """An account's connection with its secret resolved, as an extractor takes it."""
    return {
        "account_id": account.account_id,
        "client_id": account.client_id,
        "client_secret": account.client_secret,
        "base_url": base_url,
        "token_url": f"{base_url}/oauth/token",
        "plan": account.plan or "business",
    }


def blank_account(slug: str = "blank", **facts: object) -> ZoomAccount:
    """An account without anything in it and without limits, to be filled by hand; in UTC."""
    secret = f"stand-in-secret-of-{slug}"
    bare = ZoomAccount(slug, f"account-{slug}", f"client-{slug}", secret, "UTC", plan=None, lively=False)
    return replace(bare, **facts)  # type: ignore[arg-type]
