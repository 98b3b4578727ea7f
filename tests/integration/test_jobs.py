"""The jobs as a person runs them: `aiop run` in its own process, on a server's Postgres, with one source failing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from warehouse_world import WarehouseWorld, warehouse_world

from orchestration.demo.serving.faults import Fault
from orchestration.settings import PROJECT_ROOT

AIOP = str(Path(sys.executable).with_name("aiop"))


@pytest.fixture
def world(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with warehouse_world(database, tmp_path, monkeypatch, "quarry_stone", "sable_new", "opal_events") as made:
        yield made


def aiop(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([AIOP, *arguments], capture_output=True, text=True, cwd=PROJECT_ROOT, check=False)


def secrets_of(world: WarehouseWorld, url: str) -> dict[str, str]:
    """Every credential that exists in this world, by what it is."""
    tokens = world.server.service.tokens
    found = {
        name: value for name, value in os.environ.items() if name.startswith("DEMO_QUICKBOOKS") and "ID" not in name
    }
    del found["DEMO_QUICKBOOKS_PORT"]
    found["key"] = os.environ["AIOP_SECRET_KEY"]
    found["database password"] = psycopg.conninfo.conninfo_to_dict(url)["password"]
    for realm, grant in tokens.grants.items():
        found[f"refresh token of {realm}"] = grant.refresh_token
        found |= {f"access token {number} of {realm}": token for number, token in enumerate(grant.access)}
    return found


def places_with(secrets: dict[str, str], world: WarehouseWorld, home: Path, outputs: list[str]) -> list[str]:
    """Where a credential can be read: what commands printed, files under the home, rows of any table."""
    texts = {f"output {number}": output for number, output in enumerate(outputs)}
    for path in home.rglob("*"):
        if path.is_file():
            texts[str(path)] = path.read_bytes().decode("latin-1")
    tables = world.query(
        "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    )
    for schema, table in tables:
        statement = sql.SQL("select string_agg(t::text, e'\n') from {} as t").format(sql.Identifier(schema, table))
        texts[f"{schema}.{table}"] = world.connection.execute(statement).fetchone()[0] or ""
    return [f"{name} in {place}" for place, text in texts.items() for name, value in secrets.items() if value in text]


@pytest.mark.slow
@pytest.mark.timeout(900)  # whole jobs, in processes of their own
def test_one_organizations_failure_is_named_stops_nobody_and_shows_no_credential(
    world: WarehouseWorld, database: str, tmp_path: Path
) -> None:
    # A rotated token, then a company whose connection was revoked, and an error page that repeats what it was sent.
    tokens = world.server.service.tokens
    for grant in tokens.grants.values():
        grant.rotation = "always"
    revoked = world.server.company("opal_events")
    echo = "<html>Authorization: Bearer {token} refresh_token={token}</html>"
    world.server.service.faults.add(
        Fault(
            kind="status",
            status=403,
            realm=revoked.realm_id,
            body=echo.format(token=tokens.grants[revoked.realm_id].refresh_token),
            content_type="text/html",
            count=None,
        )
    )

    failing = aiop("run", "etl_quickbooks_financial")

    assert failing.returncode == 1, failing.stdout
    assert "every_organization_synced (opal_events)" in failing.stderr
    assert "quarry_stone" not in failing.stderr
    failed_checks = [line for line in failing.stderr.splitlines() if line.startswith("failed:")]
    assert all("(opal_events)" in line for line in failed_checks), failed_checks
    assert set(world.mart("quarry_stone")) == set(world.truth("quarry_stone"))
    assert world.mart("opal_events") == {}
    # Dagster's own runs are kept in the same server, in a schema of their own.
    assert world.query("select count(*) from dagster.runs") == [(1,)]

    world.server.service.faults.clear()
    # Every source, for one organization that is connected to some of them only.
    repaired = aiop("run", "nightly", "--org", "opal_events")

    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert set(world.mart("opal_events")) == set(world.truth("opal_events"))
    runs = world.query(
        "select distinct s.org_id from ops.sync_runs as s"
        " where dagster_run_id = (select dagster_run_id from ops.sync_runs order by run_id desc limit 1)"
    )
    assert runs == [(revoked.org_id,)]

    outputs = [failing.stdout, failing.stderr, repaired.stdout, repaired.stderr]
    canaries = secrets_of(world, database)
    assert len(canaries) >= 9
    found = places_with(canaries, world, tmp_path, outputs)
    assert found == []


@pytest.mark.slow
def test_an_unknown_job_is_refused_with_the_names_there_are(world: WarehouseWorld) -> None:
    refused = aiop("run", "etl_quickbook")

    assert refused.returncode == 2
    assert "etl_quickbooks_financial" in refused.stderr
    assert "nightly" in refused.stderr
