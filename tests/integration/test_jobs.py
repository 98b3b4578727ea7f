"""The jobs as a person runs them: `aiop run` in its own process, on a server's Postgres, with one source failing."""

from __future__ import annotations

import contextlib
import gzip
import os
import subprocess
import sys
import zlib
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from warehouse_world import WarehouseWorld, warehouse_world

from orchestration.demo.organizations import CLIENT_ID_NAME, demo_environment
from orchestration.demo.quickbooks.oauth import Reply
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


@pytest.fixture
def issued(world: WarehouseWorld, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Every token that the stand-in hands out from here on, by a number: also those that were rotated since."""
    found: dict[str, str] = {}
    tokens = world.server.service.tokens
    grant = tokens.token

    def noted(authorization: str, form: dict[str, str]) -> Reply:
        reply = grant(authorization, form)
        for name in ("refresh_token", "access_token"):
            if name in reply.body:
                found[f"{name} {len(found)}"] = reply.body[name]
        return reply

    monkeypatch.setattr(tokens, "token", noted)
    return found


def secrets_of(issued: dict[str, str], url: str) -> dict[str, str]:
    """Every credential that exists in this world, or did, by what it is."""
    found = {name: value for name, value in demo_environment().items() if name != CLIENT_ID_NAME}
    found["key"] = os.environ["AIOP_SECRET_KEY"]
    found["database password"] = psycopg.conninfo.conninfo_to_dict(url)["password"]
    return found | issued


def places_with(
    secrets: dict[str, str], world: WarehouseWorld, directories: list[Path], outputs: list[str]
) -> list[str]:
    """Where a credential can be read: what commands printed, files, rows of any table, also in what is compressed."""
    texts = {f"output {number}": output for number, output in enumerate(outputs)}
    for directory in directories:
        for path in [directory] if directory.is_file() else directory.rglob("*"):
            if path.is_file():
                texts[str(path)] = readable(path.read_bytes())
    tables = world.query(
        "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    )
    for schema, table in tables:
        name = sql.Identifier(schema, table)
        statement = sql.SQL("select string_agg(t::text, e'\n') from {} as t").format(name)
        texts[f"{schema}.{table}"] = world.connection.execute(statement).fetchone()[0] or ""
    # As text, bytes are their hexadecimal digits.
    binaries = world.query(
        "select table_schema, table_name, column_name from information_schema.columns"
        " where data_type = 'bytea' and table_schema not in ('pg_catalog', 'information_schema')"
    )
    for schema, table, column in binaries:
        statement = sql.SQL("select {} from {}").format(sql.Identifier(column), sql.Identifier(schema, table))
        values = world.connection.execute(statement).fetchall()
        texts[f"{schema}.{table}.{column}"] = "\n".join(readable(value) for (value,) in values if value)
    return [f"{name} in {place}" for place, text in texts.items() for name, value in secrets.items() if value in text]


def readable(content: bytes) -> str:
    """Bytes as text, with what they are compressed from: Dagster keeps definitions so."""
    found = content.decode("latin-1")
    for form in (zlib.MAX_WBITS, zlib.MAX_WBITS | 16):
        with contextlib.suppress(zlib.error):
            found += "\n" + zlib.decompress(content, form).decode("latin-1")
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)  # whole jobs, in processes of their own
def test_one_organizations_failure_is_named_stops_nobody_and_shows_no_credential(
    world: WarehouseWorld, database: str, tmp_path: Path, issued: dict[str, str], postgres_home: Path
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
    # Nor does each event log in: one session holds them all.
    ((sessions, events),) = world.query(
        "select sessions, (select count(*) from dagster.event_logs) from pg_stat_database"
        " where datname = current_database()"
    )
    assert sessions < events

    world.server.service.faults.clear()
    tokens.expire(revoked.realm_id, "access")
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
    canaries = secrets_of(issued, database)
    # Each company's is rotated at every refresh, and the revoked one's access token had expired before its second run.
    rotated = {value for name, value in issued.items() if name.startswith("refresh")}
    assert len(rotated) >= 4
    assert {grant.refresh_token for grant in tokens.grants.values()} < rotated
    where = [tmp_path, postgres_home / "pg" / "server.log"]
    assert places_with(canaries, world, where, outputs) == []

    # What was searched would have shown one, also where it is compressed.
    planted = {"planted": "canary-5e1f0c77"}
    text = planted["planted"].encode()
    world.connection.execute("create table ops.planted (plain bytea, packed bytea)")
    world.connection.execute("insert into ops.planted values (%s, %s)", [text, zlib.compress(text)])
    world.connection.execute("do $$ begin raise log 'canary-5e1f0c77'; end $$")
    (tmp_path / "planted.gz").write_bytes(gzip.compress(text))
    assert {place.rpartition("/")[2] for place in places_with(planted, world, where, outputs)} == {
        "planted.gz",
        "server.log",
        "planted in ops.planted.plain",
        "planted in ops.planted.packed",
    }
