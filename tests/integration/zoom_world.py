"""A warehouse over living Zoom accounts for tests: applied, synced and built as a night does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from dbt_runs import Dbt, warehouse

from orchestration.demo.zoom.accounts import ZoomAccount, connection_of, secret_name
from orchestration.demo.zoom_server import RunningZoom, running
from orchestration.quality.check import check
from orchestration.sources.zoom import limits
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database, organizations

COUNTS = ("total_users", "phone_users", "queue_count")
FIGURES = (
    "total_meetings",
    "total_meeting_minutes",
    "total_participants",
    "avg_meeting_duration_mins",
    "total_calls",
    "inbound_calls",
    "outbound_calls",
    "missed_calls",
    "total_call_minutes",
    "avg_call_duration_mins",
)


@dataclass
class ZoomWorld:
    """``server`` has the accounts, ``connection`` the warehouse (autocommit, as its builder), ``dbt`` builds it.

    zones
        Each organization's time zone, by slug; the account keeps its own.
    """

    server: RunningZoom
    connection: psycopg.Connection
    dbt: Dbt
    zones: Mapping[str, ZoneInfo]

    def night(self) -> SyncReport:
        """Sync all organizations, which must succeed, look at what landed, and build what is above."""
        report = sync("zoom")
        assert not report.failures, [str(failure.error) for failure in report.failures]
        assert not check("zoom", document=False).broken
        self.build()
        return report

    def build(self) -> None:
        self.dbt.rebuild_source("zoom")

    def build_and_check(self) -> None:
        """Build, and every check on what was built must pass."""
        self.dbt.build_source("zoom")

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        return self.connection.execute(statement, parameters).fetchall()

    def mart(self, slug: str) -> dict[date, dict[str, Any]]:
        """The mart's rows of an organization by date."""
        names = ", ".join((*COUNTS, *FIGURES))
        rows = self.query(
            f"select metric_date, {names} from marts.mart_zoom_metrics as mart"
            " join marts.organizations on organizations.id = mart.org_id where slug = %s",
            slug,
        )
        return {row[0]: dict(zip((*COUNTS, *FIGURES), row[1:], strict=True)) for row in rows}

    def counts(self, slug: str) -> tuple[date, dict[str, int]]:
        """Local date and counts of now, straight from the account."""
        seen = self.server.counts(slug, self.zones[slug])
        return seen.day, seen.figures

    def figures(self, slug: str, day: date) -> dict[str, Any]:
        """A day's meetings and calls as known now, straight from the account."""
        return self.server.figures(slug, day, self.zones[slug])

    def row_versions(self) -> dict[tuple, str]:
        """xmin of every row of the mart: moves whenever a row is written."""
        rows = self.query("select org_id, metric_date, xmin::text from marts.mart_zoom_metrics")
        return {row[:2]: row[2] for row in rows}


@contextmanager
def zoom_world(
    url: str, home: Path, monkeypatch: pytest.MonkeyPatch, accounts: Mapping[ZoomAccount, str]
) -> Iterator[ZoomWorld]:
    """Accounts, each with the time zone of its organization, applied to the (migrated) database ``url``.

    Limits are lifted on both sides: what waits for them is not what these tests are about.
    """
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    monkeypatch.setattr(limits, "SHARE", 10_000.0)
    with running(accounts=[replace(account, plan=None) for account in accounts]) as server:
        entries = []
        for number, (account, zone) in enumerate(accounts.items(), start=1):
            monkeypatch.setenv(secret_name(account), account.client_secret)
            settings = connection_of(account, server.base_url) | {"client_secret": f"env:{secret_name(account)}"}
            entries.append(
                {
                    "id": number,
                    "slug": account.slug,
                    "name": account.slug,
                    "timezone": zone,
                    "currency": "USD",
                    "connections": {"zoom": settings},
                }
            )
        file = home / "organizations.yml"
        file.write_text(yaml.safe_dump({"organizations": entries}), encoding="utf-8")
        with database.connect(autocommit=True) as connection:
            organizations.apply_file(connection, file)
            zones = {account.slug: ZoneInfo(zone) for account, zone in accounts.items()}
            yield ZoomWorld(server, connection, warehouse(url, home / "dbt-state"), zones)
