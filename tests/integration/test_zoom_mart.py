"""Zoom's mart from hand-written records: every figure below can be counted by eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from dbt_runs import Dbt, warehouse
from landed_zoom import day, land, leg, meeting, prepare, was_read

from orchestration.quality.check import check
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.zoom.streams import STREAMS
from orchestration.warehouse.loader import load

COUNTS = ("total_users", "phone_users", "queue_count")
MEETINGS = ("total_meetings", "total_meeting_minutes", "total_participants", "avg_meeting_duration_mins")
CALLS = (
    "total_calls",
    "inbound_calls",
    "outbound_calls",
    "missed_calls",
    "total_call_minutes",
    "avg_call_duration_mins",
)
# As the data mart document has it, on this database's names.
DOCUMENT = """
    create schema document;
    create table document.mart_zoom_metrics (
        id serial primary key,
        org_id integer not null references ops.organizations(id),
        metric_date date not null,
        total_users integer default 0,
        phone_users integer default 0,
        total_meetings integer default 0,
        total_meeting_minutes integer default 0,
        total_participants integer default 0,
        avg_meeting_duration_mins numeric(8,2) default 0,
        total_calls integer default 0,
        inbound_calls integer default 0,
        outbound_calls integer default 0,
        missed_calls integer default 0,
        total_call_minutes integer default 0,
        avg_call_duration_mins numeric(8,2) default 0,
        queue_count integer default 0,
        source_system varchar(50) default 'zoom',
        created_at timestamp default current_timestamp,
        updated_at timestamp default current_timestamp,
        unique(org_id, metric_date)
    );
"""
COLUMNS = """
    select attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = %s::regclass and attnum > 0 order by attnum
"""
CONSTRAINTS = """
    select contype::text, pg_get_constraintdef(oid) from pg_constraint
    where conrelid = %s::regclass and contype in ('p', 'u', 'f') order by 1
"""


@pytest.fixture
def connection(database: str) -> psycopg.Connection:
    connection = psycopg.connect(database, autocommit=True)
    prepare(connection)
    return connection


@pytest.fixture
def dbt(database: str, connection: psycopg.Connection, tmp_path: Path) -> Dbt:
    """The project, over landed tables that are empty."""
    return warehouse(database, tmp_path / "dbt")


def rows(connection: psycopg.Connection, org_id: int = 1) -> dict[str, dict[str, Any]]:
    """The mart's rows of an organization as JSON, by date."""
    found = connection.execute("select to_jsonb(m) from marts.mart_zoom_metrics as m where org_id = %s", [org_id])
    return {row["metric_date"]: row for (row,) in found}


def of(row: dict[str, Any], names: tuple[str, ...]) -> list[Any]:
    return [row[name] for name in names]


@pytest.mark.slow
def test_the_mart_is_as_documented_and_its_days_are_those_that_were_read(
    connection: psycopg.Connection, dbt: Dbt
) -> None:
    # Calls, in Chicago (UTC-6, from the 8th on UTC-5). The 7th: one at 23:30 that is passed on past midnight, and
    # one at 00:30 that nobody took at either of two tries. The 8th, of 23 hours: one at its very end. The 9th: none.
    legs = {
        "a1": leg("7018317023722949162", "2026-03-08T05:30:00Z", 1700, "answered"),
        "a2": leg("7018317023722949162", "2026-03-08T06:00:00Z", 100, "answered", "outbound"),
        "b1": leg("2", "2026-03-07T06:30:00Z", 29, "no_answer"),
        "b2": leg("2", "2026-03-07T06:31:00Z", 0, "Voicemail"),
        "c1": leg("3", "2026-03-09T04:59:59Z", 60, "overflowed"),
        "c2": leg("3", "2026-03-09T05:00:59Z", 31, "answered"),
        # Nobody has said of the result whether it is missed; an outbound call never is.
        "d1": leg("4", "2026-03-08T18:00:00Z", 0, "parked"),
        "e1": leg("5", "2026-03-08T18:00:00Z", 0, "no_answer", "outbound"),
        # A local time, as Zoom writes it without Z; and a leg that belongs to no other.
        "f1": leg("", "2026-03-08T23:59:00", 30, "busy"),
    }
    land(connection, 1, "call_history", legs)
    was_read(connection, 1, "2026-03-10T04:00:00+00:00", "call_history", ("2026-03-07", "2026-03-09"))
    # The second organization's calls were never read to their end, so that nothing is known of any day.
    land(connection, 2, "call_history", {"a1": leg("1", "2026-03-08T18:00:00Z", 60)})
    # Meetings: the 7th is reported, so days before that are not had none. Of the 8th and 9th, today, the
    # report has no word yet; the hosts' lists have none and two, of 30 and 15 minutes.
    land(connection, 1, "daily_report", {"2026-03-07": day("2026-03-07", 3, 9, 271)})
    land(connection, 1, "daily_report", {"2026-02-27": day("2026-02-27", 1, 2, 20)})
    was_read(connection, 1, "2026-03-10T04:00:00+00:00", "daily_report", ("2026-02-28", "2026-03-09"))
    hosts = {
        "x": meeting("2026-03-07T20:00:00Z", 50, 200, 4),
        "y": meeting("2026-03-09T15:00:00Z", 30, 90, 3),
        "z": meeting("2026-03-09T16:00:00Z", 15, 30, 2),
    }
    land(connection, 1, "meetings", hosts)
    was_read(connection, 1, "2026-03-10T04:00:00+00:00", "meetings", ("2026-03-07", "2026-03-09"))
    outcome = dbt.build_source("zoom")

    connection.execute(DOCUMENT)
    names = ("marts.mart_zoom_metrics", "document.mart_zoom_metrics")
    ours, theirs = (connection.execute(COLUMNS, [name]).fetchall() for name in names)
    assert ours[1:] == theirs[1:]
    # An identity numbers as a serial does; nobody but Postgres can hand out its numbers by accident.
    assert ours[0][:3] == theirs[0][:3] == ("id", "integer", True)
    ours, theirs = (connection.execute(CONSTRAINTS, [name]).fetchall() for name in names)
    assert ours == theirs
    index = "marts.idx_mart_zoom_org_date"
    assert connection.execute("select to_regclass(%s)::text", [index]).fetchone() == (index,)

    found = rows(connection)
    assert rows(connection, 2) == {}
    assert sorted(found) == ["2026-02-27", "2026-02-28", *(f"2026-03-0{number}" for number in range(1, 10))]
    # 1700 + 100 + 29 seconds are 30.483 minutes; by two calls 15.24.
    assert of(found["2026-03-07"], CALLS) == [2, 2, 0, 1, 30, 15.24]
    # 60 + 31 + 0 + 0 + 30 seconds are 2.017 minutes; by four calls 0.50. Missed: the one at 23:59 alone.
    assert of(found["2026-03-08"], CALLS) == [4, 3, 1, 1, 2, 0.5]
    assert of(found["2026-03-09"], CALLS) == [0, 0, 0, 0, 0, None]
    assert of(found["2026-02-27"], CALLS) == [None] * 6
    assert of(found["2026-02-27"], MEETINGS) == [1, 20, 2, None]
    assert of(found["2026-03-07"], MEETINGS) == [3, 271, 9, 50.0]
    assert of(found["2026-03-06"], MEETINGS) == [0, 0, 0, None]
    assert of(found["2026-03-08"], MEETINGS) == [0, 0, 0, None]
    assert of(found["2026-03-09"], MEETINGS) == [2, 120, 5, 22.5]
    assert {row[name] for row in found.values() for name in COUNTS} == {None}
    assert outcome.statuses["zoom_unknown_call_results"] == "warn"
    unknown = connection.execute(outcome.compiled["zoom_unknown_call_results"]).fetchall()
    assert [row[:3] for row in unknown if row[0] == "org_1"] == [("org_1", "parked", 1)]

    # Counts: of the day they were read on, and of no other.
    people = {"1": {"status": "active"}, "2": {"status": "inactive"}, "pending/a@b.c": {"status": "pending"}}
    land(connection, 1, "users", people | {"3": {"status": "active", "id": "3"}})
    land(connection, 1, "users", {"9": {"status": "active"}}, deleted=True)
    land(connection, 1, "call_queues", {"1": {"name": "Line"}, "2": {"status": "inactive"}})
    was_read(connection, 1, "2026-03-09T12:00:00+00:00", "users")
    was_read(connection, 1, "2026-03-09T12:00:00+00:00", "call_queues")
    was_read(connection, 1, "", "phone_users")
    dbt.rebuild_source("zoom")
    assert of(rows(connection)["2026-03-09"], COUNTS) == [2, None, 1]
    land(connection, 1, "users", {"1": {"status": "inactive"}})
    was_read(connection, 1, "2026-03-11T04:00:00+00:00", "users")
    # A call of the 9th shows late; all that is known of the 10th is who there is.
    land(connection, 1, "call_history", {"g1": leg("6", "2026-03-09T18:00:00Z", 90)})
    dbt.rebuild_source("zoom")
    found = rows(connection)
    assert of(found["2026-03-09"], COUNTS) == [2, None, 1], "days before keep what they were counted as"
    assert of(found["2026-03-09"], CALLS) == [1, 1, 0, 0, 2, 1.5], "and their calls are corrected"
    assert of(found["2026-03-10"], (*COUNTS, *CALLS, *MEETINGS)) == [1, *[None] * 12]

    versions = "select metric_date, xmin::text from marts.mart_zoom_metrics order by 1"
    before = connection.execute(versions).fetchall()
    dbt.rebuild_source("zoom")
    assert connection.execute(versions).fetchall() == before


HOSTILE: list[Any] = [None, [], "text", 7, {}, {"status": ["active"]}, {"start_time": {}}, {"date": []}]
FLIPPED: list[Any] = [1, 1.5, True, "x", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "1e99", "1e999", [], {"a": []}]
FIELDS = (
    "id",
    "status",
    "date",
    "meetings",
    "participants",
    "meeting_minutes",
    "start_time",
    "end_time",
    "duration",
    "total_minutes",
    "participants_count",
    "call_id",
    "direction",
    "call_result",
    "join_time",
)


@pytest.mark.slow
def test_no_payload_stops_a_build_and_what_cant_be_read_is_unknown(connection: psycopg.Connection, dbt: Dbt) -> None:
    payloads = [*HOSTILE, *(dict.fromkeys(FIELDS, value) for value in FLIPPED)]
    covered = ("2026-02-01", "2026-02-03")
    for stream in STREAMS:
        land(connection, 1, stream.name, {f"hostile {number}": payload for number, payload in enumerate(payloads)})
        for organization in (1, 2):
            was_read(connection, organization, "2026-02-03T18:00:00+00:00", stream.name, covered)
    # Of three calls one has no length; of two days one has no number that can be read, another one too large.
    land(connection, 2, "call_history", {"1": leg("1", "2026-02-01T18:00:00Z", "a lot")})
    land(connection, 2, "call_history", {"2": leg("2", "2026-02-01T18:00:00Z", 60)})
    land(connection, 2, "call_history", {"3": leg("3", "2026-02-02T18:00:00Z", 10**15)})
    land(connection, 2, "daily_report", {"2026-02-01": day("2026-02-01", 2, "many", 10**12)})

    outcome = dbt.build_source("zoom")

    found = rows(connection, 2)
    assert of(found["2026-02-01"], CALLS) == [2, 2, 0, 0, None, None]
    assert of(found["2026-02-02"], CALLS) == [1, 1, 0, 0, None, None], "minutes that their type can't hold"
    assert of(found["2026-02-01"], MEETINGS) == [2, None, None, None]
    assert outcome.statuses["zoom_metrics_unknown"] == "warn"
    named = connection.execute(outcome.compiled["zoom_metrics_unknown"]).fetchall()
    assert {(str(row[1]), row[2]) for row in named if row[0] == "org_2"} == {
        ("2026-02-01", "total_meeting_minutes"),
        ("2026-02-01", "total_participants"),
        ("2026-02-01", "total_call_minutes"),
        ("2026-02-01", "avg_call_duration_mins"),
        ("2026-02-02", "total_call_minutes"),
        ("2026-02-02", "avg_call_duration_mins"),
    }
    # The tests that look for contradictions do find some.
    connection.execute(
        "update marts.mart_zoom_metrics set inbound_calls = 3, missed_calls = 4, avg_call_duration_mins = 1,"
        " total_call_minutes = 9, total_meetings = 0, total_participants = 1 where org_id = 2 and total_calls = 2"
    )
    again = dbt.run("test", "--select", "zoom_metrics_identities")
    broken = connection.execute(again.compiled["zoom_metrics_identities"]).fetchall()
    assert not again.success
    assert {row[2] for row in broken if row[0] == "org_2"} == {
        "inbound and outbound calls are among all calls",
        "missed calls are inbound calls",
        "the average is minutes by calls, but for what rounding takes",
        "without meetings nobody took part",
    }

    # Held back: what lands from now on is not published, and no value of a record is shown.
    state = {"read_at": "2026-02-03T18:00:00+00:00", "covered": [list(covered)]}
    landed = Extract([Record("4", leg("4", "2026-02-02T19:00:00Z", -60))], "incremental", state)
    load(connection, org_id=2, source="zoom", stream="call_history", extract=landed, batch_id=uuid4())
    held = check("zoom", document=False)
    assert [one.organization for one in held.held] == ["org_2"]
    assert "a lot" not in str(held)
    assert "-60" not in str(held)
    before = rows(connection, 2)
    dbt.run("run", "--select", "+mart_zoom_metrics")
    assert rows(connection, 2) == before
