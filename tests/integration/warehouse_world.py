"""A whole warehouse for tests: stand-in companies, their organizations applied, synced and built as a night does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from dbt_runs import Dbt, warehouse

from orchestration.demo.organizations import COMPANIES, demo_environment, organizations_yaml
from orchestration.demo.quickbooks_server import RunningServer, running
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database, organizations

METRICS = (
    "total_revenue",
    "total_expenses",
    "net_income",
    "gross_profit",
    "gross_margin_pct",
    "total_assets",
    "total_liabilities",
    "total_equity",
    "cash_balance",
    "accounts_receivable",
    "accounts_payable",
    "operating_cash_flow",
)


@dataclass
class WarehouseWorld:
    """``server`` has the sources, ``connection`` the warehouse (autocommit, as its builder), ``dbt`` builds it."""

    server: RunningServer
    connection: psycopg.Connection
    dbt: Dbt
    file: Path

    def night(self) -> SyncReport:
        """Sync all organizations, which must succeed, and build what is above."""
        report = sync("quickbooks")
        assert not report.failures, report.failures
        self.build()
        return report

    def build(self) -> None:
        self.dbt.rebuild_source("quickbooks")

    def build_and_check(self) -> None:
        """Build, and every check on what was built must pass."""
        self.dbt.build_source("quickbooks")

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        return self.connection.execute(statement, parameters).fetchall()

    def mart(self, slug: str) -> dict[tuple[int, int], dict[str, Decimal | None]]:
        """The financial mart of an organization by (year, month)."""
        rows = self.query(
            f"select year, month, {', '.join(METRICS)} from marts.mart_financial_metrics as mart"
            " join marts.organizations on organizations.id = mart.org_id where slug = %s",
            slug,
        )
        return {(row[0], row[1]): dict(zip(METRICS, row[2:], strict=True)) for row in rows}

    def truth(self, slug: str) -> dict[tuple[int, int], dict[str, Decimal | None]]:
        """The same from the company's ledger, for the months its connection asks for, on its basis."""
        company = self.server.company(slug)
        first = (company.start_date.year, company.start_date.month)
        totals = self.server.ledger(slug).month_totals(company.accounting_method.lower())
        return {
            month: {metric: known[metric] for metric in METRICS}
            for month, figures in totals.items()
            if month >= first
            for known in [figures | {"gross_margin_pct": _margin(figures)}]
        }

    def row_versions(self) -> dict[tuple[int, int, int], str]:
        """xmin of every row of the mart: moves whenever a row is written."""
        rows = self.query("select org_id, year, month, xmin::text from marts.mart_financial_metrics")
        return {row[:3]: row[3] for row in rows}


def _margin(figures: dict[str, Decimal]) -> Decimal | None:
    """Gross profit in per cent of income, to two places; None where numeric(5,2) has no room, or there is no income."""
    if not figures["income"]:
        return None
    margin = (100 * figures["gross_profit"] / figures["income"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return margin if abs(margin) < 1000 else None


@contextmanager
def warehouse_world(url: str, home: Path, monkeypatch: pytest.MonkeyPatch, *slugs: str) -> Iterator[WarehouseWorld]:
    """The demo companies with these slugs, on a free port, applied to the (migrated) database ``url``."""
    companies = [company for company in COMPANIES if company.slug in slugs]
    for name, value in {"AIOP_SECRET_KEY": Fernet.generate_key().decode(), **demo_environment()}.items():
        monkeypatch.setenv(name, value)
    with running(companies=companies) as server:
        monkeypatch.setenv("DEMO_QUICKBOOKS_PORT", str(server.port))
        content = yaml.safe_load(organizations_yaml())
        content["organizations"] = [entry for entry in content["organizations"] if entry["slug"] in slugs]
        file = home / "demo-organizations.yml"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        with database.connect(autocommit=True) as connection:
            organizations.apply_file(connection, file)
            yield WarehouseWorld(server, connection, warehouse(url, home / "dbt-state"), file)
