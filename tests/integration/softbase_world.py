"""A warehouse over living dealerships for tests: applied, synced and built as a night does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from dbt_runs import Dbt, warehouse

from orchestration.demo.dealer import truth
from orchestration.demo.dealer.dealership import Dealership
from orchestration.demo.serving.databases import Server
from orchestration.demo.softbase_server import RunningSoftbase, running
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database, organizations

AMOUNTS = tuple(f"{name}_revenue" for name in (*truth.DEPARTMENTS, "total"))
COUNTS = tuple(f"{name}_invoices" for name in (*truth.DEPARTMENTS, "total"))
SALES = ("year", "month", "day_of_week", *AMOUNTS, *COUNTS, "open_work_orders", "closed_work_orders")
FLEET = (
    "year",
    "month",
    "total_units",
    "available_units",
    "rented_units",
    "maintenance_units",
    "utilization_rate",
    "rental_revenue_mtd",
    "rental_revenue_ytd",
    "active_rental_customers",
)
CASH = (
    "year",
    "month",
    "cash_balance",
    "cash_change_mtd",
    "operating_cash_flow",
    "ar_change",
    "inventory_change",
    "ap_change",
    "investing_cash_flow",
    "financing_cash_flow",
)
MARTS = ("mart_sales_daily", "mart_rental_fleet", "mart_cash_flow")
_SELECTION = ("--exclude-resource-type", "unit_test", "--select", *(f"+{mart}" for mart in MARTS))

Rows = dict[date, dict[str, Any]]


@dataclass
class SoftbaseWorld:
    """``server`` has the dealerships, ``connection`` the warehouse (autocommit, as its builder), ``dbt`` builds it."""

    server: RunningSoftbase
    connection: psycopg.Connection
    dbt: Dbt

    def night(self) -> SyncReport:
        """Sync all organizations, which must succeed, and build what is above."""
        report = self.sync()
        self.build()
        return report

    def sync(self) -> SyncReport:
        """Land what is new of all organizations, which must succeed."""
        report = sync("softbase")
        assert not report.failures, report.failures
        return report

    def build(self) -> None:
        self.dbt.rebuild(*_SELECTION)

    def build_and_check(self) -> None:
        """Build, and every check on what was built must pass."""
        self.dbt.build(*_SELECTION)

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        return self.connection.execute(statement, parameters).fetchall()

    def sales(self, slug: str) -> Rows:
        """The mart's days of an organization."""
        return self._mart("mart_sales_daily", "sales_date", SALES, slug)

    def fleet(self, slug: str) -> Rows:
        return self._mart("mart_rental_fleet", "snapshot_date", (*FLEET, "units_by_type", "revenue_by_type"), slug)

    def cash(self, slug: str) -> Rows:
        return self._mart("mart_cash_flow", "period_end", (*CASH, "health_status", "non_operating_breakdown"), slug)

    def true_sales(self, slug: str) -> Rows:
        """What the mart must show now, from the dealership's documents."""
        days = truth.sales_days(self.server.records(slug), self.server.today(slug))
        return {
            day.sales_date: day.figures
            | {
                "year": day.sales_date.year,
                "month": day.sales_date.month,
                # 0 is Sunday, as the document has it; Python's week begins with Monday.
                "day_of_week": (day.sales_date.weekday() + 1) % 7,
            }
            for day in days
        }

    def true_fleet(self, slug: str) -> Rows:
        dealership, today = self.server.tenants[slug].dealership, self.server.today(slug)
        seen = truth.fleet(dealership, self.server.records(slug), today)
        revenue = {kind: float(amount) for kind, amount in seen.revenue_by_type.items()}
        dated = {"year": today.year, "month": today.month}
        return {today: dated | seen.figures | {"units_by_type": seen.units_by_type, "revenue_by_type": revenue}}

    def true_cash(self, slug: str) -> Rows:
        months = truth.cash_months(self.server.tenants[slug].dealership, self.server.records(slug))
        first = months[0].period_end
        return {
            month.period_end: month.figures
            | {
                "year": month.period_end.year,
                "month": month.period_end.month,
                "health_status": month.health_status,
                "non_operating_breakdown": None
                if month.period_end == first
                else {name: float(month.parts[name]) for name in ("fixed_assets", "debt", "equity")},
            }
            for month in months
        }

    def row_versions(self) -> dict[tuple, str]:
        """xmin of every row of the marts: moves whenever a row is written."""
        rows = [
            (mart, *row) for mart in MARTS for row in self.query(f"select id, org_id, xmin::text from marts.{mart}")
        ]
        return {row[:3]: row[3] for row in rows}

    def _mart(self, table: str, key: str, columns: tuple[str, ...], slug: str) -> Rows:
        rows = self.query(
            f"select {key}, {', '.join(columns)} from marts.{table} as mart"
            " join ops.organizations on organizations.id = mart.org_id where slug = %s",
            slug,
        )
        return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in rows}


@contextmanager
def softbase_world(
    url: str, server: Server, home: Path, monkeypatch: pytest.MonkeyPatch, dealerships: Sequence[Dealership]
) -> Iterator[SoftbaseWorld]:
    """Dealerships on a server, applied as organizations to the (migrated) database ``url``."""
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    with running(server, dealerships=dealerships) as started:
        entries = []
        for number, dealership in enumerate(dealerships, start=1):
            settings = started.connection(dealership.slug)
            variable = f"SOFTBASE_URL_{number}"
            monkeypatch.setenv(variable, settings["url"])
            entries.append(
                {
                    "id": number,
                    "slug": dealership.slug,
                    "name": dealership.slug,
                    "timezone": dealership.timezone,
                    "currency": "USD",
                    "fiscal_year_start_month": dealership.fiscal_year_start_month,
                    "connections": {"softbase": settings | {"url": f"env:{variable}"}},
                }
            )
        file = home / "organizations.yml"
        file.write_text(yaml.safe_dump({"organizations": entries}), encoding="utf-8")
        with database.connect(autocommit=True) as connection:
            organizations.apply_file(connection, file)
            yield SoftbaseWorld(started, connection, warehouse(url, home / "dbt-state"))


def differences(mart: Rows, true: Rows) -> list[str]:
    """Every figure that the two do not agree on, and days that only one of them has."""
    found = []
    for day in sorted(mart.keys() | true.keys()):
        ours, theirs = mart.get(day, {}), true.get(day, {})
        for name in sorted(ours.keys() | theirs.keys()):
            if ours.get(name) != theirs.get(name):
                found.append(f"{day} {name}: mart {ours.get(name)}, truth {theirs.get(name)}")
    return found
