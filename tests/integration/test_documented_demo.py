"""`make demo` of the document's two organizations: nine marts, each with rows of whom it is for and of nobody else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import documented_demo
import psycopg
import pytest

from orchestration.demo.standins import start_standins
from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse import embedded_processes
from orchestration.warehouse.database import connect

AIOP = str(Path(sys.executable).with_name("aiop"))
# Section 4 of the document: whose rows each table has.
SCOPE = {
    "mart_financial_metrics": {"bennett", "vital_worklife"},
    "mart_sales_daily": {"bennett"},
    "mart_rental_fleet": {"bennett"},
    "mart_cash_flow": {"bennett"},
    "mart_crm_contacts": {"vital_worklife"},
    "mart_crm_deals": {"vital_worklife"},
    "mart_zoom_metrics": {"vital_worklife"},
    "mart_case_metrics": {"vital_worklife"},
    "mart_app_analytics": {"vital_worklife"},
}
# Both begin at 02:00.
AT_ONCE = {"etl_quickbooks_financial": "mart_financial_metrics", "etl_cash_flow": "mart_cash_flow"}
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("documented-demo")]


@pytest.fixture(scope="module")
def warehouse(session_root: Path) -> Iterator[psycopg.Connection]:
    """The demo's warehouse on an embedded server of its own, after its first night; its stand-ins answer."""
    home = session_root / f"home-{uuid.uuid4().hex[:12]}"
    with pytest.MonkeyPatch.context() as environment, ExitStack() as stack:
        for name in ("DATABASE_URL", "AIOP_PG_PORT", "AIOP_PG_BIN", "DAGSTER_HOME"):
            environment.delenv(name, raising=False)
        environment.setenv("AIOP_HOME", str(home))
        with ExitStack() as held:
            for source in ("QUICKBOOKS", "HUBSPOT", "ZOOM", "GA4"):
                free = held.enter_context(socket.socket())
                free.bind(("127.0.0.1", 0))
                environment.setenv(f"DEMO_{source}_PORT", str(free.getsockname()[1]))
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        stack.callback(lambda: embedded_processes.end_all(home / "pg" / "data"))
        stack.enter_context(start_standins(home))
        ended(started(sys.executable, documented_demo.__file__))
        yield stack.enter_context(connect(autocommit=True))


def started(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def ended(process: subprocess.Popen[str]) -> str:
    """What a process that must succeed has printed."""
    output = process.communicate()[0]
    assert process.returncode == 0, output
    return output


def rows(connection: psycopg.Connection, mart: str) -> list[tuple[Any, ...]]:
    """All that a mart states; not when and under which number it came here."""
    return connection.execute(
        f"select to_jsonb(m) - 'id' - 'created_at' - 'updated_at' from marts.{mart} as m order by 1"
    ).fetchall()


def test_every_mart_has_rows_of_the_organizations_in_its_scope_and_of_no_other(warehouse: psycopg.Connection) -> None:
    found = {
        mart: {
            slug
            for (slug,) in warehouse.execute(
                f"select distinct o.slug from marts.{mart} as m inner join ops.organizations as o on m.org_id = o.id"
            )
        }
        for mart in SCOPE
    }
    assert found == SCOPE


def test_two_jobs_of_one_hour_end_in_the_rows_that_one_after_the_other_made(warehouse: psycopg.Connection) -> None:
    """The night has built them one after the other. All that they stand on is forgotten, and both begin at once."""
    before = {mart: rows(warehouse, mart) for mart in AT_ONCE.values()}
    landed = warehouse.execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = 'staging_quickbooks'"
        " or (schemaname, tablename) in (('staging_softbase', 'gl'), ('staging_softbase', 'chart_of_accounts'))"
    ).fetchall()
    records = {table: count_of(warehouse, table) for (table,) in landed}
    assert len(landed) > 16
    for table in (*records, *(f"marts.{mart}" for mart in before)):
        warehouse.execute(f"delete from {table}")
    warehouse.execute("delete from ops.watermarks where source in ('quickbooks', 'softbase')")

    for job in [started(AIOP, "run", name) for name in AT_ONCE]:
        ended(job)

    assert {table: count_of(warehouse, table) for table in records} == records
    for mart, expected in before.items():
        assert rows(warehouse, mart) == expected, mart
    # Both read and built while the other one did: neither waited for its whole turn.
    spans = warehouse.execute(
        "select max(started), min(ended) from (select min(started_at) as started, max(finished_at) as ended"
        " from ops.sync_runs where dagster_run_id in (select dagster_run_id from ops.sync_runs group by 1"
        " order by max(run_id) desc limit 2) group by dagster_run_id) as jobs"
    ).fetchone()
    assert spans is not None
    assert spans[0] < spans[1]


def count_of(connection: psycopg.Connection, table: str) -> tuple[Any, ...] | None:
    return connection.execute(f"select count(*), count(deleted_at) from {table}").fetchone()
