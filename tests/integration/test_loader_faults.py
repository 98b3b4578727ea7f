"""Loads that are killed, run into each other, or share the database with somebody who means harm."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from landing_helpers import BATCH, SOURCE, STREAM, TABLE, Warehouse, record

from orchestration.errors import DatabaseError
from orchestration.sources.core.records import Extract, Record
from orchestration.warehouse import database, locks
from orchestration.warehouse.loader import load

PAGE = 1000


def pages(count: int, version: int = 2) -> Iterator[Record]:
    for number in range(count * PAGE):
        yield record(str(number), v=version, pad="x" * 500)


@pytest.fixture
def warehouse(database_everywhere: str) -> Warehouse:
    return Warehouse()


def killed_while(where: str) -> None:
    """A load of three pages in a process of its own, killed when it has got to ``where``."""
    program = f"""
        import sys, time
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from landing_helpers import Warehouse
        from test_loader_faults import PAGE, pages

        def stalling():
            for number, one in enumerate(pages(3)):
                if number == {{"between pages": 2 * PAGE, "in the middle of COPY": 2 * PAGE + 437}}[{where!r}]:
                    print("here", flush=True)
                    time.sleep(600)
                yield one

        Warehouse().load(stalling(), "full", state={{"since": "killed"}})
    """
    kill_when_here(program)


def kill_when_here(program: str) -> None:
    """Run ``program`` in a process of its own and kill it once it has said so."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)


@pytest.mark.parametrize("where", ["between pages", "in the middle of COPY"])
def test_a_killed_load_changes_nothing_and_a_rerun_ends_as_if_it_had_not_been(warehouse: Warehouse, where: str) -> None:
    warehouse.load(pages(1, version=1), "full", state={"since": "before"})
    before = warehouse.contents(), warehouse.query("select * from ops.watermarks")
    killed_while(where)
    assert (warehouse.contents(), warehouse.query("select * from ops.watermarks")) == before

    result = warehouse.load(pages(3), "full", state={"since": "after"}, wait_seconds=30)
    assert (result.inserted, result.updated) == (2 * PAGE, PAGE)
    rerun = warehouse.contents()
    warehouse.load(pages(3), "full", org_id=2)
    uninterrupted = [(1, *row[1:]) for row in warehouse.contents() if row[0] == 2]
    assert rerun == uninterrupted
    assert warehouse.one("select count(*) from ops.sync_runs where org_id = 1") == 2


@pytest.mark.parametrize("count", [30, 3 * PAGE], ids=["few", "many"])
def test_a_load_killed_between_its_rows_and_its_run_changes_nothing(warehouse: Warehouse, count: int) -> None:
    warehouse.load(itertools.islice(pages(3, version=1), count // 2), "full", state={"since": "before"})
    before = warehouse.contents(), warehouse.query("select * from ops.watermarks")
    program = f"""
        import itertools, sys, time
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from landing_helpers import Warehouse
        from test_loader_faults import pages
        from orchestration.warehouse import sync_runs

        def stall(*_):
            print("here", flush=True)
            time.sleep(600)

        sync_runs.record_success = stall
        Warehouse().load(itertools.islice(pages(3), {count}), "full", state={{"since": "killed"}})
    """
    kill_when_here(program)
    assert (warehouse.contents(), warehouse.query("select * from ops.watermarks")) == before
    result = warehouse.load(itertools.islice(pages(3), count), "full", state={"since": "after"}, wait_seconds=30)
    assert (result.inserted, result.updated) == (count - count // 2, count // 2)


def test_the_second_of_two_loads_waits_and_reads_on_from_where_the_first_ended(warehouse: Warehouse) -> None:
    reading, waiting = threading.Event(), threading.Event()
    read_from: list[object] = []

    def read(name: str, records: Callable[[], Iterator[Record]]) -> Callable[[object], Extract]:
        def read_from_state(state: object) -> Extract:
            read_from.append(state)
            return Extract(records(), "incremental", {"since": name})

        return read_from_state

    def until_the_other_waits() -> Iterator[Record]:
        yield record("1", by="first")
        reading.set()
        assert waiting.wait(30)
        yield record("2", by="first")

    def run(name: str, records: Callable[[], Iterator[Record]]) -> None:
        with database.connect() as connection:
            load(
                connection,
                org_id=1,
                source=SOURCE,
                stream=STREAM,
                extract=read(name, records),
                batch_id=BATCH,
                on_wait=waiting.set,
            )

    first = threading.Thread(target=run, args=("first", until_the_other_waits))
    first.start()
    assert reading.wait(30)
    second = threading.Thread(target=run, args=("second", lambda: iter([record("2", by="second")])))
    second.start()
    first.join(30)
    second.join(30)
    assert read_from == [None, {"since": "first"}]
    assert {key: value["by"] for key, value in warehouse.payloads().items()} == {"1": "first", "2": "second"}
    assert warehouse.one("select state from ops.watermarks") == {"since": "second"}


def test_other_streams_and_organizations_do_not_wait(warehouse: Warehouse) -> None:
    def records() -> Iterator[Record]:
        yield record("1")
        with database.connect() as connection:
            warehouse.load([record("1")], org_id=2, connection=connection, wait_seconds=0)

    warehouse.load(records())
    assert warehouse.one(f"select count(*) from {TABLE}") == 2


def test_a_load_that_cannot_have_its_turn_says_who_is_in_the_way(warehouse: Warehouse) -> None:
    def records() -> Iterator[Record]:
        yield record("1")
        with database.connect() as connection, pytest.raises(DatabaseError) as refused:
            warehouse.load([record("1")], connection=connection, wait_seconds=0)
        assert f"bennett / {SOURCE} / {STREAM}" in str(refused.value)
        with database.connect() as connection, pytest.raises(DatabaseError, match="after 1 seconds still"):
            warehouse.load([record("1")], connection=connection, wait_seconds=1)

    warehouse.load(records())
    assert warehouse.one("select count(*) from ops.sync_runs") == 1


def test_nobodys_advisory_locks_matter(warehouse: Warehouse) -> None:
    """Any role that may connect can take those: a tenant could stop every load of every organization."""

    def records() -> Iterator[Record]:
        yield record("1")
        held = other.execute("select count(*) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()")
        assert held.fetchone() == (0,)

    with database.connect(autocommit=True) as other:
        hostile = "select pg_advisory_lock(id), pg_advisory_lock(1, id), pg_advisory_lock(hashtext('x'), id)"
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):  # better still: nobody may
            other.execute(f"{hostile} from generate_series(0, 500) as id")
        assert warehouse.load(records(), wait_seconds=0).inserted == 1


def test_limits_meant_for_short_statements_do_not_end_a_slow_read(warehouse: Warehouse) -> None:
    def slowly() -> Iterator[Record]:
        for number in range(3):
            time.sleep(0.5)
            yield record(str(number))

    connection = database.connect(autocommit=True)
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(f"set {name} = '200ms'")
    assert warehouse.load(slowly(), connection=connection).inserted == 3
    assert connection.execute("show statement_timeout").fetchone() == ("200ms",)


def test_an_ended_session_is_a_clear_error_and_leaves_nothing(warehouse: Warehouse) -> None:
    victim = database.connect(autocommit=True)

    def records() -> Iterator[Record]:
        yield record("1")
        warehouse.query("select pg_terminate_backend(%s)", victim.info.backend_pid)
        yield from pages(2)

    with pytest.raises(DatabaseError, match=r"ended by an administrator|connection to the database broke"):
        warehouse.load(records(), connection=victim)
    assert warehouse.contents() == []
    assert warehouse.load([record("1")], wait_seconds=5).inserted == 1


def test_a_connection_inside_a_transaction_is_refused(warehouse: Warehouse) -> None:
    with database.connect() as connection:
        connection.execute("select 1")
        with pytest.raises(RuntimeError, match="inside a transaction"):
            warehouse.load([record("1")], connection=connection)


def test_after_a_wait_the_sessions_own_lock_timeout_holds_again(warehouse: Warehouse) -> None:
    with database.connect(autocommit=True, lock_timeout="7s") as connection:
        holding, release = threading.Event(), threading.Event()

        def hold() -> None:
            with database.connect(autocommit=True) as other, locks.exclusive(other, "it"):
                holding.set()
                release.wait(30)

        holder = threading.Thread(target=hold)
        holder.start()
        assert holding.wait(30)
        with locks.exclusive(connection, "it", wait_seconds=30, on_wait=release.set):
            assert connection.execute("show lock_timeout").fetchone() == ("7s",)
        assert connection.execute("show lock_timeout").fetchone() == ("7s",)
        holder.join(30)


def test_what_a_source_says_when_it_fails_does_not_reach_the_servers_log(
    database: str, postgres_home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def records() -> Iterator[Record]:
        yield record("1")
        raise ValueError("canary-7f3a: refresh_token=abc")

    with pytest.raises(ValueError, match="canary"):
        Warehouse().load(records())
    logs = [path.read_text(errors="replace") for path in postgres_home.glob("pg/**/*log*") if path.is_file()]
    assert logs
    assert not any("canary-7f3a" in text for text in logs)
