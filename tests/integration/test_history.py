"""What the warehouse forgets of its own past, and what it never does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import psycopg
import pytest

from orchestration.errors import UsageError
from orchestration.settings import history_days
from orchestration.status import status
from orchestration.warehouse.history import Forgotten, forget

NOW = datetime(2026, 3, 1, tzinfo=UTC)

# Days ago, outcome; 400 is kept, 401 is too old.
RUNS = {
    # Runs well: its last failure is old, and stays as the last one there was.
    ("quickbooks", "bill"): [
        (800, "failed"),
        (500, "failed"),
        (450, "succeeded"),
        (400, "succeeded"),
        (1, "succeeded"),
    ],
    # Fails since 600 days: the first failure since the last success says since when.
    ("quickbooks", "invoice"): [(700, "failed"), (650, "succeeded"), (600, "failed"), (500, "failed"), (1, "failed")],
    # Never succeeded.
    ("hubspot", "deals"): [(900, "failed"), (600, "failed"), (401, "failed")],
    # A source that was left long ago.
    ("hubspot", "contacts"): [(900, "succeeded"), (800, "succeeded")],
    # Windows read again are newer, and are not what the night goes by.
    ("quickbooks", "vendor"): [
        (900, "window failed"),
        (800, "window succeeded"),
        (700, "succeeded"),
        (600, "window succeeded"),
        (450, "window failed"),
    ],
}
LEFT = {
    ("quickbooks", "bill"): [500, 400, 1],
    ("quickbooks", "invoice"): [650, 600, 1],
    ("hubspot", "deals"): [900, 401],
    ("hubspot", "contacts"): [800],
    ("quickbooks", "vendor"): [700, 600, 450],
}


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " select n, 'org_' || n, 'Organization', gen_random_uuid(), 'UTC', 'USD' from generate_series(1, 2) as n"
        )
        for org_id in (1, 2):
            for (source, stream), runs in RUNS.items():
                for days, outcome in runs:
                    connection.execute(
                        "insert into ops.sync_runs (batch_id, org_id, source, stream, status, is_window, started_at,"
                        " finished_at) select gen_random_uuid(), %s, %s, %s, %s, %s, at, at"
                        " from (select %s::timestamptz - %s * interval '1 day' as at) as t",
                        [org_id, source, stream, outcome.split()[-1], outcome.startswith("window"), NOW, days],
                    )
                successes = [days for days, outcome in runs if outcome == "succeeded"]
                if successes:
                    connection.execute(
                        "insert into ops.watermarks (org_id, source, stream, state, last_success_at)"
                        " values (%s, %s, %s, '{}', %s::timestamptz - %s * interval '1 day')",
                        [org_id, source, stream, NOW, min(successes)],
                    )
            connection.execute("insert into ops.connections values (%s, 'quickbooks', '{}')", [org_id])
        yield connection


def runs(connection: psycopg.Connection, org_id: int) -> dict[tuple[str, str], list[int]]:
    rows = connection.execute(
        "select source, stream, array_agg((%s::date - started_at::date) order by started_at) from ops.sync_runs"
        " where org_id = %s group by 1, 2",
        [NOW, org_id],
    ).fetchall()
    return {(source, stream): days for source, stream, days in rows}


def test_old_attempts_go_but_those_that_something_goes_by(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An organization a transaction, as thousands would be.
    monkeypatch.setattr("orchestration.warehouse.history._AT_ONCE", 1)
    before = status(connection, now=NOW)

    forgotten = forget(connection, NOW, 400)

    assert runs(connection, 1) == runs(connection, 2) == LEFT
    assert forgotten == Forgotten(2 * 8, 0, 0, 0, 0)
    assert status(connection, now=NOW) == before, "what fails, since when and when it last succeeded"
    assert forget(connection, NOW, 400) == Forgotten(0, 0, 0, 0, 0)


def test_builds_drift_and_what_was_released_are_forgotten_and_what_is_present_is_not(
    connection: psycopg.Connection,
) -> None:
    builds = [("succeeded", 500), ("succeeded", 450), ("failed", 600), ("failed", 700), ("running", 500), ("failed", 1)]
    for number, (outcome, days) in enumerate(builds):
        connection.execute(
            "with b as (insert into ops.build_runs (build_id, status, started_at)"
            " values (lpad(%(n)s::text, 32, '0')::uuid, %(status)s, %(now)s::timestamptz - %(days)s * interval '1 day')"
            " returning build_id, started_at) insert into ops.build_models (build_id, model, finished_at)"
            " select build_id, 'marts.m', started_at from b",
            {"n": number, "status": outcome, "now": NOW, "days": days},
        )
    connection.execute(
        "insert into ops.schema_drift (org_id, source, stream, path, change, detected_at)"
        " select 1, 'hubspot', 'deals', 'a', 'new', %s::timestamptz - d * interval '1 day'"
        " from unnest(array[399, 401]) as d",
        [NOW],
    )
    connection.execute(
        "insert into ops.held_back (org_id, source, reason, since, released_at)"
        " select 1, 'hubspot', 'few rows', '2017-01-01', at"
        " from (select %s::timestamptz - d * interval '1 day' as at from unnest(array[399, 401, null]) as d) as t",
        [NOW],
    )

    forgotten = forget(connection, NOW, 400)

    kept = "select array_agg(right(build_id::text, 1)::int order by build_id) from ops.{}"
    # The newest of either outcome: 450 days ago and yesterday.
    for table in ("build_runs", "build_models"):
        assert connection.execute(kept.format(table)).fetchall() == [([1, 5],)]
    assert (forgotten.build_runs, forgotten.build_models, forgotten.schema_drift, forgotten.held_back) == (4, 4, 1, 1)
    held = connection.execute("select count(*), count(released_at) from ops.held_back").fetchone()
    assert held == (2, 1), "whoever is held back stays so, however long"


@pytest.mark.slow
def test_the_night_ends_with_it_and_no_other_job_does_it() -> None:
    from orchestration.definitions import defs

    jobs = [job for job in defs().resolve_all_job_defs() if not job.name.startswith("__")]
    key = dg.AssetKey(["ops", "history"])
    assert [job.name for job in jobs if key in job.asset_layer.selected_asset_keys] == ["nightly"]
    (nightly,) = [job for job in jobs if job.name == "nightly"]
    upstream = nightly.asset_layer.asset_graph.get(key).parent_keys
    assert upstream == {dg.AssetKey(["marts", "data_freshness"])}


def test_the_asset_forgets_what_is_older_than_the_setting(
    connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.defs.history import history

    monkeypatch.setenv("AIOP_HISTORY_DAYS", "35")
    # It goes by the clock on the wall.
    connection.execute("update ops.sync_runs set started_at = started_at - (%s - now())", [NOW])
    connection.execute("update ops.watermarks set last_success_at = last_success_at - (%s - now())", [NOW])
    result = dg.materialize([history])
    assert result.success
    (event,) = result.asset_materializations_for_node("ops__history")
    assert event.metadata["sync_runs"].value == 2 * 9
    assert event.metadata["days"].value == 35


@pytest.mark.parametrize("text", ["34", "-400", "a year", "400.5"])
def test_a_history_too_short_for_the_warehouse_itself_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOP_HISTORY_DAYS", text)
    with pytest.raises(UsageError, match="AIOP_HISTORY_DAYS"):
        history_days()
    monkeypatch.setenv("AIOP_HISTORY_DAYS", "")
    assert history_days() == 400
