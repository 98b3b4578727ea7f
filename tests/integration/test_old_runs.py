"""Dagster's runs that are too old go with all that is kept of them, and those that its UI goes by stay."""

# Annotations are read by Dagster at run time, so they are not postponed in this module.

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from orchestration.defs.execution import prepare_dagster_home
from orchestration.defs.history import history
from orchestration.defs.runs import event_storage, forget_old_runs
from orchestration.errors import UsageError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dg.asset(check_specs=[dg.AssetCheckSpec("rows", asset="landed")])
def landed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    if context.run.tags.get("fails"):
        raise dg.Failure("the source is down")
    print("printed")
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


@dg.asset
def left() -> None:
    """Of a source that is read no more."""


NIGHT = dg.Definitions(
    assets=[landed, left],
    jobs=[dg.define_asset_job("night", selection=["landed"]), dg.define_asset_job("once", selection=["left"])],
)


@pytest.fixture(params=["sqlite", "postgres"])
def instance(
    request: pytest.FixtureRequest, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """Dagster's storage as it is beside an embedded database, and in a server's."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("AIOP_DAGSTER_STORAGE", "")
    if request.param == "sqlite":
        monkeypatch.delenv("DATABASE_URL")
    prepare_dagster_home()
    with dg.DagsterInstance.get() as made:
        yield made


def ran(instance: dg.DagsterInstance, days_ago: int, job: str = "night", *, fails: bool = False) -> str:
    """Run a job so many days before now."""
    result = NIGHT.resolve_job_def(job).execute_in_process(
        instance=instance, raise_on_error=False, tags={"fails": "yes"} if fails else {}
    )
    assert result.success is not fails
    backdate(instance, result.run_id, days_ago)
    return result.run_id


def backdate(instance: dg.DagsterInstance, run_id: str, days_ago: int) -> None:
    storage = instance.run_storage
    assert isinstance(storage, SqlRunStorage)
    made = (NOW - timedelta(days=days_ago)).replace(tzinfo=None)
    with storage.connect() as connection:
        connection.execute(sa.update(RunsTable).where(RunsTable.c.run_id == run_id).values(create_timestamp=made))


def of_runs(instance: dg.DagsterInstance) -> set[str]:
    """Runs that something is left of: the run, an event, or a check's verdict."""
    storage = event_storage(instance)
    with storage.index_connection() as connection:
        checks = {run for (run,) in connection.execute(sa.select(AssetCheckExecutionsTable.c.run_id)).fetchall()}
    return checks | {run.run_id for run in instance.get_runs()}


def test_old_runs_go_whole_and_the_last_of_each_kind_stays(instance: dg.DagsterInstance) -> None:
    once = ran(instance, 400, "once")
    oldest = ran(instance, 300)
    succeeded = ran(instance, 200)
    old_failure = ran(instance, 150, fails=True)
    last = ran(instance, 100, fails=True)
    assert of_runs(instance) == {once, oldest, succeeded, old_failure, last}

    assert forget_old_runs(instance, NOW - timedelta(days=90)) == 2

    assert of_runs(instance) == {once, succeeded, last}
    assert instance.all_logs(succeeded) != []
    # What they printed and, in SQLite, their events: a file a run.
    assert not [path for path in Path(instance.root_directory).rglob("*") if oldest in path.name]
    if not isinstance(instance.event_log_storage, SqliteEventLogStorage):
        assert instance.all_logs(oldest) == []
    assert instance.get_latest_materialization_event(dg.AssetKey("left")).run_id == once
    assert forget_old_runs(instance, NOW - timedelta(days=90)) == 0


def test_what_many_nights_gathered_goes_the_oldest_first_so_many_a_night(instance: dg.DagsterInstance) -> None:
    runs = [ran(instance, days) for days in (140, 130, 120, 110, 1)]
    assert forget_old_runs(instance, NOW - timedelta(days=90), at_once=3) == 3
    assert of_runs(instance) == set(runs[3:])
    assert forget_old_runs(instance, NOW - timedelta(days=90), at_once=3) == 1
    assert of_runs(instance) == {runs[4]}


def test_a_run_that_is_still_heard_of_is_not_deleted_under_its_feet(instance: dg.DagsterInstance) -> None:
    going = instance.create_run_for_job(NIGHT.resolve_job_def("night"), status=dg.DagsterRunStatus.STARTED)
    instance.report_engine_event("still reading", going)
    backdate(instance, going.run_id, 100)
    ran(instance, 1)
    # Its only event is of today's clock, which is before the first of these instants and after the second.
    assert forget_old_runs(instance, NOW - timedelta(days=90)) == 0
    assert forget_old_runs(instance, datetime.now(UTC) + timedelta(days=1)) == 1


def test_the_night_forgets_runs_by_the_setting_and_dagster_its_ticks(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOP_DAGSTER_DAYS", "30")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    home = prepare_dagster_home()
    assert yaml.safe_load((home / "dagster.yaml").read_text())["retention"] == {
        "schedule": {"purge_after_days": 30},
        "sensor": {"purge_after_days": 30},
    }
    with dg.DagsterInstance.get() as instance:
        ages = [(NOW - datetime.now(UTC)).days + days for days in (40, 31, 29, 0)]
        runs = [ran(instance, days) for days in ages]
        result = dg.materialize([history], instance=instance)
        assert result.success
        (event,) = result.asset_materializations_for_node("ops__history")
        assert (event.metadata["dagster_days"].value, event.metadata["dagster_runs"].value) == (30, 2)
        assert of_runs(instance) == {*runs[2:], result.run_id}


def test_a_setting_that_would_take_last_weeks_runs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOP_DAGSTER_DAYS", "6")
    with pytest.raises(UsageError, match="AIOP_DAGSTER_DAYS is '6', not a number of days from 7"):
        prepare_dagster_home()
