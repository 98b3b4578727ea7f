"""Case databases on the session's server, and a warehouse that reads them as a night does."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet
from dbt_runs import Dbt, warehouse

from orchestration.demo.cases.caseload import SCHEMA, Caseload
from orchestration.demo.cases.database import update
from orchestration.demo.serving.databases import Server, StandInDatabase, drop_database, ensure_database
from orchestration.demo.world import World
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import database, organizations

_SELECTION = ("--select", "+mart_case_metrics", "organizations", "--exclude-resource-type", "unit_test")
FIGURES = (
    "total_cases",
    "new_cases_30d",
    "closed_cases_30d",
    "cases_by_type",
    "cases_by_status",
    "cases_by_category",
)


@contextmanager
def case_databases(server: Server, caseloads: Sequence[Caseload], world: World) -> Iterator[dict[str, StandInDatabase]]:
    """A database for each caseload, by slug, on the world's day; gone afterwards."""
    names = {one.slug: f"cases_{uuid.uuid4().hex[:12]}" for one in caseloads}
    made = {}
    try:
        for one in caseloads:
            made[one.slug] = ensure_database(server, names[one.slug], f"password-of-{names[one.slug]}")
            with made[one.slug].writing() as connection:
                update(one, connection, world)
        yield made
    finally:
        for name in names.values():
            drop_database(server, name)


@dataclass
class CaseWorld:
    """``databases`` by slug, ``connection`` to the warehouse (autocommit, as its builder), ``dbt`` builds it."""

    caseloads: Sequence[Caseload]
    databases: Mapping[str, StandInDatabase]
    connection: psycopg.Connection
    dbt: Dbt

    def live_to(self, world: World) -> None:
        """Let the databases be as they are on a day of the world."""
        for one in self.caseloads:
            with self.databases[one.slug].writing() as connection:
                update(one, connection, world)

    def night(self) -> SyncReport:
        """Sync all organizations, which must succeed, and build what is above."""
        report = sync("azure_sql")
        assert not report.failures, [str(failure.error) for failure in report.failures]
        self.build()
        return report

    def build(self) -> None:
        self.dbt.rebuild(*_SELECTION)

    def build_and_check(self) -> None:
        """Build, and every check on what was built must pass."""
        self.dbt.build(*_SELECTION)

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        return self.connection.execute(statement, parameters).fetchall()

    def mart(self, slug: str) -> dict[Any, dict[str, Any]]:
        """The mart's rows of an organization by date."""
        found = self.query(
            f"select m.snapshot_date, {', '.join(FIGURES)} from marts.mart_case_metrics as m"
            " inner join ops.organizations as o on o.id = m.org_id where o.slug = %s",
            slug,
        )
        return {row[0]: dict(zip(FIGURES, row[1:], strict=True)) for row in found}


@contextmanager
def world_of(
    caseloads: Sequence[Caseload],
    databases: Mapping[str, StandInDatabase],
    directory: Path,
    patch: pytest.MonkeyPatch,
    url: str,
    zones: Mapping[str, str] | None = None,
) -> Iterator[CaseWorld]:
    """The caseloads as organizations of the warehouse at ``url``, which DATABASE_URL names."""
    patch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    entries = []
    for number, one in enumerate(caseloads, start=1):
        variable = f"CASES_URL_{number}"
        patch.setenv(variable, databases[one.slug].reader_url)
        settings = {"url": f"env:{variable}", "database_schema": SCHEMA}
        facts = {"id": number, "slug": one.slug, "name": one.slug, "currency": "USD"}
        facts["timezone"] = (zones or {}).get(one.slug, one.timezone)
        entries.append({**facts, "connections": {"azure_sql": settings}})
    file = directory / "organizations.yml"
    file.write_text(yaml.safe_dump({"organizations": entries}), encoding="utf-8")
    with database.connect(autocommit=True) as connection:
        organizations.apply_file(connection, file)
        yield CaseWorld(caseloads, databases, connection, warehouse(url, directory / "dbt"))
