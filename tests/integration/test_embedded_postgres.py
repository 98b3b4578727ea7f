"""The embedded server, with real processes: who may reach it, and how it starts and stops."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from pathlib import Path

import psycopg
import pytest
from postgres_helpers import (
    SMALL,
    assert_nothing_runs,
    in_python,
    query,
    with_proc,
)
from psycopg import errors

from orchestration.errors import UsageError
from orchestration.warehouse.embedded import EmbeddedPostgres


def test_the_builder_owns_the_database_and_is_no_superuser(server: EmbeddedPostgres) -> None:
    assert server.status().state == "absent"
    status = server.start()
    assert status.state == "running"
    [row] = query(
        server.builder_url(),
        """
        select current_database()::text, current_user::text, r.rolsuper, r.rolbypassrls, r.rolcreatedb, r.rolcreaterole,
            pg_get_userbyid(d.datdba)::text, current_setting('row_security'), current_setting('timezone')
        from pg_roles as r, pg_database as d
        where r.rolname = current_user and d.datname = current_database()
        """,
    )
    assert row == ("aiop", "aiop_builder", False, False, False, True, "aiop_builder", "off", "UTC")


def test_it_is_durable_and_has_room_for_a_busy_night(server: EmbeddedPostgres) -> None:
    EmbeddedPostgres(server.home, server._bin_dir).start()  # with its own settings, not the tests'
    shown = dict(query(server.superuser_url(), "select name, setting from pg_settings"))
    assert (shown["fsync"], shown["synchronous_commit"], shown["full_page_writes"]) == ("on", "on", "on")
    assert int(shown["max_connections"]) >= 100
    assert int(shown["shared_buffers"]) * 8192 >= 128 * 1024 * 1024
    assert shown["password_encryption"] == "scram-sha-256"


def test_notifications_that_nobody_takes_fill_no_disk(server18: EmbeddedPostgres) -> None:
    """Before Postgres 17 a server keeps 8 GB of them, whatever its settings."""
    server18.start()
    send = "select count(pg_notify('l', repeat('x', 7900) || n)) from generate_series(1, 10000) as n"  # 79 MB
    with (
        psycopg.connect(server18.builder_url(), autocommit=True) as listener,
        psycopg.connect(server18.builder_url(), autocommit=True) as sender,
    ):
        listener.execute("listen l")
        listener.execute("begin")
        listener.execute("select 1")  # from here on nothing leaves the queue
        with pytest.raises(psycopg.Error, match="too many notifications"):
            sender.execute(send)


def test_only_this_machine_with_the_password_gets_in(server: EmbeddedPostgres) -> None:
    port = server.start().port
    assert query(server.superuser_url(), "show listen_addresses") == [("127.0.0.1",)]
    assert query(server.superuser_url(), "show unix_socket_directories") == [("",)]
    assert query(server.superuser_url(), "select distinct auth_method from pg_hba_file_rules") == [("scram-sha-256",)]
    for user in ("aiop_admin", "aiop_builder"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://{user}:guess@127.0.0.1:{port}/aiop")
    hashes = query(server.superuser_url(), "select left(rolpassword, 13) from pg_authid where rolpassword is not null")
    assert set(hashes) == {("SCRAM-SHA-256",)}


def test_passwords_and_logs_are_readable_by_their_owner_only(server: EmbeddedPostgres) -> None:
    server.start()
    for path in (server.directory / "server.json", server.log, server.directory / "aiop.conf"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    left = {path.name for path in server.directory.iterdir()}
    assert left == {"aiop.conf", "data", "lock", "server.json", "server.log"}


def test_other_roles_can_neither_connect_nor_fill_the_disk_nor_block_anyone(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.builder_url(), autocommit=True) as builder:
        builder.execute("create role guest login password 'guest'")
        builder.execute("select pg_advisory_xact_lock(1), lo_create(0)")  # the builder still may
    guest = f"postgresql://guest:guest@127.0.0.1:{server.status().port}"
    for name in ("aiop", "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(f"{guest}/{name}")
    with psycopg.connect(server.builder_url(), autocommit=True) as builder:
        builder.execute("grant connect on database aiop to guest")
    for statement in (
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "select pg_advisory_lock(1)",
        "select pg_advisory_xact_lock_shared(1, 2)",
        "select pg_try_advisory_lock(1)",
        "select pg_logical_emit_message(false, 'a', 'b')",
        "select pg_export_snapshot()",
        "select pg_current_xact_id()",
        "select txid_current()",
        "create temporary table t (a int)",
        "create table public.t (a int)",
        "create schema s",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            query(f"{guest}/aiop", statement)


def test_sessions_are_kept_for_the_builder_whatever_others_hold(server18: EmbeddedPostgres) -> None:
    few = {"max_connections": "12", "superuser_reserved_connections": "1", "reserved_connections": "4"}
    server = EmbeddedPostgres(server18.home, None, {**SMALL, **few})
    server.start()
    with psycopg.connect(server.builder_url(), autocommit=True) as builder:
        builder.execute("create role guest login password 'guest'")
        builder.execute("grant connect on database aiop to guest")
    guest = f"postgresql://guest:guest@127.0.0.1:{server.status().port}/aiop"
    with contextlib.ExitStack() as held:
        for _ in range(12 - 1 - 4):
            held.enter_context(psycopg.connect(guest))
        with pytest.raises(psycopg.OperationalError, match="pg_use_reserved_connections"):
            psycopg.connect(guest)
        for _ in range(4):
            held.enter_context(psycopg.connect(server.builder_url()))


def test_failed_statements_leave_no_data_and_no_password_in_the_log(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute("create table t (a text primary key)")
        connection.execute("insert into t values ('canary-1')")
        for statement in (
            "insert into t values ('canary-1')",
            "alter role nobody_such password 'canary-2'",
            "select 'canary-3'::int",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement)
    log = server.log.read_text()
    assert "ERROR" in log
    assert "canary-1" not in log
    assert "canary-2" not in log
    assert server.superuser_url().split(":")[2].split("@")[0] not in log


@with_proc
def test_the_server_inherits_no_secret_from_the_environment(
    server18: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOP_SECRET_KEY", "canary-in-the-environment")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGPORT", "1")
    pid = server18.start().pid
    assert b"canary" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_home_with_spaces_and_quotes_works_and_one_no_shell_can_quote_is_refused(own_home: Path) -> None:
    odd = EmbeddedPostgres(own_home / "it's a hôme", None, SMALL)
    assert odd.start().state == "running"
    assert odd.stop() is True
    with pytest.raises(UsageError, match="can't be started from"):
        EmbeddedPostgres(own_home / "$HOME", None, SMALL).start()
    assert not (own_home / "$HOME").exists()


def test_starting_again_changes_nothing_and_a_restart_keeps_port_passwords_and_data(server: EmbeddedPostgres) -> None:
    first = server.start()
    assert server.start() == first
    url = server.builder_url()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table kept as select 1 as a")
    assert server.stop() is True
    assert_nothing_runs(server)
    again = server.start()
    assert again.port == first.port
    assert again.pid != first.pid
    assert server.builder_url() == url
    assert query(url, "select a from kept") == [(1,)]


def test_stopping_what_does_not_run_says_so_and_makes_nothing(server: EmbeddedPostgres) -> None:
    assert server.stop() is False
    assert not server.home.exists()
    server.init()
    assert server.status().state == "stopped"
    assert server.stop() is False


def test_stop_ends_open_sessions(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.builder_url()) as session:
        session.execute("select 1")
        assert server.stop() is True
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
    assert_nothing_runs(server)


def test_the_server_survives_the_kill_of_its_starter_and_of_its_whole_process_group(own_home: Path) -> None:
    starter = in_python("print(server.start().pid, flush=True)\nsignal.pause()", home=own_home, start_new_session=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    os.killpg(starter.pid, signal.SIGINT)  # Ctrl-C in a terminal
    os.killpg(starter.pid, signal.SIGKILL)
    starter.communicate()
    server = EmbeddedPostgres(own_home)
    assert server.status().pid == pid
    assert query(server.builder_url(), "select 1") == [(1,)]


def test_starts_at_once_make_one_server(own_home: Path) -> None:
    starters = [in_python("print(server.start().pid)", home=own_home) for _ in range(4)]
    answers = [starter.communicate() for starter in starters]
    assert [starter.returncode for starter in starters] == [0] * 4, answers
    assert len({out for out, _ in answers}) == 1
    server = EmbeddedPostgres(own_home)
    assert query(server.builder_url(), "select 1") == [(1,)]


def test_a_start_waits_for_a_stop_under_way(own_home: Path) -> None:
    server = EmbeddedPostgres(own_home, None, SMALL)
    first = server.start()
    stopper = in_python("print(server.stop())", home=own_home)
    stopper.communicate()
    starters = [in_python("print(server.start().pid)", home=own_home), in_python("server.stop()", home=own_home)]
    for starter in starters:
        assert starter.wait() == 0, starter.communicate()
    for process in starters:
        process.communicate()
    assert server.start().port == first.port
    assert query(server.builder_url(), "select 1") == [(1,)]
