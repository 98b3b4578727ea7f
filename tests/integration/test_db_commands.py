"""`aiop db` as a person or a script meets it: words, exit codes, what goes to which stream."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from cryptography.fernet import Fernet
from postgres_helpers import assert_nothing_runs, with_proc
from psycopg import sql
from servers import EVERYWHERE, PROGRAMS

from orchestration.warehouse import roles
from orchestration.warehouse.embedded import EmbeddedPostgres

PROGRAM = """
import importlib
import sys
from orchestration.errors import AiopError
from orchestration.logs import configure_logging
configure_logging()
commands = importlib.import_module("orchestration.commands." + sys.argv.pop(1))
try:
    commands.app()
except AiopError as error:
    print("error:", error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def db(*arguments: str, group: str = "db", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `aiop db …`, or a command of another group, with this process' environment."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, group, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.slow
def test_a_whole_life(own_home: Path) -> None:
    server = EmbeddedPostgres(own_home)
    assert (db("status").returncode, db("stop").stdout) == (4, "not running\n")
    assert not own_home.exists()

    first = db("init")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("ready: aiop_builder@127.0.0.1:")
    assert db("init").stdout == first.stdout

    running = db("status")
    assert running.returncode == 0
    assert f"127.0.0.1:{server.status().port}" in running.stdout
    assert db("url").stdout == server.builder_url() + "\n"

    assert (db("stop").stdout, db("status").returncode) == ("stopped\n", 3)
    assert_nothing_runs(server)
    assert db("stop").returncode == 0
    assert db("start").returncode == 0
    assert server.status().state == "running"


def test_psql_is_the_builders_with_the_password_out_of_sight(own_home: Path) -> None:
    shown = db("psql", "-XAtc", "select current_user, current_setting('row_security'), current_setting('timezone')")
    assert (shown.returncode, shown.stdout) == (0, "aiop_builder|off|UTC\n"), shown.stderr
    assert db("psql", "--superuser", "-XAtc", "select current_user").stdout == "aiop_admin\n"
    assert db("psql", "-XAtc", "select nonsense").returncode == 1


@with_proc
def test_psql_shows_no_password_on_its_command_line(own_home: Path) -> None:
    password = db("url").stdout.split(":")[2].split("@")[0]
    shown = db("psql", "-XAt", "-c", r"\! tr '\0' ' ' < /proc/$PPID/cmdline")
    assert "psql" in shown.stdout
    assert password not in shown.stdout


OWN_LINE = r"tr '\0' ' ' < /proc/$$/cmdline"


@with_proc
def test_any_program_finds_the_warehouse_in_its_environment_alone(own_home: Path) -> None:
    url = db("url").stdout.strip()
    shown = db("exec", "sh", "-c", f"echo $PGUSER $PGPASSWORD $PGDATABASE; {OWN_LINE}", "--superuser")
    user, password = url.split("/")[2].split("@")[0].split(":")
    variables, line = shown.stdout.splitlines()
    assert variables == f"{user} {password} {url.rsplit('/', 1)[1]}"
    assert "sh -c" in line
    assert password not in line
    # What follows the program is the program's.
    assert line.strip().endswith("--superuser")
    missing = db("exec", "no_such_program")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "no_such_program is not installed" in missing.stderr


@pytest.mark.slow
def test_a_dump_made_and_restored_by_exec_is_the_same_warehouse(own_home: Path, tmp_path: Path) -> None:
    assert db("init").returncode == 0
    dump = tmp_path / "warehouse.dump"
    assert db("psql", "-c", "create table ops.kept as select 7 as number").returncode == 0
    dumped = db("exec", "pg_dump", "-Fc", "-f", str(dump))
    assert dumped.returncode == 0, dumped.stderr
    assert db("psql", "-c", "drop table ops.kept").returncode == 0
    restored = db("exec", "pg_restore", "--clean", "--if-exists", "-d", "aiop", str(dump))
    assert restored.returncode == 0, restored.stderr
    assert db("psql", "-XAtc", "table ops.kept").stdout == "7\n"


@with_proc
def test_psql_of_an_organization_is_its_own_login_with_the_password_out_of_sight(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    # Another database that is the caller's usual one.
    (tmp_path / "services").write_text("[another]\nhost=127.0.0.1\nport=9\n")
    usual = {"PGSERVICE": "another", "PGSERVICEFILE": str(tmp_path / "services")}
    with psycopg.connect(database, autocommit=True) as builder:
        builder.execute(
            """
            insert into ops.organizations (id, slug, name, organization_id, timezone, currency)
            values (1, 'bennett', 'Bennett', gen_random_uuid(), 'UTC', 'USD')
            """
        )
        login = urlsplit(roles.credentials(builder, "bennett"))
    shown = db(
        "psql", "bennett", "-XAt", "-c", "select session_user", "-c", r"\! tr '\0' ' ' < /proc/$PPID/cmdline",
        group="orgs", **usual,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    user, line = shown.stdout.splitlines()
    assert user == login.username
    assert "psql" in line
    assert login.password is not None
    assert login.password not in shown.stdout + shown.stderr
    nobody = db("psql", "nobody", group="orgs")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "no organization 'nobody'" in nobody.stderr


def test_with_a_url_psql_and_status_use_it_and_stop_refuses(database_everywhere: str) -> None:
    name = database_everywhere.rsplit("/", 1)[1]
    assert db("psql", "-XAtc", "select current_database()").stdout == f"{name}\n"
    assert db("status").returncode == 0
    assert name in db("start").stdout
    assert db("url").stdout == database_everywhere + "\n"
    refused = db("stop")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "DATABASE_URL is set" in refused.stderr


def test_status_of_a_server_that_is_away_exits_1(database: str) -> None:
    away = db("status", DATABASE_URL="postgresql://u:canary@127.0.0.1:9/d")
    assert away.returncode == 1
    assert "can't be reached" in away.stderr
    assert "canary" not in away.stdout + away.stderr


@pytest.fixture(params=EVERYWHERE)
def unprivileged(request: pytest.FixtureRequest, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedPostgres:
    """A server that stands for somebody else's: DATABASE_URL names an ordinary role on an ordinary database there."""
    server = EmbeddedPostgres(own_home, PROGRAMS[request.param], {"fsync": "off"})
    server.start()
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as administrator:
        administrator.execute("create role analyst login password 'canary-secret'")
        administrator.execute("create database analytics")
    url = f"postgresql://analyst:canary-secret@127.0.0.1:{server.status().port}/analytics"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("AIOP_HOME", str(own_home / "unused"))
    return server


def test_a_role_without_rights_gets_sql_for_its_administrator_which_is_enough(
    unprivileged: EmbeddedPostgres,
) -> None:
    server = unprivileged
    refused = db("init")
    assert refused.returncode == 1
    assert "it may not create roles" in refused.stderr
    assert "it may not create schemas" in refused.stderr
    assert refused.stderr.endswith("→ Then run `aiop db init` again: it does the rest.\n")
    assert "canary" not in refused.stdout + refused.stderr
    # stdout is SQL and nothing else: what an administrator would pipe into psql.
    with psycopg.connect(server.superuser_url("analytics"), autocommit=True) as administrator:
        administrator.execute(sql.SQL(refused.stdout))
    accepted = db("init")
    assert accepted.returncode == 0, accepted.stderr
    assert db("init").returncode == 0
    with psycopg.connect(server.superuser_url("analytics"), autocommit=True) as administrator:
        assert administrator.execute(
            "select pg_get_userbyid(nspowner)::text from pg_namespace where nspname = 'ops'"
        ).fetchone() == ("analyst",)


def test_a_role_that_may_create_roles_but_no_schemas_is_told_so_before_anything_is_made(
    unprivileged: EmbeddedPostgres,
) -> None:
    server = unprivileged
    with psycopg.connect(server.superuser_url("analytics"), autocommit=True) as administrator:
        administrator.execute("alter role analyst createrole")
        refused = db("init")
        assert refused.returncode == 1
        assert "it may not create schemas" in refused.stderr
        assert "it may not create roles" not in refused.stderr
        made = administrator.execute("select count(*) from pg_roles where rolname like 'aiop_bi%'").fetchone()
        assert made == (0,)


def test_init_warns_where_tenants_are_unbounded_and_grants_prints_the_way_out(
    database: str, superuser_url: str
) -> None:
    """A role that owns its database and may create roles lacks nothing, so nobody else would bring it up."""
    with psycopg.connect(superuser_url, autocommit=True) as administrator:
        assert db("init").stderr == ""
        administrator.execute("grant execute on function pg_export_snapshot() to public")
        warned = db("init")
        assert (warned.returncode, "aiop db grants" in warned.stderr) == (0, True), warned.stderr
        administrator.execute(sql.SQL(db("grants").stdout))
        assert db("init").stderr == ""
