"""A warehouse over living HubSpot portals for tests: applied, synced and built as a night does."""

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

from orchestration.demo.crm.portals import Limits, Portal, token_name
from orchestration.demo.hubspot_server import RunningHubspot, running
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database, organizations

CONTACTS = (
    "total_contacts",
    "new_contacts_30d",
    "new_contacts_7d",
    "subscribers",
    "leads",
    "marketing_qualified",
    "sales_qualified",
    "opportunities",
    "customers",
    "evangelists",
    "other_lifecycle",
)
DEALS = (
    "total_deals",
    "open_deals",
    "won_deals",
    "lost_deals",
    "total_pipeline_value",
    "won_value",
    "lost_value",
    "average_deal_size",
    "deals_by_stage",
)

Snapshots = dict[date, dict[str, Any]]


@dataclass
class CrmWorld:
    """``server`` has the portals, ``connection`` the warehouse (autocommit, as its builder), ``dbt`` builds it.

    zones
        Each organization's time zone, by slug; the portal keeps its own.
    """

    server: RunningHubspot
    connection: psycopg.Connection
    dbt: Dbt
    zones: Mapping[str, str]

    def night(self) -> SyncReport:
        """Sync all organizations, which must succeed, and build what is above."""
        report = sync("hubspot")
        assert not report.failures, report.failures
        self.build()
        return report

    def build(self) -> None:
        self.dbt.rebuild_source("hubspot")

    def build_and_check(self) -> None:
        """Build, and every check on what was built must pass."""
        self.dbt.build_source("hubspot")

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        return self.connection.execute(statement, parameters).fetchall()

    def contacts(self, slug: str) -> Snapshots:
        """The mart's rows of an organization by date."""
        return self._mart("mart_crm_contacts", CONTACTS, slug)

    def deals(self, slug: str) -> Snapshots:
        return self._mart("mart_crm_deals", DEALS, slug)

    def truth(self, slug: str) -> tuple[date, dict[str, Any], dict[str, Any]]:
        """Date, contacts and deals of a snapshot taken now, straight from the portal."""
        seen = self.server.truth(slug, ZoneInfo(self.zones[slug]))
        stages = {
            f"{pipeline}/{stage}" if pipeline else stage: figures.deals
            for (pipeline, stage), figures in seen.deals_by_stage.items()
        }
        return seen.snapshot_date, dict(seen.contacts), seen.deals | {"deals_by_stage": stages}

    def row_versions(self) -> dict[tuple, str]:
        """xmin of every row of both marts: moves whenever a row is written."""
        rows = self.query(
            "select 'contacts', org_id, snapshot_date, xmin::text from marts.mart_crm_contacts"
            " union all select 'deals', org_id, snapshot_date, xmin::text from marts.mart_crm_deals"
        )
        return {row[:3]: row[3] for row in rows}

    def _mart(self, table: str, columns: tuple[str, ...], slug: str) -> Snapshots:
        rows = self.query(
            f"select snapshot_date, {', '.join(columns)} from marts.{table} as mart"
            " join marts.organizations on organizations.id = mart.org_id where slug = %s",
            slug,
        )
        return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}


@contextmanager
def crm_world(
    url: str, home: Path, monkeypatch: pytest.MonkeyPatch, portals: Mapping[Portal, str]
) -> Iterator[CrmWorld]:
    """Portals, each with the time zone of its organization, applied to the (migrated) database ``url``.

    Limits are lifted: what waits for them is not what these tests are about.
    """
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    unlimited = [replace(portal, limits=Limits(None, None, None)) for portal in portals]
    with running(portals=unlimited) as server:
        entries = []
        for number, (portal, zone) in enumerate(portals.items(), start=1):
            monkeypatch.setenv(token_name(portal), portal.token)
            settings = {"access_token": f"env:{token_name(portal)}", "base_url": server.base_url}
            entries.append(
                {
                    "id": number,
                    "slug": portal.slug,
                    "name": portal.name,
                    "timezone": zone,
                    "currency": portal.currency,
                    "connections": {"hubspot": settings},
                }
            )
        file = home / "organizations.yml"
        file.write_text(yaml.safe_dump({"organizations": entries}), encoding="utf-8")
        with database.connect(autocommit=True) as connection:
            organizations.apply_file(connection, file)
            zones = {portal.slug: zone for portal, zone in portals.items()}
            yield CrmWorld(server, connection, warehouse(url, home / "dbt-state"), zones)
