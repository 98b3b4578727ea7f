"""A night with nothing new, over the demo's 22 companies: extraction, dbt's own overhead, and SQL.

Naive form: every night reads everything again and walks every report again, as a pipeline without watermarks does.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from orchestration.demo.organizations import COMPANIES, demo_environment, organizations_yaml
from orchestration.demo.quickbooks_server import running
from orchestration.sync import sync
from orchestration.warehouse import database, organizations
from orchestration.warehouse.dbt import dbt_environment, run_dbt
from tests.benchmarks.harness import Figure, own_warehouse, seconds, show


@dataclass
class Night:
    """Seconds of one night. ``sql`` is the time the server spent on statements of the build."""

    extraction: float
    build: float
    sql: float
    rows_changed: int

    @property
    def total(self) -> float:
        return self.extraction + self.build


def night(arguments: tuple[str, ...] = ()) -> Night:
    """Sync and build as the nightly job does, without Dagster around it."""
    begun = time.perf_counter()
    report = sync("quickbooks")
    extraction = time.perf_counter() - begun
    assert not report.failures, report.failures[0]
    before = _active_seconds()
    build = seconds(lambda: run_dbt(["build", *arguments], dbt_environment()))
    return Night(extraction, build, _active_seconds() - before, report.rows_changed)


def _active_seconds() -> float:
    # Statistics of a session reach the view when it ends.
    time.sleep(1)
    with database.connect(autocommit=True) as connection:
        row = connection.execute(
            "select active_time / 1000 from pg_stat_database where datname = current_database()"
        ).fetchone()
    assert row is not None
    return float(row[0])


def main() -> None:
    """Run the benchmark and print its table."""
    with own_warehouse() as home, running() as server:
        values = {"AIOP_SECRET_KEY": Fernet.generate_key().decode(), **demo_environment()}
        os.environ.update(values, DEMO_QUICKBOOKS_PORT=str(server.port))
        file = Path(home) / "organizations.yml"
        file.write_text(organizations_yaml(companies=COMPANIES), encoding="utf-8")
        with database.connect(autocommit=True) as connection:
            organizations.apply_file(connection, file)
        first = night()
        ours = min((night() for _ in range(2)), key=lambda one: one.total)
        with database.connect(autocommit=True) as connection:
            connection.execute("delete from ops.watermarks")
        naive = night(("--full-refresh",))
    show(
        "a night with nothing new, 22 organizations",
        [
            Figure("all of it", ours.total, naive.total, "everything read and walked again"),
            Figure("extraction", ours.extraction, naive.extraction, "everything read again"),
            Figure("dbt build", ours.build, naive.build, "every report walked again"),
            Figure("of it SQL", ours.sql, naive.sql, "every report walked again"),
        ],
        [
            f"dbt's own overhead: {ours.build - ours.sql:.1f} s of the build's {ours.build:.1f} s",
            f"rows changed: {ours.rows_changed}; the first night took {first.total:.1f} s",
        ],
    )


if __name__ == "__main__":
    main()
