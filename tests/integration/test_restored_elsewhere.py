"""A dump that is restored on another server, which knows none of the roles: before `aiop db init`, or after it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from dbt_runs import warehouse
from postgres_helpers import SMALL
from psycopg import conninfo
from servers import EVERYWHERE, PROGRAMS
from warehouse_world import warehouse_world

from orchestration.warehouse import embedded_processes, roles
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.prepare import prepare

SLUGS = ("sable_new", "kestrel_labs")
OWN_ROWS = "select org_id, year, month, cash_balance from marts.mart_financial_metrics order by 1, 2, 3"
ROUTINES_OF_ALL = """
select p.oid::regprocedure::text
from pg_proc as p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as acl
where p.pronamespace = 'ops'::regnamespace and acl.grantee = 0
"""


@dataclass(frozen=True)
class Dump:
    """The warehouse's ``file``, made on a server of ``kind``; what each organization's ``logins`` read there."""

    file: Path
    kind: str
    logins: dict[str, str]
    rows: dict[str, list[tuple]]


@pytest.fixture(params=EVERYWHERE)
def dump(
    request: pytest.FixtureRequest,
    database_on: Callable[[str], str],
    postgres_server: Callable[[str], EmbeddedPostgres],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Dump:
    """A small warehouse that was read and built."""
    url = database_on(request.param)
    file = tmp_path / "warehouse.dump"
    with warehouse_world(url, tmp_path, monkeypatch, *SLUGS) as world:
        world.night()
        logins = {slug: roles.credentials(world.connection, slug) for slug in SLUGS}
        rows = {slug: read(logins[slug], OWN_ROWS) for slug in SLUGS}
    run(postgres_server(request.param), url, "pg_dump", "-Fc", "-f", str(file))
    assert all(rows.values())
    return Dump(file, request.param, logins, rows)


@contextmanager
def another(dump: Dump, home: Path) -> Iterator[EmbeddedPostgres]:
    """Another server of the dump's kind, on which there never was a warehouse."""
    server = EmbeddedPostgres(home, PROGRAMS[dump.kind], SMALL)
    try:
        server.start()
        yield server
    finally:
        embedded_processes.end_all(server.data)


def run(server: EmbeddedPostgres, url: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of Postgres' programs on a database, as `aiop db exec` does."""
    parts = conninfo.conninfo_to_dict(url)
    address = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    return subprocess.run(
        [str(server.program(program)), *arguments],
        env={variable: str(parts[name]) for variable, name in address.items()} | {"PGOPTIONS": "-c row_security=off"},
        capture_output=True,
        text=True,
        check=False,
    )


def read(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def restore(server: EmbeddedPostgres, dump: Dump) -> list[str]:
    """pg_restore as docs/production.md has it; the errors it went on after."""
    url = server.builder_url()
    done = run(server, url, "pg_restore", "--clean", "--if-exists", "-d", "aiop", str(dump.file))
    return [line for line in done.stderr.splitlines() if "error: could not execute query" in line]


def init(server: EmbeddedPostgres) -> None:
    """What `aiop db init` does."""
    with psycopg.connect(server.builder_url()) as connection:
        prepare(connection)


def assert_serves(server: EmbeddedPostgres, dump: Dump, state: Path) -> None:
    """A build passes the audit, and each login reads its organization's rows and no others."""
    url = server.builder_url()
    with psycopg.connect(url, autocommit=True) as builder:
        assert builder.execute("select object, problem from ops.tenancy_violations").fetchall() == []
        assert builder.execute(ROUTINES_OF_ALL).fetchall() == []
        warehouse(url, state).rebuild_source("quickbooks")
        for slug in SLUGS:
            login = roles.credentials(builder, slug)
            # The same name and password, on the new address.
            assert urlsplit(login).netloc.rpartition("@")[0] == urlsplit(dump.logins[slug]).netloc.rpartition("@")[0]
            assert read(login, OWN_ROWS) == dump.rows[slug]
        everyone = read(roles.all_credentials(builder), OWN_ROWS)
        assert everyone == sorted(row for slug in SLUGS for row in dump.rows[slug])
        builder.execute("create function ops.made_later() returns int language sql return 1")
        assert builder.execute(ROUTINES_OF_ALL).fetchall() == []


@pytest.mark.slow
def test_a_dump_serves_on_a_server_without_its_roles_whether_db_init_comes_after_the_restore_or_before_it(
    dump: Dump, own_home: Path, tmp_path: Path
) -> None:
    with another(dump, own_home / "restored_first") as server:
        errors = restore(server, dump)
        assert errors, "the server knew the groups: the case is not exercised"
        assert all('role "aiop_bi' in error for error in errors), errors
        init(server)
        assert_serves(server, dump, tmp_path / "state")
    with another(dump, own_home / "set_up_first") as server:
        init(server)
        assert restore(server, dump) == []
        assert_serves(server, dump, tmp_path / "state")
