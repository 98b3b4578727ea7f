"""What the embedded server survives: kill -9 of everything, of its parent, of its starter; ports taken meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from postgres_helpers import (
    SMALL,
    assert_nothing_runs,
    in_python,
    kill_9,
    query,
    with_proc,
)

from orchestration.errors import DatabaseError, UsageError
from orchestration.warehouse import embedded, embedded_ports, embedded_processes
from orchestration.warehouse.embedded import EmbeddedPostgres


def test_kill_9_of_everything_loses_nothing_committed(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.builder_url(), autocommit=True) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as a")
    kill_9(server)
    assert (server.data / "postmaster.pid").exists()
    assert server.status().state == "stopped"
    server.start()
    assert query(server.builder_url(), "select count(*) from kept") == [(1000,)]


@with_proc
def test_a_stale_pid_given_to_another_process_is_neither_believed_nor_killed(server: EmbeddedPostgres) -> None:
    pid = server.start().pid
    assert pid is not None
    kill_9(server)
    # A process of the server's own account: Postgres by itself refuses to start then.
    account = server._account()
    switch = {"user": account.uid, "group": account.gid, "extra_groups": []} if account.switch else {}
    bystander = subprocess.Popen(["sleep", "300"], cwd="/", **switch)
    try:
        pid_file = server.data / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace(str(pid), str(bystander.pid), 1))
        assert server.status().state == "stopped"
        assert server.stop() is False
        assert server.start().state == "running"
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@with_proc
def test_sessions_orphaned_by_the_kill_of_their_parent_do_not_block_a_start(server: EmbeddedPostgres) -> None:
    pid = server.start().pid
    assert pid is not None
    busy = psycopg.connect(server.builder_url(), autocommit=True)
    # Never waits for anything, so it doesn't notice that its parent is gone.
    busy.pgconn.send_query(b"do $$ begin loop perform 1; end loop; end $$")
    os.kill(pid, signal.SIGKILL)
    while embedded_processes.is_server(pid, server.data):
        time.sleep(0.01)
    assert embedded_processes.server_processes(server.data) != []
    assert server.start().state == "running"
    assert query(server.builder_url(), "select count(*) from pg_stat_activity where query like 'do %'") == [(0,)]
    busy.close()


def test_an_empty_or_cut_off_pid_file_does_not_block_a_start(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text("")
    assert server.start().state == "running"


@pytest.mark.parametrize("moment", ["after initdb", "before roles"])
def test_a_starter_killed_half_way_is_taken_up_by_the_next(own_home: Path, moment: str) -> None:
    patch = {
        "after initdb": "embedded.ServerState.write",
        "before roles": "embedded.bootstrap",
    }[moment]
    killed = in_python(
        f"{patch} = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\nserver.start()",
        home=own_home,
    )
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    server = EmbeddedPostgres(own_home, None, SMALL)
    assert server.data.exists() == (moment == "before roles")
    server.start()
    assert query(server.builder_url(), "select current_user::text") == [("aiop_builder",)]
    assert {path.name for path in server.directory.iterdir()} == {
        "aiop.conf",
        "data",
        "lock",
        "server.json",
        "server.log",
    }


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_start_that_fails_or_is_interrupted_leaves_no_process(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    def fail(*_: object) -> None:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(embedded, "bootstrap", fail)
        with pytest.raises(failure):
            server.start()
    assert_nothing_runs(server)
    server.start()
    assert query(server.builder_url(), "select 1") == [(1,)]


@pytest.fixture
def taken_port() -> Iterator[Callable[[int], int]]:
    """A function that listens on a port (0: any) and returns it."""
    sockets = []

    def take(port: int) -> int:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        sockets.append(listener)
        return listener.getsockname()[1]

    yield take
    for listener in sockets:
        listener.close()


def test_a_port_taken_while_stopped_is_replaced(server: EmbeddedPostgres, taken_port: Callable[[int], int]) -> None:
    port = server.start().port
    assert port is not None
    password = server.builder_url().split("@")[0]
    server.stop()
    taken_port(port)
    status = server.start()
    assert status.port != port
    assert server.builder_url().startswith(password)
    assert query(server.builder_url(), "select 1") == [(1,)]


def test_a_port_taken_between_look_and_start_is_replaced(
    server: EmbeddedPostgres, taken_port: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = taken_port(0)
    offered = iter([taken])
    choose = embedded_ports.free_port
    monkeypatch.setattr(embedded_ports, "free_port", lambda: next(offered, None) or choose())
    monkeypatch.setattr(embedded_ports, "is_free", lambda _: True)
    assert server.start().port != taken


def test_a_chosen_port_in_use_is_an_error_that_names_it(
    server: EmbeddedPostgres, taken_port: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = taken_port(0)
    monkeypatch.setenv("AIOP_PG_PORT", str(taken))
    with pytest.raises(DatabaseError, match=rf"port {taken} \(AIOP_PG_PORT\) is in use"):
        server.start()
    assert_nothing_runs(server)
    monkeypatch.setattr(embedded_ports, "is_free", lambda _: True)  # taken only after the look
    with pytest.raises(DatabaseError, match=rf"port {taken} \(AIOP_PG_PORT\) is in use"):
        server.start()
    assert_nothing_runs(server)


def test_a_chosen_port_is_used_and_nonsense_refused(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    port = embedded_ports.free_port()
    monkeypatch.setenv("AIOP_PG_PORT", str(port))
    assert server.start().port == port
    server.stop()
    for nonsense in ("postgres", "80", "70000"):
        monkeypatch.setenv("AIOP_PG_PORT", nonsense)
        with pytest.raises(UsageError, match="AIOP_PG_PORT"):
            server.start()
    assert_nothing_runs(server)
