"""The end of the night: the warehouse forgets what of its own past is too old to be asked for."""

# Annotations are read by Dagster at run time, so they are not postponed in this module.

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.defs.runs import forget_old_runs
from orchestration.errors import AiopError
from orchestration.settings import dagster_days, history_days
from orchestration.warehouse.database import connect
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.history import forget


@dg.asset(
    key=["ops", "history"],
    # Which is built from that past: the night's build comes first.
    deps=[["marts", "data_freshness"]],
    group_name="ops",
    kinds={"postgres"},
    description="Attempts to read, builds and changes of shape of the last AIOP_HISTORY_DAYS days, Dagster's runs of "
    "the last AIOP_DAGSTER_DAYS; older ones go.",
)
def history(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    now = datetime.now(UTC)
    try:
        days, days_of_runs = history_days(), dagster_days()
        with database_errors(), connect(autocommit=True, application_name="aiop history") as connection:
            forgotten = asdict(forget(connection, now, days))
    except AiopError as error:
        raise dg.Failure(str(error)) from None
    if any(forgotten.values()):
        said = ", ".join(f"{rows:,} rows of ops.{table}" for table, rows in forgotten.items() if rows)
        context.log.info(f"forgot what is older than {days} days: {said}")
    runs = forget_old_runs(context.instance, now - timedelta(days=days_of_runs))
    if runs:
        context.log.info(f"forgot {runs:,} runs of Dagster's older than {days_of_runs} days")
    return dg.MaterializeResult(
        metadata={"days": days, **forgotten, "dagster_days": days_of_runs, "dagster_runs": runs}
    )
