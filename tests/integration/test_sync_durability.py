"""Loads of a sync do not wait for the disk, its report does: a server that dies at any moment is survived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from landing_helpers import record
from postgres_helpers import SMALL, kill_9
from servers import EVERYWHERE, PROGRAMS
from test_sync import STREAMS, Scripted, World, failures

from orchestration.sources import SOURCES
from orchestration.sources.core.connection import ConnectionSettings
from orchestration.sources.core.records import Record
from orchestration.sources.core.source import Source
from orchestration.sync import sync
from orchestration.warehouse import database, sync_runs
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.prepare import prepare

# So that nothing but a commit that is waited for writes the log in time.
LAZY = {**SMALL, "wal_writer_delay": "10s", "wal_writer_flush_after": "100MB"}
ATTEMPTS = 5
LANDED = """
    select 'rows', org_id, count(*) from staging_scripted.invoice group by org_id
    union all select 'runs', org_id, count(*) from ops.sync_runs where stream = 'invoice' group by org_id
    union all select 'watermarks', org_id, count(*) from ops.watermarks where stream = 'invoice' group by org_id
    order by 1, 2
"""


@pytest.fixture(params=EVERYWHERE)
def server(request: pytest.FixtureRequest, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedPostgres:
    server = EmbeddedPostgres(own_home, PROGRAMS[request.param], LAZY)
    server.start()
    monkeypatch.setenv("DATABASE_URL", server.builder_url())
    with database.connect() as connection:
        prepare(connection)
    return server


@pytest.fixture
def world(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> World:
    source = Scripted()
    monkeypatch.setitem(SOURCES, "scripted", Source("scripted", STREAMS, ConnectionSettings, source.open))
    world = World(source)
    world.connect("one", "two", "three")
    sync("scripted", orgs=["three"])
    return world


def after_a_crash(server: EmbeddedPostgres, statement: str) -> list[tuple]:
    kill_9(server)
    server.start()
    with psycopg.connect(server.builder_url()) as connection:
        return connection.execute(statement).fetchall()


def forget(server: EmbeddedPostgres, org_id: int) -> None:
    with psycopg.connect(server.builder_url()) as connection:
        for stream in STREAMS:
            connection.execute(f"delete from staging_scripted.{stream.name} where org_id = %s", [org_id])
        for table in ("sync_runs", "watermarks"):
            connection.execute(f"delete from ops.{table} where org_id = %s", [org_id])


def test_what_a_sync_reported_is_there_after_the_server_was_killed(server: EmbeddedPostgres, world: World) -> None:
    report = sync("scripted", orgs=["one", "two"])
    found = after_a_crash(server, LANDED)
    assert report.failures == []
    assert [row for row in found if row[1] != 3] == [
        ("rows", 1, 3),
        ("rows", 2, 3),
        ("runs", 1, 1),
        ("runs", 2, 1),
        ("watermarks", 1, 1),
        ("watermarks", 2, 1),
    ]


def test_a_load_that_was_not_reported_is_lost_whole_and_runs_again(
    server: EmbeddedPostgres, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the wait at the end the kill does cost loads: the test above proves something."""
    for _ in range(ATTEMPTS):
        with monkeypatch.context() as unfinished:
            unfinished.setattr(sync_runs, "make_durable", lambda connection, run_ids: set())
            assert sync("scripted", orgs=["one"]).failures == []
        found = after_a_crash(server, LANDED)
        if found == [("rows", 3, 3), ("runs", 3, 1), ("watermarks", 3, 1)]:
            break
        # Whole as well: somebody else's commit, such as autovacuum's, was waited for in between. Again, without them.
        kinds = (("rows", 3), ("runs", 1), ("watermarks", 1))
        assert found == [(what, org, count) for what, count in kinds for org in (1, 3)]
        forget(server, 1)
    else:
        pytest.fail(f"{ATTEMPTS} kills cost no load: the test above proves nothing")
    assert sync("scripted", orgs=["one"]).failures == []
    with psycopg.connect(server.builder_url()) as connection:
        assert [row for row in connection.execute(LANDED).fetchall() if row[1] == 1] == [
            ("rows", 1, 3),
            ("runs", 1, 1),
            ("watermarks", 1, 1),
        ]


def test_what_a_crash_took_from_a_sync_that_goes_on_is_reported_as_failed_and_read_again(
    server: EmbeddedPostgres, world: World
) -> None:
    def dying(organization: str, stream: str) -> Iterator[Record]:
        yield record("1")
        if stream == "invoice":
            kill_9(server)
            server.start()

    world.source.read_stream = dying
    report = sync("scripted", orgs=["one"])
    assert sorted(failures(report)) == [("one", "customer", "database"), ("one", "invoice", "database")]
    assert set(report.results) == {("one", "bill")}
    with psycopg.connect(server.builder_url()) as connection:
        runs = connection.execute("select stream, status from ops.sync_runs where org_id = 1").fetchall()
    assert sorted(runs) == [("bill", "succeeded"), ("customer", "failed"), ("invoice", "failed")]

    world.source.read_stream = lambda organization, stream: iter([record("1")])
    again = sync("scripted", only_failed=True)
    assert set(again.results) == {("one", "customer"), ("one", "invoice")}


def test_a_server_that_is_gone_before_the_report_leaves_no_success_reported(
    server: EmbeddedPostgres, world: World
) -> None:
    def dying(organization: str, stream: str) -> Iterator[Record]:
        yield record("1")
        if stream == STREAMS[-1].name:
            kill_9(server)

    world.source.read_stream = dying
    report = sync("scripted", orgs=["one"])
    assert report.results == {}
    assert {failure[1:] for failure in failures(report)} == {(stream.name, "database") for stream in STREAMS}
