"""The CRM's marts from hand-written HubSpot records: every figure below can be counted by eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt_runs import Dbt, of_source, warehouse
from landed_hubspot import land, pipeline, prepare, record, was_read

from orchestration.sources.hubspot.streams import STREAMS

# As the data mart document has it, on this database's names.
METADATA = """
    source_system varchar(50) default 'hubspot',
    created_at timestamp default current_timestamp,
    updated_at timestamp default current_timestamp,
    unique(org_id, snapshot_date)
"""
BEGIN = "id serial primary key, org_id integer not null references ops.organizations(id), snapshot_date date not null"
COUNTS = (
    "total_contacts",
    "new_contacts_30d",
    "new_contacts_7d",
    "subscribers",
    "leads",
    "marketing_qualified",
    "sales_qualified",
    "opportunities",
    "customers",
    "evangelists",
    "other_lifecycle",
)
DOCUMENT = f"""
    create schema document;
    create table document.mart_crm_contacts (
        {BEGIN}, {", ".join(f"{name} integer default 0" for name in COUNTS)}, {METADATA}
    );
    create table document.mart_crm_deals (
        {BEGIN},
        total_deals integer default 0,
        open_deals integer default 0,
        won_deals integer default 0,
        lost_deals integer default 0,
        total_pipeline_value numeric(18,2) default 0,
        won_value numeric(18,2) default 0,
        lost_value numeric(18,2) default 0,
        average_deal_size numeric(18,2) default 0,
        deals_by_stage jsonb default '{{}}',
        {METADATA}
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
STAGES = {"new": ("false", "0.2"), "won": ("true", "1.0"), "lost": ("true", "0.0")}


@pytest.fixture
def connection(database: str) -> psycopg.Connection:
    connection = psycopg.connect(database, autocommit=True)
    prepare(connection)
    return connection


@pytest.fixture
def dbt(database: str, connection: psycopg.Connection, tmp_path: Path) -> Dbt:
    """The project, over landed tables that are empty."""
    return warehouse(database, tmp_path / "dbt")


def rows(connection: psycopg.Connection, mart: str) -> dict[tuple[int, str], dict[str, Any]]:
    """A mart's rows as JSON, by organization and date."""
    found = connection.execute(f"select to_jsonb(m) from marts.{mart} as m").fetchall()
    return {(row["org_id"], row["snapshot_date"]): row for (row,) in found}


def test_marts_are_as_documented_and_empty_where_nobody_was_read(connection: psycopg.Connection, dbt: Dbt) -> None:
    dbt.rebuild_source("hubspot")

    assert rows(connection, "mart_crm_contacts") == rows(connection, "mart_crm_deals") == {}
    connection.execute(DOCUMENT)
    for mart in ("mart_crm_contacts", "mart_crm_deals"):
        names = (f"marts.{mart}", f"document.{mart}")
        ours, theirs = (connection.execute(COLUMNS, [name]).fetchall() for name in names)
        assert ours[1:] == theirs[1:]
        # An identity numbers as a serial does; nobody but Postgres can hand out its numbers by accident.
        assert ours[0][:3] == theirs[0][:3] == ("id", "integer", True)
        ours, theirs = (connection.execute(CONSTRAINTS, [name]).fetchall() for name in names)
        assert ours == theirs
        index = f"marts.idx_{mart}_org_date"
        assert connection.execute("select to_regclass(%s)::text", [index]).fetchone() == (index,)


def test_archived_merged_and_strange_records_count_as_the_rules_say(connection: psycopg.Connection, dbt: Dbt) -> None:
    stages = ("subscriber", "lead", "lead", "other", "90210477", "Lead", "", None)
    people = {str(n): record(str(n), lifecyclestage=stage) for n, stage in enumerate(stages, start=1)}
    # 6 swallowed 20 and, before, 21; the loser that still looks alive is out all the same.
    people["6"]["properties"] |= {"hs_merged_object_ids": "20;21", "hs_calculated_merged_vids": "20:17;6:16"}
    people |= {"20": record("20", lifecyclestage="lead"), "22": record("22") | {"archived": True}}
    land(connection, 1, "contacts", people)
    land(connection, 1, "contacts", {"21": record("21"), "23": record("23")}, deleted=True)
    # Two pipelines with a stage of the same id, of contrary meaning; a pipeline that is gone, and one of tickets.
    other = {"won": ("true", "0"), "paused": ("true", "0.5")}
    pipelines = {"deals/default": pipeline("default", STAGES), "deals/77": pipeline("77", other)}
    land(connection, 1, "pipelines", pipelines | {"tickets/9": pipeline("9", STAGES, "tickets")})
    land(connection, 1, "pipelines", {"deals/8": pipeline("8", STAGES)}, deleted=True)
    deals = [
        {"pipeline": "default", "dealstage": "won", "amount": "3", "amount_in_home_currency": "1.08E7"},
        {"pipeline": "default", "dealstage": "won", "amount": "0.005"},
        {"pipeline": "77", "dealstage": "won", "amount": "7", "hs_amount_in_home_currency": "8.5"},
        {"pipeline": "77", "dealstage": "paused", "amount": None},
        {"pipeline": "8", "dealstage": "won", "amount": "100"},
        {"pipeline": "9", "dealstage": "won", "amount": "10"},
        {"pipeline": "default", "dealstage": "paused", "amount": "1"},
        {"pipeline": "default", "dealstage": None, "amount": ""},
        {"pipeline": "default", "dealstage": "new", "amount": "-0.5"},
    ]
    land(connection, 1, "deals", {str(n): record(str(n), **held) for n, held in enumerate(deals)})
    # The second organization reads contacts alone; a third's portal has nothing in it.
    land(connection, 2, "contacts", {"1": record("1", lifecyclestage="lead")})
    land(connection, 2, "deals", {"1": record("1", pipeline="default", dealstage="won", amount="9")})
    # Just after midnight UTC on the first of February: in Chicago, still the last of January.
    was_read(connection, 1, "2026-02-01T03:00:00+00:00")
    was_read(connection, 2, "2026-02-01T03:00:00+00:00", "contacts", "deals")
    was_read(connection, 2, "", "pipelines")

    outcome = dbt.build_source("hubspot")

    contacts = rows(connection, "mart_crm_contacts")
    assert set(contacts) == {(1, "2026-01-31"), (2, "2026-01-31")}
    row = contacts[1, "2026-01-31"]
    # Made on the fifth: within 30 local dates, not within 7.
    assert [row[name] for name in COUNTS] == [8, 8, 0, 1, 2, 0, 0, 0, 0, 0, 5]
    deals_found = rows(connection, "mart_crm_deals")
    assert set(deals_found) == {(1, "2026-01-31")}
    row = deals_found[1, "2026-01-31"]
    assert [row[name] for name in ("total_deals", "open_deals", "won_deals", "lost_deals")] == [9, 6, 2, 1]
    values = ("total_pipeline_value", "won_value", "lost_value", "average_deal_size")
    assert [str(row[name]) for name in values] == ["110.5", "10800000.01", "8.5", "5400000.0"]
    assert row["deals_by_stage"] == {
        "default/won": 2,
        "77/won": 1,
        "77/paused": 1,
        "default/new": 1,
        "unknown": 4,
    }
    assert outcome.statuses["hubspot_unknown_stages"] == "warn"
    unknown = connection.execute(outcome.compiled["hubspot_unknown_stages"]).fetchall()
    assert {row[:4] for row in unknown} == {
        ("org_1", "8", "won", 1),
        ("org_1", "9", "won", 1),
        ("org_1", "default", "paused", 1),
        ("org_1", "default", None, 1),
    }


@pytest.mark.slow
def test_days_before_stay_while_todays_row_is_updated_in_place(connection: psycopg.Connection, dbt: Dbt) -> None:
    land(connection, 1, "pipelines", {"deals/default": pipeline("default", STAGES)})
    land(connection, 1, "contacts", {"1": record("1")})
    land(connection, 1, "deals", {"1": record("1", pipeline="default", dealstage="new", amount="5")})
    for day, stage in (("2026-03-01", "new"), ("2026-03-02", "lost"), ("2026-03-02", "won")):
        land(connection, 1, "deals", {"1": record("1", pipeline="default", dealstage=stage, amount="5")})
        was_read(connection, 1, f"{day}T18:00:00+00:00")
        dbt.rebuild_source("hubspot")

    found = rows(connection, "mart_crm_deals")
    assert {day: (row["id"], row["deals_by_stage"]) for (_, day), row in found.items()} == {
        "2026-03-01": (1, {"default/new": 1}),
        "2026-03-02": (2, {"default/won": 1}),
    }

    # Deals fail a night in which stages change: neither day moves, nor does a new one begin.
    land(connection, 1, "pipelines", {"deals/default": pipeline("default", {"won": ("true", "0.0")})})
    was_read(connection, 1, "2026-03-03T18:00:00+00:00", "pipelines", "contacts")
    dbt.build_source("hubspot")

    assert rows(connection, "mart_crm_deals") == found
    assert {day for _, day in rows(connection, "mart_crm_contacts")} == {"2026-03-01", "2026-03-02", "2026-03-03"}


HOSTILE: list[Any] = [
    None,
    [],
    "text",
    7,
    {},
    {"properties": []},
    {"properties": "x", "stages": {"a": 1}, "archived": "maybe", "createdAt": "0000-00-00T00:00:00Z"},
    {"objectType": "deals", "id": "p", "stages": [None, 1, "x", [], {"id": {"a": 1}}, {"id": "s", "metadata": "x"}]},
    {
        "objectType": "deals",
        "id": "p",
        "stages": [{"id": "s", "metadata": {"isClosed": 1, "probability": "1e400"}}] * 2,
    },
]
FLIPPED: list[Any] = [1, 1.5, True, "x", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "1e99", "1e999", [], {"a": []}]
FIELDS = (
    "createdate",
    "lifecyclestage",
    "amount",
    "amount_in_home_currency",
    "pipeline",
    "dealstage",
    "hs_merged_object_ids",
    "hs_calculated_merged_vids",
    "hs_timestamp",
    "hs_call_duration",
    "hs_value",
    "price",
)


@pytest.mark.slow
def test_no_payload_stops_a_build_and_what_cant_be_read_is_named(connection: psycopg.Connection, dbt: Dbt) -> None:
    payloads = [*HOSTILE, *({"id": "1", "properties": dict.fromkeys(FIELDS, value)} for value in FLIPPED)]
    for stream in STREAMS:
        land(connection, 1, stream.name, {f"hostile {number}": payload for number, payload in enumerate(payloads)})
    land(connection, 2, "pipelines", {"deals/default": pipeline("default", STAGES)})
    unreadable = record("1", pipeline="default", dealstage="won", amount="a lot")
    land(connection, 2, "deals", {"1": unreadable, "2": record("2", pipeline="default", dealstage="lost", amount="4")})
    for organization in (1, 2):
        was_read(connection, organization, "2026-02-01T12:00:00+00:00")

    outcome = dbt.run("build", *of_source("hubspot"))

    assert outcome.success, outcome.messages
    warned = {name for name, status in outcome.statuses.items() if status == "warn"}
    assert {"readable_stg_hubspot__deals_", "readable_stg_hubspot__contacts_", "crm_deals_unknown"} <= warned
    named = connection.execute(outcome.compiled["crm_deals_unknown"]).fetchall()
    assert {(row[0], row[2]) for row in named if row[0] == "org_2"} == {
        ("org_2", "won_value"),
        ("org_2", "average_deal_size"),
    }
    row = rows(connection, "mart_crm_deals")[2, "2026-02-01"]
    assert (row["won_deals"], row["won_value"], row["lost_value"]) == (1, None, 4)
    assert rows(connection, "mart_crm_contacts")[1, "2026-02-01"]["total_contacts"] == len(payloads)


def test_a_snapshot_that_contradicts_itself_fails_by_name(connection: psycopg.Connection, dbt: Dbt) -> None:
    land(connection, 1, "pipelines", {"deals/default": pipeline("default", STAGES)})
    was_read(connection, 1, "2026-02-01T12:00:00+00:00")
    dbt.rebuild_source("hubspot")
    connection.execute("update marts.mart_crm_contacts set leads = 1, new_contacts_7d = 1")
    connection.execute("update marts.mart_crm_deals set open_deals = 1, won_deals = 2, average_deal_size = 1")
    connection.execute("""update marts.mart_crm_deals set deals_by_stage = '{"default/new": 4}'""")

    outcome = dbt.run("test", "--select", "crm_contacts_identities", "crm_deals_identities")

    assert not outcome.success
    found = [
        row
        for test in ("crm_contacts_identities", "crm_deals_identities")
        for row in connection.execute(outcome.compiled[test]).fetchall()
    ]
    assert {(row[0], str(row[1]), row[2]) for row in found} == {
        ("org_1", "2026-02-01", rule)
        for rule in (
            "lifecycle stages add up to total_contacts",
            "those new in 7 days are new in 30",
            "open, won and lost deals add up to total_deals",
            "deals_by_stage add up to total_deals",
            "average_deal_size is won_value by won_deals",
        )
    }
