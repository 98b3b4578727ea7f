"""Removes from Dagster's storage what names an organization.

Dagster can't change an event, so the runs are deleted whose events, configuration or tags name it. What the warehouse
itself knows of those runs (``ops.sync_runs``, ``ops.build_runs``) stays.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from orchestration.defs.execution import STORAGE_SCHEMA, prepare_dagster_home
from orchestration.defs.runs import delete_run, event_storage, last_seen
from orchestration.settings import load_settings
from orchestration.traces import Names
from orchestration.warehouse.database import connect

# Of a run that was killed, Dagster goes on believing that it runs.
_DEAD_AFTER = timedelta(hours=24)


@dataclass
class Forgotten:
    """Ids of runs. ``running`` name the organization but have not ended: they would go on writing."""

    deleted: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)


def forget_organization(names: Names) -> Forgotten:
    """Delete the runs that name the organization, with their events, checks and logs; none where Dagster never ran."""
    home = Path(os.environ.get("DAGSTER_HOME") or load_settings().home / "dagster")
    # Another machine may have run what stands in the database; its files are its own.
    if not (home / "dagster.yaml").exists() and not _storage_in_database():
        return Forgotten()
    prepare_dagster_home()
    outcome = Forgotten()
    with dg.DagsterInstance.get() as instance:
        storage = event_storage(instance)
        for run_id in instance.get_run_ids():
            record = instance.get_run_record_by_id(run_id)
            if record is None:
                continue
            run = record.dagster_run
            if not _names(names, storage, run):
                continue
            if not run.is_finished and last_seen(instance, record) > datetime.now(UTC) - _DEAD_AFTER:
                outcome.running.append(run.run_id)
                continue
            delete_run(instance, run.run_id)
            outcome.deleted.append(run.run_id)
        _forget_summaries(storage, names)
    _compact(home)
    return outcome


def _storage_in_database() -> bool:
    if not load_settings().database_url:
        return False
    with connect(autocommit=True) as connection:
        row = connection.execute("select to_regclass(%s)", [f"{STORAGE_SCHEMA}.event_logs"]).fetchone()
    return row is not None and row[0] is not None


def _names(names: Names, storage: SqlEventLogStorage, run: dg.DagsterRun) -> bool:
    if names.named_in(repr((run.run_config, run.tags))):
        return True
    event = SqlEventLogStorageTable.c.event
    query = sa.select(event).where(
        SqlEventLogStorageTable.c.run_id == run.run_id,
        # Cheap; which of them hold a whole word is looked at here.
        sa.or_(*(event.contains(text, autoescape=True) for text in names.texts)),
    )
    with storage.run_connection(run.run_id) as connection:
        return any(names.named_in(text) for (text,) in connection.execute(query))


def _forget_summaries(storage: SqlEventLogStorage, names: Names) -> None:
    """Dagster keeps each asset's last event beside the events; it comes anew with the next materialization."""
    columns: list[Any] = [AssetKeyTable.c.last_materialization, AssetKeyTable.c.cached_status_data]
    with storage.index_connection() as connection:
        for column in columns:
            query = sa.select(AssetKeyTable.c.asset_key, column).where(column.is_not(None))
            named = [key for key, text in connection.execute(query).fetchall() if names.named_in(str(text))]
            for key in named:
                connection.execute(
                    sa.update(AssetKeyTable).where(AssetKeyTable.c.asset_key == key).values({column.name: None})
                )


def _compact(home: Path) -> None:
    """SQLite leaves deleted rows where they were until it writes the file anew."""
    for path in sorted(home.rglob("*.db")):
        with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")
