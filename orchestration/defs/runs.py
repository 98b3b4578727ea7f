"""Runs in Dagster's storage: deleting one with all that is kept of it, and those that are too old to be asked for.

Dagster itself forgets ticks of schedules and sensors (``retention`` in dagster.yaml), but neither runs nor events.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

# A night has time for so many; what a warehouse has gathered in years goes within some nights.
AT_ONCE = 500


def forget_old_runs(instance: dg.DagsterInstance, before: datetime, at_once: int = AT_ONCE) -> int:
    """Delete runs of before that instant with their events, checks and logs, the oldest first; how many there were.

    What the UI goes by stays however old it is: of each job the last run and the last that succeeded, of each asset the
    run that materialized it last; and a run that is still going.
    """
    old = instance.get_run_records(
        # More than are deleted, because those that are kept are among the oldest each night.
        dg.RunsFilter(created_before=before),
        limit=2 * at_once,
        order_by="create_timestamp",
        ascending=True,
    )
    kept = _kept(instance, {record.dagster_run.job_name for record in old}) if old else set()
    deleted = 0
    for record in old:
        run = record.dagster_run
        going = not run.is_finished and last_seen(instance, record) >= before
        if deleted < at_once and run.run_id not in kept and not going:
            delete_run(instance, run.run_id)
            deleted += 1
    return deleted


def delete_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with its events, the verdicts of its checks, and what its steps printed."""
    storage = event_storage(instance)
    with suppress(NotImplementedError):
        instance.compute_log_manager.delete_logs(prefix=[run_id])
    with storage.index_connection() as connection:
        connection.execute(sa.delete(AssetCheckExecutionsTable).where(AssetCheckExecutionsTable.c.run_id == run_id))
    instance.delete_run(run_id)
    if isinstance(storage, SqliteEventLogStorage):
        # A run's events have a file of their own, which deleting rows leaves as it is.
        shard = Path(storage.path_for_shard(run_id))
        for path in (shard, shard.with_name(f"{shard.name}-wal"), shard.with_name(f"{shard.name}-shm")):
            path.unlink(missing_ok=True)


def last_seen(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime:
    """When a run last said something."""
    newest = instance.event_log_storage.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False).records
    timestamp = newest[0].event_log_entry.timestamp if newest else record.create_timestamp.timestamp()
    return datetime.fromtimestamp(timestamp, UTC)


def event_storage(instance: dg.DagsterInstance) -> SqlEventLogStorage:
    """Where the events are; the tables are the same in every database."""
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    return storage


def _kept(instance: dg.DagsterInstance, jobs: Iterable[str]) -> set[str]:
    kept = {
        run.run_id
        for job in jobs
        for statuses in (None, [dg.DagsterRunStatus.SUCCESS])
        for run in instance.get_runs(dg.RunsFilter(job_name=job, statuses=statuses), limit=1)
    }
    for record in instance.get_asset_records():
        materialization = record.asset_entry.last_materialization
        if materialization is not None:
            kept.add(materialization.run_id)
    return kept
