"""`aiop status`, `aiop drift` and `aiop orgs add|connect|disconnect`, as somebody at a terminal meets them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from landing_helpers import record
from test_sync import STREAMS, Scripted, World, three_records
from typer.testing import CliRunner, Result

from orchestration.cli import app
from orchestration.errors import TransientError, UsageError
from orchestration.sources import SOURCES
from orchestration.sources.core.connection import ConnectionSettings, SecretReference
from orchestration.sources.core.source import Source
from orchestration.status import status
from orchestration.sync import sync


class Settings(ConnectionSettings):
    account: str
    secret: SecretReference


@pytest.fixture
def world(database: str, monkeypatch: pytest.MonkeyPatch) -> World:
    source = Scripted()
    monkeypatch.setitem(SOURCES, "scripted", Source("scripted", STREAMS, Settings, source.open))
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("SCRIPTED_SECRET", "hush")
    monkeypatch.delenv("AIOP_SCHEDULES", raising=False)
    return World(source)


def aiop(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def refused(*arguments: str) -> UsageError:
    error = aiop(*arguments).exception
    assert isinstance(error, UsageError), error
    return error


def failing(organization: str, stream: str) -> Iterator[Any]:
    if (organization, stream) == ("two", "invoice"):
        raise TransientError("the server answered 503 five times", hint="see status.example.com, then try again")
    return three_records(organization, stream)


def test_all_is_well_in_one_line_an_organization(world: World) -> None:
    world.connect("one", "two")
    sync("scripted")
    shown = aiop("status")
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["one", "scripted", "ok", "0", "s", "ago", "9"],
        ["two", "scripted", "ok", "0", "s", "ago", "9"],
    ]
    assert lines[3] == "2 organizations: 2 ok; schedules are off here (AIOP_SCHEDULES=on starts them)"
    assert len(lines) == 4

    by_stream = aiop("status", "--streams", "--org", "two").output
    assert "invoice" in by_stream
    assert "one" not in by_stream.split()


def test_a_failure_stands_there_in_words_with_its_way_out_and_the_exit_code_says_so(world: World) -> None:
    world.connect("one", "two")
    sync("scripted")
    world.source.read_stream = failing
    sync("scripted")
    shown = aiop("status")
    assert shown.exit_code == 1
    assert "failing: two scripted (invoice) for 0 s: the server answered 503 five times" in shown.output
    assert "  → see status.example.com, then try again" in shown.output
    assert "1 ok, 1 failing" in shown.output
    # Yesterday's rows are counted, and others' failures are not this one's.
    (one,) = json.loads(aiop("status", "--json", "--org", "two").output)
    assert (one["state"], one["rows"]) == ("failing", 9)
    assert aiop("status", "--org", "one").exit_code == 0

    world.source.read_stream = three_records
    sync("scripted", only_failed=True)
    assert aiop("status").exit_code == 0


def test_who_is_held_back_stands_there_with_the_reason_and_the_way_out(world: World) -> None:
    world.connect("one", "two")
    sync("scripted")
    world.query(
        "insert into ops.held_back (org_id, source, reason, since, released_at) values"
        " (1, 'scripted', 'over', now() - interval '9 days', now()),"
        " (2, 'scripted', 'bill: 0 rows, 9 before', now() - interval '3 hours', null) returning 1"
    )
    shown = aiop("status")
    assert shown.exit_code == 1
    assert "held back: two scripted for 3 h, the last good rows stay published: bill: 0 rows, 9 before" in shown.output
    assert "aiop quality release two scripted" in shown.output
    assert shown.output.splitlines()[-1].startswith("2 organizations: 1 ok, 1 held back; ")
    one, two = json.loads(aiop("status", "--json").output)
    assert (one["state"], one["held_back_since"], one["held_back_reason"]) == ("ok", None, None)
    assert (two["state"], two["held_back_reason"]) == ("held back", "bill: 0 rows, 9 before")
    assert datetime.fromisoformat(two["held_back_since"]) < datetime.now(UTC) - timedelta(hours=2)

    # A failure beside it is not hidden by it, and either is a reason to look.
    world.source.read_stream = failing
    sync("scripted")
    shown = aiop("status", "--org", "two")
    assert "failing: two scripted (invoice)" in shown.output
    assert "held back: two scripted" in shown.output
    world.query("update ops.held_back set released_at = now() returning 1")
    assert "held back" not in aiop("status").output


def test_missed_nights_are_late_only_where_schedules_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.connect("one", "two")
    sync("scripted", orgs=["one"])
    later = datetime.now(UTC) + timedelta(hours=51)
    assert [one.state for one in status(world.connection, now=later)] == ["ok", "never read"]
    monkeypatch.setenv("AIOP_SCHEDULES", "on")
    first, second = status(world.connection, now=later)
    assert (first.state, second.state) == ("late", "never read")
    assert first.next_job == "nightly"
    assert first.next_run_at is not None
    assert first.next_run_at > later
    assert "next (UTC): scripted" in aiop("status").output


def test_three_hundred_organizations_fit_a_line_each(world: World) -> None:
    world.connect(*(f"firm_{number}" for number in range(300)))
    sync("scripted", orgs=["firm_7"])
    shown = aiop("status")
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()) == 302
    assert shown.output.splitlines()[-1].startswith("300 organizations: 1 ok, 299 never read")


def test_unknown_names_are_refused(world: World) -> None:
    world.connect("one")
    assert "'oen'" in str(refused("status", "--org", "oen"))
    assert "Sources in use: scripted" in refused("drift", "--source", "sripted").hint
    assert "neither a date nor an age" in str(refused("drift", "--since", "yesterday"))


def test_drift_says_what_changed_once_for_all_who_saw_it(world: World) -> None:
    world.connect("one", "two")
    world.source.read_stream = lambda *_: iter([record("1", amount=1, phone="x")])
    sync("scripted")
    world.source.read_stream = lambda *_: iter([record("1", amount="1.00", email="y")])
    sync("scripted")
    lines = aiop("drift").output.splitlines()
    assert len(lines) == 9
    bill = [line.partition("scripted bill: ")[2] for line in lines if "scripted bill: " in line]
    assert bill == [
        "amount was number, now also string  [one, two]",
        "email is new: string  [one, two]",
        "phone is gone; it was string  [one, two]",
    ]
    assert "[one]" in aiop("drift", "--org", "one").output
    world.query("update ops.schema_drift set detected_at = now() - interval '40 days' returning 1")
    assert aiop("drift").output.startswith("no source changed its shape since")
    assert len(aiop("drift", "--since", "60d").output.splitlines()) == 9


ADD = ("orgs", "add", "acme", "--name", "Acme [Ltd]", "--timezone", "America/Chicago", "--currency", "USD")


def test_an_organization_comes_is_connected_read_and_disconnected(world: World) -> None:
    assert aiop(*ADD, "--industry", "42").output.startswith("added: acme (id 1)")
    assert world.query("select name, timezone, industry, fiscal_year_start_month from ops.organizations") == [
        ("Acme [Ltd]", "America/Chicago", "42", 1)
    ]
    connect = ("orgs", "connect", "acme", "scripted", "account=0123", "secret=env:SCRIPTED_SECRET")
    assert aiop(*connect).output.startswith("connected: acme scripted")
    assert aiop(*connect).output == "unchanged: acme scripted\n"
    assert world.query("select settings from ops.connections") == [
        ({"account": "0123", "secret": "env:SCRIPTED_SECRET"},)
    ]
    assert sync("scripted").rows_changed == 9
    assert world.source.settings["acme"]["secret"] == "hush"
    world.query("insert into ops.oauth_tokens (org_id, source) values (1, 'scripted') returning 1")

    assert aiop("orgs", "disconnect", "acme", "scripted").exit_code == 0
    assert world.query("select org_id from ops.connections union all select org_id from ops.oauth_tokens") == []
    assert world.query("select count(*) from staging_scripted.bill") == [(3,)]
    shown = aiop("status")
    assert "disconnected" in shown.output
    assert shown.exit_code == 0
    assert "has no connection" in str(refused("orgs", "disconnect", "acme", "scripted"))


def test_what_is_added_or_connected_is_checked_as_the_file_is(world: World) -> None:
    bad = refused("orgs", "add", "Acme", "--name", "Acme", "--timezone", "America/Chicgo", "--currency", "usd")
    for part in ("slug: must be lower-case", "did you mean America/Chicago?", "'usd' is not a currency"):
        assert part in str(bad)
    assert aiop(*ADD).exit_code == 0
    assert "there already" in str(refused(*ADD))
    assert "that of acme" in str(refused(*(part.replace("acme", "acme2") for part in ADD), "--id", "1"))

    clear = refused("orgs", "connect", "acme", "scripted", "account=1", "secret=s3cr3t-value")
    assert "scripted.secret: must be a reference such as env:NAME" in str(clear)
    assert "key=env:NAME" in clear.hint
    assert "s3cr3t-value" not in str(clear)
    unset = refused("orgs", "connect", "acme", "scripted", "account=1", "secret=env:NOT_THERE")
    assert "the environment variable NOT_THERE is not set" in str(unset)
    assert "unknown key" in str(
        refused("orgs", "connect", "acme", "scripted", "acount=1", "secret=env:SCRIPTED_SECRET")
    )
    assert "unknown source (did you mean scripted?)" in str(refused("orgs", "connect", "acme", "scriptd", "a=1"))
    assert "s3cr3t-value" not in str(refused("orgs", "connect", "acme", "scripted", "s3cr3t-value"))
    assert world.query("select * from ops.connections") == []


def test_metrics_say_what_fails_and_exit_0_so_that_they_are_brought_to_whoever_alarms(world: World) -> None:
    world.connect("one", "two", "three")
    world.source.read_stream = failing
    sync("scripted", orgs=["one", "two"])
    shown = aiop("status", "--prometheus")
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert 'aiop_stream_failed{organization="two",source="scripted",stream="invoice"} 1' in lines
    assert 'aiop_stream_failed{organization="one",source="scripted",stream="invoice"} 0' in lines
    assert 'aiop_stream_rows{organization="one",source="scripted",stream="bill"} 3' in lines
    assert 'aiop_source_state{organization="three",source="scripted",state="never read"} 1' in lines
    assert "503" not in shown.output, "a label of an error's words would be a metric of its own"
    assert 'organization="one"' not in aiop("status", "--prometheus", "--org", "two").output
    assert refused("status", "--prometheus", "--json").hint == "give one of them"
