"""Syncs of a source that does as it is told: failures by name, reruns of just those, bounds, interrupts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from landing_helpers import record
from psycopg import sql
from psycopg.types.json import Jsonb

from orchestration.errors import ConfigurationError, DatabaseError, StreamUnavailable, TransientError, UsageError
from orchestration.logs import register_secret
from orchestration.sources import SOURCES
from orchestration.sources.core.connection import ConnectionSettings
from orchestration.sources.core.records import Extract, Record, RequestStats, Stream
from orchestration.sources.core.source import Source
from orchestration.status import status
from orchestration.sync import Event, SyncReport, sync
from orchestration.warehouse import database
from orchestration.warehouse.session_limits import require_sessions

STREAMS = tuple(Stream(name, name) for name in ("customer", "invoice", "bill"))
Reading = Callable[[str, str], Iterator[Record]]


def three_records(organization: str, stream: str) -> Iterator[Record]:
    return (record(str(number), of=organization, stream=stream) for number in range(3))


@dataclass
class Scripted:
    """A source whose streams give what ``read`` says; notes who was opened and read, with which state."""

    read_stream: Reading = three_records
    opening: Callable[[str], None] = lambda organization: None
    mode: str = "incremental"
    opened: list[str] = field(default_factory=list)
    read_with: dict[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def open(
        self, connection: dict[str, Any], *, organization: str, timezone: str, token_store: Any = None
    ) -> Iterator[Any]:
        self.opening(organization)
        self.opened.append(organization)
        self.settings[organization] = connection
        yield _Session(self, organization)


@dataclass
class _Session:
    source: Scripted
    organization: str
    stats: RequestStats = field(default_factory=RequestStats)

    def read(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        self.stats.requests += 1
        self.source.read_with[self.organization, stream.name] = (state, window)
        records = self.source.read_stream(self.organization, stream.name)
        return Extract(records, self.source.mode, {"read": True})  # type: ignore[arg-type]


@dataclass
class World:
    """A warehouse with organizations ``one``, ``two``, … connected to the scripted source."""

    source: Scripted

    def __post_init__(self) -> None:
        self.connection = database.connect(autocommit=True)

    def connect(self, *slugs: str, settings: Mapping[str, Any] | None = None) -> None:
        for number, slug in enumerate(slugs, 1):
            self.connection.execute(
                """
                insert into ops.organizations (id, slug, name, organization_id, timezone, currency)
                values (%s, %s, %s, gen_random_uuid(), 'UTC', 'USD')
                """,
                [number, slug, slug.title()],
            )
            self.connection.execute(
                "insert into ops.connections values (%s, 'scripted', %s)", [number, Jsonb(dict(settings or {}))]
            )

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        return self.connection.execute(statement, parameters).fetchall()

    def runs(self) -> list[tuple]:
        return self.query(
            """
            select o.slug, r.stream, r.status, r.error_kind
            from ops.sync_runs as r join ops.organizations as o on o.id = r.org_id
            order by r.run_id
            """
        )


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> World:
    source = Scripted()
    monkeypatch.setitem(SOURCES, "scripted", Source("scripted", STREAMS, ConnectionSettings, source.open))
    return World(source)


def failures(report: SyncReport) -> list[tuple[str, str, str]]:
    return [(failure.organization, failure.stream, failure.error.kind) for failure in report.failures]


def test_every_stream_of_every_organization_lands_and_is_reported(world: World) -> None:
    world.connect("one", "two")
    report = sync("scripted")
    assert report.organizations == report.succeeded == ["one", "two"]
    assert report.failures == []
    assert (report.rows_received, report.rows_changed) == (18, 18)
    assert [load.inserted for load in report.loads("invoice")] == [3, 3]
    assert world.query("select org_id, count(*) from staging_scripted.invoice group by org_id order by org_id") == [
        (1, 3),
        (2, 3),
    ]
    assert world.query("select distinct batch_id, requests from ops.sync_runs") == [(report.batch_id, 1)]

    again = sync("scripted")
    assert again.rows_changed == 0
    assert world.source.read_with["one", "bill"] == ({"read": True}, None)


def test_a_failing_stream_is_recorded_in_words_and_stops_nobody_else(world: World) -> None:
    world.connect("one", "two")
    sync("scripted")
    before = world.query("select * from staging_scripted.invoice order by org_id, record_id")

    def read(organization: str, stream: str) -> Iterator[Record]:
        yield record("0", changed=True)
        if (organization, stream) == ("one", "invoice"):
            raise TransientError("the server answered 503 five times", hint="try again later")

    world.source.read_stream = read
    report = sync("scripted")
    assert failures(report) == [("one", "invoice", "transient")]
    assert str(report.failures[0].error).startswith("one / scripted / invoice: the server answered 503")
    assert (report.succeeded, report.failed) == (["one", "two"], ["one"])
    assert world.query(
        """
        select mode, rows_received, error_kind, error_message from ops.sync_runs
        where status = 'failed'
        """
    ) == [
        (None, None, "transient", "one / scripted / invoice: the server answered 503 five times\n  → try again later")
    ]
    after = world.query("select * from staging_scripted.invoice order by org_id, record_id")
    assert after[:3] == before[:3]
    assert after[3:] != before[3:]
    assert report.results["one", "bill"].updated == 1


def test_wrong_credentials_end_an_organization_at_once_and_are_recorded_for_each_stream(world: World) -> None:
    world.connect("one", "two")

    def opening(organization: str) -> None:
        if organization == "one":
            raise ConfigurationError("the refresh token was rejected", hint="connect again")

    world.source.opening = opening
    report = sync("scripted")
    assert failures(report) == [("one", stream.name, "configuration") for stream in STREAMS]
    assert (report.succeeded, report.failed) == (["two"], ["one"])
    assert [run for run in world.runs() if run[0] == "one"] == [
        ("one", stream.name, "failed", "configuration") for stream in STREAMS
    ]


def test_credentials_that_stop_working_end_the_streams_that_are_left(world: World) -> None:
    world.connect("one")
    read_streams: list[str] = []

    def read(organization: str, stream: str) -> Iterator[Record]:
        read_streams.append(stream)
        if stream == "invoice":
            raise ConfigurationError("revoked")
        yield record("1")

    world.source.read_stream = read
    report = sync("scripted")
    assert read_streams == ["customer", "invoice"]
    assert failures(report) == [("one", "invoice", "configuration"), ("one", "bill", "configuration")]
    assert report.succeeded == ["one"]


@pytest.mark.parametrize("lazily", [False, True], ids=["before its first record", "among its records"])
def test_a_stream_whose_table_may_not_be_read_fails_alone(world: World, lazily: bool) -> None:
    world.connect("one")

    def read(organization: str, stream: str) -> Iterator[Record]:
        if stream == "customer" and not lazily:
            raise StreamUnavailable("no table [Customer]", hint="grant SELECT")
        yield record("1")
        if stream == "customer":
            raise StreamUnavailable("SELECT was denied on [Customer]", hint="grant SELECT")

    world.source.read_stream = read
    report = sync("scripted")
    assert failures(report) == [("one", "customer", "configuration")]
    assert set(report.results) == {("one", "invoice"), ("one", "bill")}
    assert not world.query("select 1 from staging_scripted.customer")


def test_only_failed_reads_just_what_failed_at_its_last_attempt(world: World) -> None:
    world.connect("one", "two", "three")
    broken = {("one", "invoice"), ("two", "customer"), ("two", "bill")}

    def read(organization: str, stream: str) -> Iterator[Record]:
        if (organization, stream) in broken:
            raise TransientError("down")
        yield record("1")

    world.source.read_stream = read
    sync("scripted")
    world.source.read_with.clear()
    broken.remove(("two", "bill"))
    report = sync("scripted", only_failed=True)
    assert sorted(world.source.read_with) == [("one", "invoice"), ("two", "bill"), ("two", "customer")]
    assert report.organizations == ["one", "two"]
    assert failures(report) == [("one", "invoice", "transient"), ("two", "customer", "transient")]

    broken.clear()
    assert sync("scripted", only_failed=True, orgs=["one"]).organizations == ["one"]
    assert sync("scripted", only_failed=True).organizations == ["two"]
    assert sync("scripted", only_failed=True).organizations == []


def test_a_defect_is_named_as_one_and_shows_no_secret(world: World) -> None:
    world.connect("one")
    register_secret("canary-4d1c9a")

    def read(organization: str, stream: str) -> Iterator[Record]:
        if stream == "invoice":
            raise KeyError("canary-4d1c9a")
        yield record("1")

    world.source.read_stream = read
    report = sync("scripted")
    assert failures(report) == [("one", "invoice", "defect")]
    assert "KeyError" in str(report.failures[0].error)
    assert "canary-4d1c9a" not in str(report.failures[0].error)
    assert "canary" not in str(world.query("select * from ops.sync_runs"))


def test_a_secret_that_is_not_set_fails_that_organization_by_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.connect("one", settings={"token": "env:SCRIPTED_TOKEN"})
    monkeypatch.delenv("SCRIPTED_TOKEN", raising=False)
    report = sync("scripted")
    assert {failure.error.kind for failure in report.failures} == {"configuration"}
    assert "one / scripted" in str(report.failures[0].error)
    assert "SCRIPTED_TOKEN" in str(report.failures[0].error)
    monkeypatch.setenv("SCRIPTED_TOKEN", "canary-77aa01")
    assert sync("scripted").failures == []
    assert world.source.settings["one"] == {"token": "canary-77aa01"}


def test_a_mass_deletion_is_refused_by_name_and_allowed_by_name(world: World) -> None:
    world.connect("one")
    world.source.mode = "full"
    sync("scripted")
    world.source.read_stream = lambda organization, stream: iter(())
    report = sync("scripted")
    assert failures(report) == [("one", stream.name, "refused") for stream in STREAMS]
    report = sync("scripted", allow_deletes=["invoice"])
    assert report.results["one", "invoice"].deleted == 3
    assert [failure.stream for failure in report.failures] == ["customer", "bill"]


def test_a_window_is_read_again_without_moving_the_watermark(world: World) -> None:
    world.connect("one")
    sync("scripted")
    before = world.query("select * from ops.watermarks order by stream")
    window = (date(2024, 1, 1), date(2024, 6, 30))
    sync("scripted", start=window[0], end=window[1])
    assert world.source.read_with["one", "bill"] == ({"read": True}, window)
    assert world.query("select * from ops.watermarks order by stream") == before


def test_a_window_read_again_does_not_hide_a_night_that_failed_nor_make_one_fail(world: World) -> None:
    world.connect("one", "two")
    down = TransientError("down")

    def read(organization: str, stream: str) -> Iterator[Record]:
        if organization == failing and stream == "invoice":
            raise down
        yield record("1")

    world.source.read_stream = read
    failing, window = "one", {"start": date(2024, 1, 1), "end": date(2024, 6, 30)}
    sync("scripted")
    failing = ""
    assert failures(sync("scripted", **window)) == []
    assert [(one.organization, one.state) for one in status(world.connection)] == [("one", "failing"), ("two", "ok")]
    night = sync("scripted", only_failed=True)
    assert [*night.results] == [("one", "invoice")]
    assert world.source.read_with["one", "invoice"] == (None, None), "the trailing window, which was never read"

    failing = "two"
    assert failures(sync("scripted", **window)) == [("two", "invoice", "transient")]
    assert [one.state for one in status(world.connection)] == ["ok", "ok"]
    assert sync("scripted", only_failed=True).organizations == []
    failing = ""
    assert [*sync("scripted", only_failed=True, **window).results] == [("two", "invoice")]
    assert world.source.read_with["two", "invoice"][1] == (window["start"], window["end"])
    assert sync("scripted", only_failed=True, **window).organizations == []


def test_never_more_organizations_at_a_time_than_workers(world: World) -> None:
    slugs = [f"org_{number}" for number in range(9)]
    world.connect(*slugs)
    at_work = most = 0
    lock = threading.Lock()

    def read(organization: str, stream: str) -> Iterator[Record]:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.02)
        yield record("1")
        with lock:
            at_work -= 1

    world.source.read_stream = read
    report = sync("scripted", workers=3)
    assert len(report.succeeded) == 9
    assert 1 < most <= 3


def test_progress_tells_each_step_in_turn(world: World) -> None:
    world.connect("one")

    def read(organization: str, stream: str) -> Iterator[Record]:
        if stream == "bill":
            raise TransientError("down")
        yield record("1")

    world.source.read_stream = read
    told: list[Event] = []
    sync("scripted", progress=told.append)
    assert [(event.kind, event.stream) for event in told] == [
        ("started", ""),
        ("loaded", "customer"),
        ("loaded", "invoice"),
        ("failed", "bill"),
        ("finished", ""),
    ]
    assert [str(event) for event in told][:4] == [
        "one: reading 3 streams",
        "one / customer: 1 record: 1 new",
        "one / invoice: 1 record: 1 new",
        "one / bill: failed: down",
    ]


def test_a_database_session_that_ends_costs_one_stream(world: World) -> None:
    world.connect("one")

    def read(organization: str, stream: str) -> Iterator[Record]:
        yield record("1")
        if stream == "customer":
            world.query(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'aiop sync scripted'"
            )
            yield from (record(str(number), pad="x" * 1000) for number in range(2000))

    world.source.read_stream = read
    report = sync("scripted")
    assert failures(report) == [("one", "customer", "database")]
    assert world.runs()[0] == ("one", "customer", "failed", "database")
    assert sorted(report.results) == [("one", "bill"), ("one", "invoice")]


def test_a_defect_of_the_one_who_watches_ends_the_sync_and_every_thread(world: World) -> None:
    world.connect("one", "two")

    def broken(event: Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sync("scripted", progress=broken)
    deadline = time.monotonic() + 10
    while any(thread.name == "sync scripted" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"source": "nowhere"}, "nowhere"),
        ({"orgs": ["nobody"]}, "nobody"),
        ({"allow_deletes": ["nothing"]}, "nothing"),
        ({"end": date(2024, 1, 1)}, "start"),
        ({"start": date(2024, 2, 1), "end": date(2024, 1, 1)}, "before it starts"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(
    world: World, arguments: dict[str, Any], named: str
) -> None:
    world.connect("one")
    with pytest.raises(UsageError, match=named):
        sync(**{"source": "scripted", **arguments})
    assert world.source.opened == []


def test_a_warehouse_that_was_never_set_up_says_so(world: World) -> None:
    world.connection.execute("drop schema ops cascade")
    with pytest.raises(DatabaseError, match="aiop db init"):
        sync("scripted")


def test_a_warehouse_of_an_earlier_version_is_said_to_be_before_a_source_is_asked(world: World) -> None:
    world.connect("one")
    world.connection.execute("update ops.alembic_version set version_num = '0004'")
    with pytest.raises(DatabaseError, match=r"is at version 0004, this program needs 0.*\n.*aiop db init"):
        sync("scripted")
    assert world.source.opened == []


@pytest.mark.parametrize(
    ("variable", "argument", "most"), [("", None, 8), ("3", None, 3), ("3", 2, 2)], ids=["default", "setting", "given"]
)
def test_how_many_are_read_at_a_time_is_the_settings_unless_it_is_given(
    world: World, monkeypatch: pytest.MonkeyPatch, variable: str, argument: int | None, most: int
) -> None:
    monkeypatch.setenv("AIOP_SYNC_WORKERS", variable)
    slugs = [f"org_{number}" for number in range(10)]
    world.connect(*slugs)
    meeting = threading.Barrier(most)
    threads = set()

    def read(organization: str, stream: str) -> Iterator[Record]:
        if threading.current_thread() not in threads:
            threads.add(threading.current_thread())
            meeting.wait(30)
        yield record("1")

    world.source.read_stream = read
    assert len(sync("scripted", workers=argument).succeeded) == 10
    assert len(threads) == most


def test_a_job_reads_as_many_at_a_time_as_its_configuration_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from orchestration.defs import sources

    asked = []
    monkeypatch.setattr(sources, "sync", lambda source, **arguments: asked.append(arguments["workers"]))
    context = SimpleNamespace(run=SimpleNamespace(run_id=""), log=None)
    for config in (sources.SyncConfig(), sources.SyncConfig(workers=5)):
        sources._sync(context, "scripted", [], config)
    assert asked == [None, 5]


@pytest.mark.parametrize("text", ["0", "65", "-1", "eight", "8.0", "²"])
def test_a_number_of_workers_that_can_not_be_is_refused_before_anything_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    world.connect("one")
    monkeypatch.setenv("AIOP_SYNC_WORKERS", text)
    with pytest.raises(UsageError, match=r"AIOP_SYNC_WORKERS is .*, not a number .* from 1 to 64"):
        sync("scripted")
    with pytest.raises(UsageError, match="workers: 65"):
        sync("scripted", workers=65)
    assert world.source.opened == []


def test_more_workers_than_the_server_has_sessions_for_are_refused_with_the_limit_that_is_in_the_way(
    world: World, superuser_url: str
) -> None:
    slugs = [f"org_{number}" for number in range(10)]
    world.connect(*slugs)
    with psycopg.connect(superuser_url, autocommit=True) as administrator:
        name = sql.Identifier(administrator.info.dbname)
        administrator.execute(sql.SQL("alter database {} with connection limit 12").format(name))
        with pytest.raises(UsageError, match=r"takes 12 sessions .* the connection limit of the database leaves 12"):
            sync("scripted", workers=6)
        assert world.source.opened == []
        assert len(sync("scripted", workers=5).succeeded) == 10
        administrator.execute(sql.SQL("alter database {} with connection limit -1").format(name))
        limit = administrator.execute("show max_connections").fetchone()
    with database.connect() as connection:
        require_sessions(connection, int(limit[0]) - 10)  # those that are kept for the builder among them
        with pytest.raises(UsageError, match="max_connections leaves"):
            require_sessions(connection, int(limit[0]))
