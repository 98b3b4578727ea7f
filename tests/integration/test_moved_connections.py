"""A connection that leads to another account begins anew: two companies are never mixed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from landing_helpers import record
from test_sync import STREAMS, Scripted, World, failures
from typer.testing import CliRunner

from orchestration.commands.orgs import app
from orchestration.sources import SOURCES
from orchestration.sources.core.connection import ConnectionSettings, Text
from orchestration.sources.core.records import Record
from orchestration.sources.core.source import Source
from orchestration.sync import SyncReport, sync
from orchestration.warehouse import connecting, sync_runs

ALL_STREAMS = tuple(stream.name for stream in STREAMS)


class Settings(ConnectionSettings):
    account_fields: ClassVar[tuple[str, ...]] = ("account",)
    account: Text
    start: str = "2024"


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """acme, connected to account A and read: ten records a stream, of which a later read brings what changed."""
    source = Scripted()

    def read(organization: str, stream: str) -> Iterator[Record]:
        account = source.settings[organization]["account"]
        state, _ = source.read_with[organization, stream]
        return (record(f"{account}{number}", account=account) for number in range(10 if state is None else 1))

    source.read_stream = read
    monkeypatch.setitem(SOURCES, "scripted", Source("scripted", STREAMS, Settings, source.open))
    made = World(source)
    facts = {"slug": "acme", "name": "Acme", "timezone": "UTC", "currency": "USD"}
    connecting.add(made.connection, facts)
    assert orgs("connect", "acme", "scripted", "account=A").startswith("connected")
    assert not sync("scripted").failures
    made.query("insert into ops.oauth_tokens (org_id, source) values (1, 'scripted') returning 1")
    return made


def orgs(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def live(world: World, stream: str = "invoice") -> list[Any]:
    rows = world.query(
        f"select distinct payload ->> 'account' from staging_scripted.{stream} where deleted_at is null order by 1"
    )
    return [account for (account,) in rows]


def allowed() -> SyncReport:
    return sync("scripted", allow_deletes=ALL_STREAMS)


def test_another_accounts_first_read_is_whole_and_leaves_nothing_of_the_one_before(world: World) -> None:
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    assert len(sync_runs.fresh_streams(world.connection, "scripted", midnight)) == 3
    said = orgs("connect", "acme", "scripted", "account=B")
    way_out = "aiop sync scripted --org acme --allow-deletes bill --allow-deletes customer --allow-deletes invoice"
    assert way_out in said
    assert world.query("select * from ops.oauth_tokens") == []
    assert sync_runs.fresh_streams(world.connection, "scripted", midnight) == set(), "the night would pass it over"

    refused = sync("scripted")
    assert failures(refused) == [("acme", stream, "refused") for stream in ALL_STREAMS]
    assert "since the connection was changed came without 10 of the 10" in str(refused.failures[0].error)
    assert "--allow-deletes customer" in refused.failures[0].error.hint
    assert live(world) == ["A"]

    assert not allowed().failures
    assert world.source.read_with["acme", "invoice"] == (None, None)
    assert [live(world, stream) for stream in ALL_STREAMS] == [["B"]] * 3
    assert world.query("select count(*) from staging_scripted.invoice") == [(20,)]

    # From then on it is a connection like any other: changes only, and what does not come stays.
    assert sync("scripted").rows_changed == 0
    assert world.source.read_with["acme", "invoice"] == ({"read": True}, None)
    assert world.query("select count(*) from staging_scripted.invoice where deleted_at is null") == [(10,)]


def test_other_settings_of_the_same_account_leave_its_reads_where_they_were(world: World) -> None:
    assert "allow-deletes" not in orgs("connect", "acme", "scripted", "account=A", "start=2020")
    assert world.query("select count(*) from ops.oauth_tokens") == [(1,)]
    assert not sync("scripted").failures
    assert world.source.read_with["acme", "invoice"] == ({"read": True}, None)


def test_a_file_says_the_same(world: World, tmp_path: Path) -> None:
    path = tmp_path / "organizations.yml"
    entry = {"id": 1, "slug": "acme", "name": "Acme", "timezone": "UTC", "currency": "USD"}
    path.write_text(yaml.safe_dump({"organizations": [entry | {"connections": {"scripted": {"account": "B"}}}]}))
    assert "--allow-deletes invoice" in orgs("apply", str(path))
    assert world.query("select * from ops.oauth_tokens") == []
    assert "--allow-deletes" not in orgs("apply", str(path))
    assert not allowed().failures
    assert live(world) == ["B"]


def test_what_was_disconnected_begins_anew_since_nothing_tells_where_it_led(world: World) -> None:
    orgs("disconnect", "acme", "scripted")
    assert "--allow-deletes invoice" in orgs("connect", "acme", "scripted", "account=A")
    # The same account after all: everything comes again, and nothing is refused or written.
    report = sync("scripted")
    assert (report.failures, report.rows_received, report.rows_changed) == ([], 30, 0)


def test_a_window_read_before_the_first_whole_read_does_not_stand_for_it(world: World) -> None:
    orgs("connect", "acme", "scripted", "account=B")
    assert not sync("scripted", start=datetime(2025, 1, 1, tzinfo=UTC).date()).failures
    assert live(world) == ["A", "B"]
    assert not allowed().failures
    assert live(world) == ["B"]


@pytest.mark.parametrize("committed", [True, False])
def test_what_was_read_of_the_account_before_does_not_land_after_the_change(world: World, committed: bool) -> None:
    reading = world.source.read_stream
    changing = World(world.source).connection
    changing.autocommit = False
    changing.execute("select 1")  # or connecting would be a transaction of its own, and end with it

    def read(organization: str, stream: str) -> Iterator[Record]:
        yield from reading(organization, stream)
        yield record("late", account="A")
        if stream == "customer":
            connecting.connect(changing, "acme", "scripted", {"account": "B"})
            if committed:
                changing.commit()

    world.source.read_stream = read
    report = sync("scripted")
    changing.commit()
    assert failures(report) == [("acme", stream, "transient") for stream in ALL_STREAMS]
    assert "maybe to another account" in str(report.failures[0].error)
    assert world.query("select * from staging_scripted.customer where record_id = 'late'") == []

    world.source.read_stream = reading
    assert not allowed().failures
    assert [live(world, stream) for stream in ALL_STREAMS] == [["B"]] * 3
