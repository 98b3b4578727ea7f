"""`make demo`: from nothing to a warehouse one can query, and again to see that nothing is rewritten."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import psycopg
from cryptography.fernet import Fernet

from orchestration.demo.belonging import require_demos
from orchestration.demo.books.company import Company
from orchestration.demo.databases import attach
from orchestration.demo.environment import write_environment
from orchestration.demo.organizations import DEMO_COMPANIES, demo_environment, organizations_yaml
from orchestration.demo.standins import start_standins
from orchestration.errors import AiopError
from orchestration.settings import load_settings
from orchestration.warehouse import organizations, roles
from orchestration.warehouse.database import connect, database_url
from orchestration.warehouse.prepare import prepare


@dataclass(frozen=True)
class TableChange:
    """Rows of one table after a run and how many of them the run wrote."""

    table: str
    rows: int
    inserted: int
    updated: int
    deleted: int

    @property
    def changed(self) -> int:
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True)
class DemoResult:
    """What a demo run did: per table, and seconds by step."""

    tables: list[TableChange]
    seconds: dict[str, float]
    failures: list[str]


def run_demo(say: Callable[[str], None], companies: Iterable[Company] = DEMO_COMPANIES) -> DemoResult:
    """Bring up the database and the stand-in sources, run the nightly job, and count what it wrote.

    ``companies``: whose organizations the warehouse has, each with all the connections it has in the demo.

    Idempotent: a second run finds what stands and writes only what changed in the sources. Raises NotTheDemos, before
    anything is written, where the warehouse holds other organizations than the demo's.
    """
    from orchestration.defs.execution import run_job

    settings = load_settings()
    seconds: dict[str, float] = {}
    with _timed(seconds, "database"):
        say(f"database: starting under {settings.home}" if not settings.database_url else "database: DATABASE_URL")
        database_url()
        with connect() as connection:
            require_demos(connection)
        settings.home.mkdir(parents=True, exist_ok=True)
        write_environment(settings.env_file, {"AIOP_SECRET_KEY": Fernet.generate_key().decode(), **demo_environment()})
        with connect() as connection:
            prepare(connection)
    with contextlib.ExitStack() as stack:
        with _timed(seconds, "stand-in sources"):
            say("stand-in sources: starting on loopback")
            stack.enter_context(start_standins(settings.home))
            made = attach(settings.home, say)
        with _timed(seconds, "organizations"), connect() as connection:
            path = settings.home / "demo" / "organizations.yml"
            path.write_text(organizations_yaml(made, companies), encoding="utf-8")
            applied = organizations.apply_file(connection, path)
            say(f"organizations: {len(applied.added)} new, {len(applied.changed)} changed")
        say("nightly job: extract, load, build, check")
        outcome = run_job("nightly")
    seconds.update(outcome.seconds)
    with connect() as connection:
        tables = _changes(connection, outcome.run_id)
        roles.credentials(connection, "bennett")
    failures = (
        outcome.failed_checks
        if outcome.success
        else [f"the nightly job failed; {outcome.output} has its output", *outcome.failed_checks]
    )
    return DemoResult(tables=tables, seconds=seconds, failures=failures)


@contextlib.contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    """Note the seconds of a block under its name."""
    started = time.monotonic()
    yield
    seconds[step] = time.monotonic() - started


def _changes(connection: psycopg.Connection, run_id: str) -> list[TableChange]:
    landed = connection.execute(
        """
        select format('staging_%%s.%%s', source, stream), sum(rows_received), sum(rows_inserted), sum(rows_updated),
            sum(rows_deleted)
        from ops.sync_runs
        where dagster_run_id = %s
        group by source, stream
        order by 1
        """,
        [run_id],
    ).fetchall()
    built = connection.execute(
        """
        select models.model, models.rows_total, models.rows_inserted, models.rows_updated, models.rows_deleted
        from ops.build_models as models
        inner join ops.build_runs as runs using (build_id)
        where runs.dagster_run_id = %s
        order by 1
        """,
        [run_id],
    ).fetchall()
    return [TableChange(*row) for row in [*landed, *built]]


def summary(result: DemoResult, dev_port: int = 3000) -> str:
    """The end of `make demo`: rows by table, seconds by step, how to look at it."""
    if result.failures:
        raise AiopError("the demo did not finish: " + "; ".join(result.failures), hint="the messages above say why")
    width = max(len(table.table) for table in result.tables)
    lines = ["", f"{'table':<{width}}  {'rows in':>9}  {'new':>8}  {'updated':>8}  {'deleted':>8}"]
    lines += [
        f"{table.table:<{width}}  {table.rows:>9,}  {table.inserted:>8,}  {table.updated:>8,}  {table.deleted:>8,}"
        for table in result.tables
    ]
    data = [table for table in result.tables if table.table != "marts.data_freshness"]
    changed = sum(table.changed for table in data)
    lines += ["", f"{changed:,} changed rows (marts.data_freshness, which says when, not counted)", ""]
    lines += [f"{step:<{width}}  {seconds:>8.1f} s" for step, seconds in result.seconds.items()]
    lines += [
        "",
        "Query it as Bennett, who sees Bennett and nobody else:",
        "  .venv/bin/aiop orgs psql bennett -c 'table marts.mart_sales_daily'",
        "As the warehouse's builder:  .venv/bin/aiop db psql",
        f"Lineage, jobs and checks:    make dev, then http://127.0.0.1:{dev_port}",
        "Let the sources live on:     .venv/bin/aiop demo advance --days 30, then make demo again",
    ]
    return "\n".join(lines)
