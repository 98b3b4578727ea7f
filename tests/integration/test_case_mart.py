"""mart_case_metrics from hand-written cases: every figure below can be counted by eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt_runs import Dbt, warehouse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from landed_cases import STREAM, case, land, prepare, was_read

from orchestration.quality.azure_sql import PERSONAL, SUITES

# As the data mart document has it, on this database's names.
DOCUMENT = """
    create schema document;
    create table document.mart_case_metrics (
        id serial primary key,
        org_id integer not null references ops.organizations(id),
        snapshot_date date not null,
        total_cases integer default 0,
        new_cases_30d integer default 0,
        closed_cases_30d integer default 0,
        cases_by_type jsonb default '{}',
        cases_by_status jsonb default '{}',
        cases_by_category jsonb default '{}',
        source_system varchar(50) default 'azure_sql',
        source_table varchar(100) default 'Case_Data_Summary_NOPHI',
        created_at timestamp default current_timestamp,
        updated_at timestamp default current_timestamp,
        unique(org_id, snapshot_date)
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
MART = ("--select", "+mart_case_metrics", "organizations", "--exclude-resource-type", "unit_test")
MODELS = (*MART, "--exclude-resource-type", "test")
VERSIONS = "select id, xmin::text, ctid::text from marts.mart_case_metrics order by id"


@pytest.fixture
def connection(database: str) -> psycopg.Connection:
    connection = psycopg.connect(database, autocommit=True)
    prepare(connection)
    return connection


@pytest.fixture
def dbt(database: str, connection: psycopg.Connection, tmp_path: Path) -> Dbt:
    """The project, over landed tables that are empty."""
    return warehouse(database, tmp_path / "dbt")


def rows(connection: psycopg.Connection) -> dict[tuple[int, str], dict[str, Any]]:
    """The mart's rows as JSON, by organization and date."""
    found = connection.execute("select to_jsonb(m) from marts.mart_case_metrics as m").fetchall()
    return {(row["org_id"], row["snapshot_date"]): row for (row,) in found}


def as_documented(connection: psycopg.Connection) -> None:
    """The mart's columns, types, defaults and keys are the document's."""
    connection.execute(DOCUMENT)
    names = ("marts.mart_case_metrics", "document.mart_case_metrics")
    ours, theirs = (connection.execute(COLUMNS, [name]).fetchall() for name in names)
    assert ours[1:] == theirs[1:]
    # An identity numbers as a serial does; nobody but Postgres can hand out its numbers by accident.
    assert ours[0][:3] == theirs[0][:3] == ("id", "integer", True)
    ours, theirs = (connection.execute(CONSTRAINTS, [name]).fetchall() for name in names)
    assert ours == theirs
    index = connection.execute("select to_regclass('marts.idx_mart_case_org_date')::text").fetchone()
    assert index == ("marts.idx_mart_case_org_date",)


HOSTILE: list[Any] = [None, [], "text", 7, {}, {"Case Create Date": {"a": 1}, "Case Type": ["x"], "Date Closed": True}]
DATES = ["0000-00-00", "2026-02-30", "9999-12-31", "9999-12-31T24:00:00", "infinity", "1e999", "2026-1-5", "02/03/2026"]


def test_cases_count_by_local_date_and_identical_ones_each(connection: psycopg.Connection, dbt: Dbt) -> None:
    # 03:00 UTC on the first of February is the 31st of January in Chicago: 30 dates from the 2nd of January on.
    # Pasted from elsewhere, a word has a tab, a line break or a no-break space around it; as verify does, none counts.
    twins = [case("2026-01-31", Case_Type=" EAP\t\r\n")] * 2
    prepare(connection, ["America/Chicago"] * 2, first=3)
    land(connection, 3, [*HOSTILE, *(case(text, text) for text in DATES)])
    was_read(connection, 3, "2026-02-01T12:00:00+00:00")
    land(
        connection,
        1,
        [
            *twins,  # new, and a case each
            case("2026-01-02", "2026-01-31T23:59:59", Workflow_Status="Closed"),  # new and closed, on both edges
            case("2026-01-01", "2026-01-02", Workflow_Status="Closed", Case_Type="eap"),  # a day too old; closed
            case("2025-12-01", "2026-01-01", Workflow_Status="Closed"),  # closed a day too early
            case("2026-02-01", "2026-02-01"),  # a day that is not yet, in Chicago
            case(None, None, Case_Type="\u00a0", Workflow_Status="", Primary_Presenting_Problem="  "),
            {"Case Create Date": "2026-01-15 08:00:00"},  # columns that are not there
        ],
    )
    was_read(connection, 1, "2026-02-01T03:00:00+00:00")
    was_read(connection, 2, "2026-02-01T12:00:00+00:00")
    outcome = dbt.build(*MART)

    found = rows(connection)
    assert set(found) == {(1, "2026-01-31"), (2, "2026-02-01"), (3, "2026-02-01")}
    row = found[1, "2026-01-31"]
    # New: the twins, the one of the 2nd and that of the 15th. Closed: on the 31st and on the 2nd.
    assert (row["total_cases"], row["new_cases_30d"], row["closed_cases_30d"]) == (8, 4, 2)
    assert row["cases_by_type"] == {"EAP": 5, "eap": 1, "unknown": 2}
    assert row["cases_by_status"] == {"Open": 3, "Closed": 3, "unknown": 2}
    assert row["cases_by_category"] == {"Anxiety": 6, "unknown": 2}
    assert (row["source_system"], row["source_table"]) == ("azure_sql", "Case_Data_Summary_NOPHI")
    row = found[2, "2026-02-01"]
    assert (row["total_cases"], row["cases_by_type"]) == (0, {})
    # No payload stops a build, and what can't be read is named.
    row = found[3, "2026-02-01"]
    assert (row["total_cases"], row["new_cases_30d"]) == (len(HOSTILE) + len(DATES), 0)
    (name,) = [one for one in outcome.statuses if one.startswith("readable_stg_azure_sql")]
    assert outcome.statuses[name] == "warn"
    as_documented(connection)

    # The table counted as many rows as landed, and a row more, which was lost on the way.
    counted = "update ops.watermarks set state = state || jsonb_build_object('rows', %s::int) where org_id = 1"
    connection.execute(counted, [8])
    assert dbt.run("test", "--select", "azure_sql_whole_tables").success
    connection.execute(counted, [9])

    # A snapshot that contradicts itself fails by name.
    connection.execute("""
        update marts.mart_case_metrics set new_cases_30d = 2, closed_cases_30d = 2, cases_by_type = '{"EAP": 2}',
            cases_by_status = '{"Open": 1}', cases_by_category = '{"Anxiety": 1, "Grief": 1}' where org_id = 2
    """)
    outcome = dbt.run("test", "--select", "case_metrics_identities", "azure_sql_whole_tables")
    assert not outcome.success
    lost = connection.execute(outcome.compiled["azure_sql_whole_tables"]).fetchall()
    assert lost == [("org_1", 9, 8)]
    contradictions = connection.execute(outcome.compiled["case_metrics_identities"]).fetchall()
    assert {(row[0], str(row[1]), row[2]) for row in contradictions} == {
        ("org_2", "2026-02-01", rule)
        for rule in (
            "types add up to total_cases",
            "statuses add up to total_cases",
            "categories add up to total_cases",
            "those new in 30 days are cases",
            "those closed in 30 days are cases",
        )
    }


@pytest.mark.slow
def test_days_before_stay_and_a_rerun_writes_nothing(connection: psycopg.Connection, dbt: Dbt) -> None:
    land(connection, 1, [case()])
    was_read(connection, 1, "2026-03-01T18:00:00+00:00")
    dbt.build(*MODELS)
    land(connection, 1, [case(), case(closed="2026-03-02")])
    was_read(connection, 1, "2026-03-02T18:00:00+00:00")
    dbt.build(*MODELS)
    before, versions = rows(connection), connection.execute(VERSIONS).fetchall()
    assert {day: row["total_cases"] for (_, day), row in before.items()} == {"2026-03-01": 1, "2026-03-02": 2}

    # The same night again, and a night in which the database can't be read: not a row is written.
    was_read(connection, 1, "2026-03-02T19:00:00+00:00")
    dbt.build(*MODELS)
    assert connection.execute(VERSIONS).fetchall() == versions

    connection.execute("insert into ops.held_back (org_id, source, reason) values (1, 'azure_sql', 'a test')")
    land(connection, 1, [case(Case_Type="broken")])
    was_read(connection, 1, "2026-03-03T18:00:00+00:00")
    dbt.build(*MART)
    assert rows(connection) == before


def broken(connection: psycopg.Connection, payload: Any) -> set[str]:
    """Names of the expectations that a landed row breaks, by the suite's own conditions."""
    connection.execute(f"truncate staging_azure_sql.{STREAM}")
    land(connection, 1, [payload])
    (suite,) = SUITES
    names = {}
    fields = ", ".join(f'"{name}" {kind}' for name, kind in suite.fields.items())
    for one in suite.expectations:
        names[one.name] = connection.execute(
            f"select coalesce({one.broken}, false) from staging_azure_sql.{STREAM} as landed cross join lateral"
            " jsonb_to_record(case jsonb_typeof(landed.payload) when 'object' then landed.payload else '{}' end)"
            f" as field ({fields})".replace("%", "%%"),
            [],
        ).fetchone()[0]
    return {name for name, is_broken in names.items() if is_broken}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to ada.lovelace@example.co.uk please", "email"),
        ("call 612-555-0123 after five", "phone"),
        ("(612) 555-0123", "phone"),
        ("+1 612.555.0123", "phone"),
        ("SSN 219-09-9999", "ssn"),
        ("219-09-9999", "ssn"),
        ("2026-01-12", None),
        ("12345-6789", None),
        ("900-12-3456-1", None),
        ("000-12-3456", None),
        ("110012345", None),
        ("Goals Met @ 3 sessions", None),
        ("3.14", None),
    ],
)
def test_what_looks_like_a_persons_data_is_found_and_nothing_else(
    database: str, connection: psycopg.Connection, text: str, kind: str | None
) -> None:
    found = broken(connection, case(Solution=text))
    assert found & {f"no_{one}" for one in PERSONAL} == ({f"no_{kind}"} if kind else set())


def test_the_suite_names_what_is_wrong_with_a_row(connection: psycopg.Connection) -> None:
    assert broken(connection, case(closed="2026-01-06T00:00:00")) == set()
    assert broken(connection, case(Case_Manager="Ada")) == {"no_names_or_comments"}
    assert broken(connection, case("02/03/2026", "2026-01-01")) == {"case_create_date_readable"}
    assert broken(connection, case("2026-01-05", "2026-01-04")) == {"closed_after_it_was_made"}
    assert broken(connection, case(Completed_Session_Count=-1)) == {"completed_sessions_counted"}
    assert broken(connection, {}) == {
        "case_create_date_present",
        "case_type_present",
        "workflow_status_present",
        "presenting_problem_present",
    }
    assert "is_object" in broken(connection, "text")


LABEL = st.sampled_from([None, "", " ", "EAP", "eap", "Coaching", "unknown", "漢"])
DAY = st.sampled_from(
    [None, "2026-01-30", "2026-01-31", "2026-02-01", "2026-03-01", "2026-03-02", "2026-03-01T23:59:59.9"]
)
CASES = st.lists(st.tuples(DAY, DAY, LABEL, LABEL, LABEL), max_size=12)


@pytest.mark.slow
def test_any_cases_are_counted_as_plain_code_counts_them(connection: psycopg.Connection, dbt: Dbt) -> None:
    """The model's SQL against an independent count, over made-up tables; the read is on the first of March."""
    was_read(connection, 1, "2026-03-01T18:00:00+00:00")
    dbt.build(*MART)
    compiled = dbt.run("compile", "--select", "mart_case_metrics").compiled["mart_case_metrics"]

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CASES)
    def check(drawn: list[tuple[Any, ...]]) -> None:
        connection.execute(f"truncate staging_azure_sql.{STREAM}")
        kinds = ("Case_Type", "Workflow_Status", "Primary_Presenting_Problem")
        land(connection, 1, [case(a, b, **dict(zip(kinds, labels, strict=True))) for a, b, *labels in drawn])
        row = connection.execute(f"select * from ({compiled}) as m where org_id = 1").fetchone()
        recent = ("2026-01-31", "2026-02-01", "2026-03-01")
        expected = [len(drawn)]
        expected += [sum((one[place] or "")[:10] in recent for one in drawn) for place in (0, 1)]
        parts: list[dict[str, int]] = []
        for place in (2, 3, 4):
            names = [(one[place] or "").strip() or "unknown" for one in drawn]
            parts.append({name: names.count(name) for name in names})
        assert list(row[2:8]) == [*expected, *parts]

    check()
