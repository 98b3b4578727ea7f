"""What `dagster dev`, `dg dev` and the daemon load."""

from __future__ import annotations

import dagster as dg

from orchestration.logs import configure_logging
from orchestration.settings import load_env_file

load_env_file()
# Here, because code servers and run workers have nothing else of ours in common.
configure_logging()


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, checks, jobs and schedules. Steps run in one process: a process each costs seconds a step."""
    from orchestration.defs.execution import terminal
    from orchestration.defs.history import history
    from orchestration.defs.jobs import JOBS, schedules
    from orchestration.defs.sources import source_assets
    from orchestration.defs.warehouse import dbt_models
    from orchestration.sources import SOURCES

    return dg.Definitions(
        assets=[*(source_assets(name) for name in SOURCES), dbt_models, history],
        jobs=JOBS,
        schedules=schedules(),
        executor=dg.in_process_executor,
        loggers={"terminal": terminal, "console": dg.colored_console_logger},
    )
