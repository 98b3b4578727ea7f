"""What landed and what is built first is counted at once: plans for empty tables may take minutes, not seconds."""

from __future__ import annotations

import uuid
from pathlib import Path

import psycopg
import pytest
from dbt_runs import warehouse
from landed_reports import land, prepare, report

from orchestration.warehouse.landed_tables import analyze_new

COUNTED = "select reltuples from pg_class where oid = %s::regclass"


@pytest.mark.slow
def test_a_table_is_counted_once_rows_came_into_it(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        prepare(connection)
        land(connection, 1, "profit_and_loss", [report("profit_and_loss", [], "2024-01")])
        assert connection.execute(COUNTED, ["staging_quickbooks.profit_and_loss"]).fetchone() == (-1,)

        analyze_new(connection, "quickbooks")

        assert connection.execute(COUNTED, ["staging_quickbooks.profit_and_loss"]).fetchone() == (1,)
        assert connection.execute(COUNTED, ["staging_quickbooks.cash_flow"]).fetchone() == (-1,)

        warehouse(database, tmp_path / uuid.uuid4().hex).rebuild_source("quickbooks")

        assert connection.execute(COUNTED, ["intermediate.int_quickbooks__report_lines"]).fetchone() == (1,)
        # Of what tenants read, nothing may be known by its statistics.
        assert connection.execute(
            "select count(*) from pg_stats where schemaname = 'marts' and tablename = 'mart_financial_metrics'"
        ).fetchone() == (0,)
