"""mart_app_analytics from hand-written sessions: every figure below can be counted by eye."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from dbt_runs import Dbt, Outcome, warehouse
from landed_ga4 import daily, describe, land, part, prepare

from orchestration.verified_figures import SUBJECTS
from orchestration.warehouse.organizations import Organization

# As the data mart document has it, on this database's names.
DOCUMENT = """
    create schema document;
    create table document.mart_app_analytics (
        id serial primary key,
        org_id integer not null references ops.organizations(id),
        metric_date date not null,
        daily_active_users integer default 0,
        weekly_active_users integer default 0,
        monthly_active_users integer default 0,
        new_users integer default 0,
        returning_users integer default 0,
        total_sessions integer default 0,
        avg_session_duration_secs numeric(10,2) default 0,
        screens_per_session numeric(8,2) default 0,
        ios_downloads integer default 0,
        android_downloads integer default 0,
        top_screens jsonb default '[]',
        source_system varchar(50) default 'bigquery_ga4',
        created_at timestamp default current_timestamp,
        updated_at timestamp default current_timestamp,
        unique(org_id, metric_date)
    );
"""
WINDOWS = ("daily_active_users", "weekly_active_users", "monthly_active_users")
METRICS = (
    *WINDOWS,
    "new_users",
    "returning_users",
    "total_sessions",
    "avg_session_duration_secs",
    "screens_per_session",
    "ios_downloads",
    "android_downloads",
    "top_screens",
)
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
    prepare(connection, organizations=10)
    return connection


@pytest.fixture
def dbt(database: str, connection: psycopg.Connection, tmp_path: Path) -> Dbt:
    """The project, over landed tables that are empty."""
    return warehouse(database, tmp_path / "dbt")


def build(dbt: Dbt) -> Outcome:
    """The mart with all that it is built from, and the tests on it."""
    return dbt.build(
        "--select", "+mart_app_analytics", "stg_ga4__days", "organizations", "--exclude-resource-type", "unit_test"
    )


def run(dbt: Dbt, *arguments: str) -> None:
    """The mart alone, without tests: some are about to put nonsense into it."""
    outcome = dbt.run("run", "--select", "mart_app_analytics", *arguments)
    assert outcome.success, outcome.messages


def rows(connection: psycopg.Connection, org_id: int = 1) -> dict[str, dict[str, Any]]:
    """The mart's rows of an organization by date."""
    found = connection.execute(
        "select to_jsonb(m) from marts.mart_app_analytics as m where org_id = %s order by metric_date", [org_id]
    ).fetchall()
    return {row["metric_date"]: row for (row,) in found}


def figures(connection: psycopg.Connection, *names: str, org_id: int = 1) -> dict[str, tuple]:
    return {day: tuple(row[name] for name in names) for day, row in rows(connection, org_id).items()}


def versions(connection: psycopg.Connection) -> dict[tuple, str]:
    found = connection.execute("select org_id, metric_date::text, xmin::text from marts.mart_app_analytics").fetchall()
    return {row[:2]: row[2] for row in found}


def test_every_figure_of_hand_written_dates(connection: psycopg.Connection, dbt: Dbt) -> None:
    """One build over organizations that each stand for a rule: what a test of dbt costs is starting it."""
    land_a_date_by_eye(connection, 1)
    land_windows(connection, 2, 3)
    land_unknown_dates(connection, 4, 5)
    land_what_does_not_fit(connection, 6)
    land_what_was_read_before_screens_counted(connection, 7)
    land_streamed_dates(connection, 9, 10)
    outcome = build(dbt)

    check_the_table(connection)
    check_what_is_verified(connection, 9, 10)
    assert rows(connection, 8) == {}, "nothing was read"
    check_a_date_by_eye(connection, 1)
    check_windows(connection, 2, 3)
    check_unknown_dates(connection, 4, 5)
    assert figures(connection, "avg_session_duration_secs", "screens_per_session", org_id=6) == {
        "2026-01-01": (None, None)
    }
    assert figures(connection, "total_sessions", "screens_per_session", org_id=7) == {
        "2026-01-01": (1, None),
        "2026-01-02": (1, 0.0),
    }, "unknown where there were views of either kind, and none where there was no view"
    assert outcome.statuses["app_analytics_unknown"] == "warn"
    assert found(connection, outcome, "app_analytics_unknown") == {
        ("org_6", "2026-01-01", "avg_session_duration_secs"),
        ("org_6", "2026-01-01", "screens_per_session"),
        ("org_7", "2026-01-01", "screens_per_session"),
    }
    check_what_contradicts(connection, dbt)
    unit = dbt.run("test", "--select", "test_type:unit,mart_app_analytics", "test_type:unit,+mart_app_analytics")
    assert unit.success, unit.messages


def check_the_table(connection: psycopg.Connection) -> None:
    connection.execute(DOCUMENT)
    names = ("marts.mart_app_analytics", "document.mart_app_analytics")
    ours, theirs = (connection.execute(COLUMNS, [name]).fetchall() for name in names)
    assert ours[1:] == theirs[1:]
    # An identity numbers as a serial does; nobody but Postgres can hand out its numbers by accident.
    assert ours[0][:3] == theirs[0][:3] == ("id", "integer", True)
    ours, theirs = (connection.execute(CONSTRAINTS, [name]).fetchall() for name in names)
    assert ours == theirs
    index = "marts.idx_mart_app_org_date"
    assert connection.execute("select to_regclass(%s)::text", [index]).fetchone() == (index,)


def found(connection: psycopg.Connection, outcome: Outcome, test: str) -> set[tuple[Any, ...]]:
    """What a data test found, dates as text."""
    rows = connection.execute(outcome.compiled[test]).fetchall()
    return {tuple(str(value) if isinstance(value, date) else value for value in row) for row in rows}


def check_what_contradicts(connection: psycopg.Connection, dbt: Dbt) -> None:
    """Dates are made to contradict themselves, their tables and each other: each is named, by each rule."""
    for day, change in (
        ("2026-02-02", "avg_session_duration_secs = -1"),
        ("2026-02-03", "daily_active_users = 9, weekly_active_users = 8, monthly_active_users = 7, new_users = 10"),
        ("2026-02-04", "screens_per_session = 0, top_screens = to_jsonb(array_fill(1, array[11]))"),
    ):
        connection.execute(f"update marts.mart_app_analytics set {change} where org_id = 1 and metric_date = '{day}'")
    # One date lately without a table; one whose table has a row more than was read, and one that agrees.
    days = [(datetime.now(UTC).date() - timedelta(back)).isoformat() for back in range(10)]
    land(connection, 8, part(days[2], "ann", 1), part(days[3], "ann", 2), known=daily(days[9], days[1], (days[5],)))
    describe(connection, 8, {days[2]: 1, days[3]: 2})
    checks = ("app_analytics_identities", "ga4_events_of_tables", "ga4_unknown_days")
    outcome = dbt.run("test", "--select", *checks)
    assert [outcome.statuses[name] for name in checks] == ["fail", "warn", "warn"]
    assert found(connection, outcome, "app_analytics_identities") == {
        ("org_1", "2026-02-02", "no session ends before it begins"),
        ("org_1", "2026-02-03", "those active on a date are active in its week"),
        ("org_1", "2026-02-03", "those active in a week are active in its month"),
        ("org_1", "2026-02-03", "those active on a date are active in its month"),
        ("org_1", "2026-02-03", "new users are active"),
        ("org_1", "2026-02-03", "new and returning users add up to the active ones"),
        ("org_1", "2026-02-04", "without sessions there is no average"),
        ("org_1", "2026-02-04", "ten screens are listed at most"),
    }
    assert found(connection, outcome, "ga4_events_of_tables") == {("org_8", days[3], 2, 1)}
    assert found(connection, outcome, "ga4_unknown_days") == {("org_8", days[5], days[5])}


def land_a_date_by_eye(connection: psycopg.Connection, org_id: int) -> None:
    """Three sessions of 60, 30.5 and 0 seconds begin on the 3rd, one of the 2nd goes on; 8 views, 7 of screens."""
    land(
        connection,
        org_id,
        part("2026-02-02", "ann", 7, first=100, last=150, screens={"Home": 1}),
        # Past midnight: it counts on the 2nd, with 75 seconds from its first event to its last.
        part("2026-02-03", "ann", 7, first=160, last=175, screens={"Home": 2}),
        part("2026-02-03", "ann", 8, first=500, last=560, screens={"Home": 1, "Zoo": 1}),
        # The same ga_session_id is another user's session, and another data stream's.
        part("2026-02-03", "bob", 8, first=500, last=530.5, first_opens=1, screens={"zoo": 1}),
        part("2026-02-03", "bob", 8, stream="site", platform="WEB", screens={"Zoo": 1}),
        part("2026-02-03", "cyd", None, is_active=False),
        part("2026-02-03", "dan", None, first_visits=1, platform="WEB", stream="site"),
        # Nobody: events, views and first opens, but no user and no session.
        part("2026-02-03", None, None, platform="ANDROID", stream="droid", first_opens=2, screens={"(not set)": 2}),
        known=daily("2026-02-02", "2026-02-04"),
    )


def check_a_date_by_eye(connection: psycopg.Connection, org_id: int) -> None:
    found = rows(connection, org_id)
    assert {name: found["2026-02-03"][name] for name in METRICS} == {
        "daily_active_users": 3,
        "weekly_active_users": 3,
        "monthly_active_users": 3,
        "new_users": 2,
        "returning_users": 1,
        "total_sessions": 3,
        "avg_session_duration_secs": 30.17,  # (60 + 30.5 + 0) / 3
        "screens_per_session": 2.33,  # 7 / 3: the website's page is no screen
        "ios_downloads": 1,
        "android_downloads": 2,
        "top_screens": [
            {"screen_name": "Home", "views": 3, "users": 1},
            {"screen_name": "(not set)", "views": 2, "users": 0},
            {"screen_name": "Zoo", "views": 2, "users": 2},
            {"screen_name": "zoo", "views": 1, "users": 1},
        ],
    }
    assert (found["2026-02-02"]["total_sessions"], found["2026-02-02"]["avg_session_duration_secs"]) == (1, 75.0)
    # The 4th is known, and nothing happened: zeros, and averages that nobody can say.
    assert {name: found["2026-02-04"][name] for name in METRICS} == {
        "daily_active_users": 0,
        "weekly_active_users": 3,
        "monthly_active_users": 3,
        "new_users": 0,
        "returning_users": 0,
        "total_sessions": 0,
        "avg_session_duration_secs": None,
        "screens_per_session": None,
        "ios_downloads": 0,
        "android_downloads": 0,
        "top_screens": [],
    }


def land_windows(connection: psycopg.Connection, org_id: int, other: int) -> None:
    """Ann on the 1st, 2nd and 20th; Bob on the 7th. A week is 7 dates, a month 28."""
    land(
        connection,
        org_id,
        *(part(f"2026-01-{day:02d}", "ann", day) for day in (1, 2, 20)),
        part("2026-01-07", "bob", 7),
        known=daily("2026-01-01", "2026-02-18"),
    )
    # Another organization's user of the same name is another one.
    land(connection, other, part("2026-01-07", "ann", 1), known=daily("2026-01-07", "2026-01-07"))


def check_windows(connection: psycopg.Connection, org_id: int, other: int) -> None:
    found = figures(connection, *WINDOWS, org_id=org_id)
    assert found["2026-01-01"] == (1, 1, 1)
    assert found["2026-01-07"] == (1, 2, 2)
    assert found["2026-01-08"] == (0, 2, 2)  # ann of the 2nd is 6 dates back
    assert found["2026-01-09"] == (0, 1, 2)
    assert found["2026-01-14"] == (0, 0, 2)
    assert found["2026-01-20"] == (1, 1, 2)
    assert found["2026-02-03"] == (0, 0, 2)  # bob of the 7th is 27 dates back
    assert found["2026-02-04"] == (0, 0, 1)
    assert found["2026-02-16"] == (0, 0, 1)
    assert found["2026-02-17"] == (0, 0, 0)
    assert figures(connection, "monthly_active_users", org_id=other) == {"2026-01-07": (1,)}


def land_unknown_dates(connection: psycopg.Connection, org_id: int, other: int) -> None:
    """One date has no table. The other organization is exported since longer than it was read."""
    known = daily("2026-01-01", "2026-02-10", without=("2026-01-10",))
    land(connection, org_id, part("2026-01-02", "ann", 1), part("2026-01-12", "bob", 1), known=known)
    known = daily("2026-01-01", "2026-01-29")
    land(connection, other, part("2026-01-02", "ann", 1), known=known, since="2025-06-01")


def check_unknown_dates(connection: psycopg.Connection, org_id: int, other: int) -> None:
    found = figures(connection, *WINDOWS, org_id=org_id)
    assert "2026-01-10" not in found
    assert found["2026-01-09"] == (0, 0, 1)  # ann of the 2nd is 7 dates back
    assert found["2026-01-12"] == (1, None, None)
    assert found["2026-01-16"] == (0, None, None)
    assert found["2026-01-17"] == (0, 1, None)
    assert (found["2026-02-06"], found["2026-02-07"]) == ((0, 0, None), (0, 0, 1))
    cut = figures(connection, "weekly_active_users", "monthly_active_users", org_id=other)
    assert (cut["2026-01-06"], cut["2026-01-07"]) == ((None, None), (1, None))
    assert (cut["2026-01-27"], cut["2026-01-28"]) == ((0, None), (0, 1))


def land_streamed_dates(connection: psycopg.Connection, alone: int, beside: int) -> None:
    """Four dates that were streamed alone, and two with daily tables before one that was streamed."""
    for org_id, streamed in ((alone, (1, 2, 3, 4)), (beside, (3,))):
        known = daily("2026-01-01", "2026-01-04" if org_id == alone else "2026-01-03")
        known |= {f"2026-01-0{day}": f"events_intraday_2026010{day}" for day in streamed}
        land(connection, org_id, part("2026-01-01", "ann", 1), known=known)


def check_what_is_verified(connection: psycopg.Connection, alone: int, beside: int) -> None:
    def dates(org_id: int) -> list[str]:
        organization = Organization(org_id, "", "", uuid4(), "UTC", "USD", 1, None)
        return sorted(str(day) for day in SUBJECTS["ga4"].mart(connection, organization))

    assert dates(alone) == ["2026-01-02", "2026-01-03", "2026-01-04"]
    assert dates(beside) == ["2026-01-01", "2026-01-02"], "the streamed one may be replaced meanwhile"


def land_what_does_not_fit(connection: psycopg.Connection, org_id: int) -> None:
    """A session of 4000 days, by a phone whose clock was put right meanwhile, with ten million views."""
    odd = part("2026-01-01", "ann", 1, first=0, last=4000 * 86_400, views=10_000_000, screen_views=10_000_000)
    land(connection, org_id, odd, known=daily("2026-01-01", "2026-01-01"))


def land_what_was_read_before_screens_counted(connection: psycopg.Connection, org_id: int) -> None:
    """Two dates, each with a session; on the first, two things are viewed."""
    parts = [part("2026-01-01", "ann", 1, screens={"Home": 2}), part("2026-01-02", "ann", 2)]
    for _, payload in parts:
        del payload["screen_views"]
    land(connection, org_id, *parts, known=daily("2026-01-01", "2026-01-02"))


@pytest.mark.slow
def test_a_build_computes_what_changed_and_leaves_the_rest(connection: psycopg.Connection, dbt: Dbt) -> None:
    known = daily("2026-01-01", "2026-03-31")
    land(connection, 1, *(part(day, "ann", number) for number, day in enumerate(known)), known=known)
    land(connection, 2, part("2026-02-01", "ann", 1), known=daily("2026-02-01", "2026-02-01"))
    gap = daily("2026-01-01", "2026-01-20", without=("2026-01-10",))
    land(connection, 3, part("2026-01-02", "ann", 1), known=gap)
    land(connection, 4, part("2026-01-02", "ann", 1), known=daily("2026-01-01", "2026-01-05"))
    build(dbt)
    assert figures(connection, "monthly_active_users", org_id=3)["2026-01-12"] == (None,)
    before = versions(connection)
    run(dbt)
    assert versions(connection) == before, "nothing changed, nothing is written"

    # An old date is written anew; one turns up that was missing, and its table is empty; an organization is held back.
    age_the_loads(connection)
    connection.execute("update marts.mart_app_analytics set new_users = 77 where org_id = 1")
    before = versions(connection)
    connection.execute("insert into ops.held_back (org_id, source, reason) values (4, 'ga4', 'odd')")
    land(connection, 1, part("2026-02-01", "late", 99), known=known)
    land(connection, 3, known=daily("2026-01-01", "2026-01-20"))
    land(connection, 4, part("2026-01-02", "bob", 1), known=daily("2026-01-01", "2026-01-06"))
    run(dbt)
    after = versions(connection)
    computed = sorted(day for day, (new,) in figures(connection, "new_users").items() if new != 77)
    # What looks back on it, and the week in which a session may have begun that goes on in it.
    assert (computed[0], computed[-1], len(computed)) == ("2026-01-25", "2026-02-28", 35)
    assert figures(connection, "monthly_active_users")["2026-02-28"] == (2,)
    assert figures(connection, "monthly_active_users")["2026-03-01"] == (1,)
    assert figures(connection, *WINDOWS, org_id=3)["2026-01-10"] == (0, 0, 1)
    assert figures(connection, "monthly_active_users", org_id=3)["2026-01-12"] == (1,)
    assert {key: version for key, version in after.items() if key[0] in (2, 4)} == {
        key: version for key, version in before.items() if key[0] in (2, 4)
    }

    # It is released two days later; the date is written anew without the session, which is marked as gone.
    age_the_loads(connection)
    connection.execute("update ops.held_back set released_at = now()")
    land(connection, 1, part("2026-02-01", "late", 99), known=known, deleted=True)
    run(dbt, "--vars", "{recompute_app_analytics: false}")
    assert set(figures(connection, "monthly_active_users").values()) == {(1,)}
    assert figures(connection, "daily_active_users", org_id=4)["2026-01-02"] == (2,)
    assert "2026-01-06" in rows(connection, 4)

    # After a rule has changed, all is computed.
    age_the_loads(connection)
    run(dbt, "--vars", "{recompute_app_analytics: true}")
    assert {new for (new,) in figures(connection, "new_users").values()} == {0}


def age_the_loads(connection: psycopg.Connection) -> None:
    """Two days pass: no load is so recent that it may not have been seen by the last build."""
    connection.execute("update ops.sync_runs set finished_at = finished_at - interval '2 days'")
