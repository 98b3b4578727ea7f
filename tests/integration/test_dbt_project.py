"""The whole project on an empty warehouse: every model builds, unit tests hold, a second build writes nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from dbt_runs import warehouse

from orchestration.sources import SOURCES
from orchestration.warehouse.landed_tables import ensure_tables

WRITTEN = """
    select model, rows_inserted, rows_updated, rows_deleted from ops.build_models
    where build_id = (select build_id from ops.build_runs order by started_at desc limit 1)
        and (rows_inserted, rows_updated, rows_deleted) <> (0, 0, 0)
"""


@pytest.mark.slow
def test_all_of_it_builds_where_nothing_has_landed_and_its_unit_tests_hold(
    database_everywhere: str, tmp_path: Path
) -> None:
    dbt = warehouse(database_everywhere, tmp_path)
    with psycopg.connect(database_everywhere, autocommit=True) as connection:
        for source in SOURCES.values():
            ensure_tables(connection, source.name, source.streams)
        first = dbt.build()
        kinds = {status for status in first.statuses.values()}
        assert kinds <= {"success", "pass"}, first.messages

        dbt.build("--exclude-resource-type", "unit_test")

        assert connection.execute(WRITTEN).fetchall() == []
