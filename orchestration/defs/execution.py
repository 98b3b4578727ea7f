"""Running a job from the terminal: the same definitions and instance as the UI, progress as plain lines."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import yaml
from psycopg import errors

from orchestration.errors import UsageError
from orchestration.logs import redact
from orchestration.settings import dagster_days, load_settings
from orchestration.sources import SOURCES
from orchestration.warehouse.database import connect, database_url
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.organizations import list_organizations, sources_by_organization

STORAGE_SCHEMA = "dagster"
STORAGE_VARIABLE = "AIOP_DAGSTER_STORAGE"
# A session that was idle for longer, while dbt worked, may have been ended on the way: another is opened.
_SESSION_SECONDS = 60


def prepare_dagster_home() -> Path:
    """Make ``$AIOP_HOME/dagster`` with its dagster.yaml and point ``DAGSTER_HOME`` there unless it is set.

    Runs and events are kept in SQLite beside the embedded Postgres, and in ``DATABASE_URL``'s server (schema
    ``dagster``) where there is one, so that several machines share them. The file names a variable for the address,
    which this sets: whatever reads the file has to be started from here.
    """
    settings = load_settings()
    own = settings.home / "dagster"
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(own)))
    # Events and captured output name organizations and quote errors.
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
        "freshness": {"enabled": True},
        # Runs and their events are ops/history's to forget.
        "retention": {kind: {"purge_after_days": dagster_days()} for kind in ("schedule", "sensor")},
    }
    if settings.database_url:
        _ensure_storage_schema()
        # Dagster's SQL is written for psycopg2, which is no longer SQLAlchemy's first choice for a plain URL.
        url = database_url().replace("postgresql://", "postgresql+psycopg2://", 1)
        options = quote(f"-csearch_path={STORAGE_SCHEMA}")
        os.environ[STORAGE_VARIABLE] = f"{url}{'&' if '?' in url else '?'}options={options}"
        config["storage"] = {"postgres": {"postgres_url": {"env": STORAGE_VARIABLE}}}
    path = home / "dagster.yaml"
    # A home of the user's own choice may hold a file of the user's own; naming ours is no such choice.
    if not path.exists() or (own.exists() and home.samefile(own)):
        _write_whole(path, yaml.safe_dump(config))
    return home


def _ensure_storage_schema() -> None:
    with database_errors(), connect(autocommit=True) as connection:
        # A webserver and a daemon that are started together both make it.
        with contextlib.suppress(errors.UniqueViolation, errors.DuplicateSchema):
            connection.execute(f"create schema if not exists {STORAGE_SCHEMA}")


def _write_whole(path: Path, text: str) -> None:
    """Write a file that another process may be reading just now, and leave one alone that says the same."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


@dataclass
class JobOutcome:
    """What a terminal needs of a finished run: ``seconds`` by step, in order; ``output``, what its steps printed."""

    run_id: str
    success: bool
    seconds: dict[str, float] = field(default_factory=dict)
    output: Path | None = None
    failed_checks: list[str] = field(default_factory=list)
    warned_checks: list[str] = field(default_factory=list)


# What Dagster and dagster-dbt say of themselves around each step. A check that reads other marts than the job's own is
# not made by it ("did not yield"); that of the night is.
_CHATTER = (
    "A dbt subsetted execution",
    "Running dbt command",
    "Finished dbt command",
    "Dependencies for step",
    "op 'dbt_build' did not yield",
)


class _Terminal(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(f"{self.formatTime(record, '%H:%M:%S')}  {_text(record)}")


def _text(record: logging.LogRecord) -> str:
    return getattr(record, "dagster_meta", {}).get("orig_message") or record.getMessage()


@dg.logger
def terminal(_: dg.InitLoggerContext) -> logging.Logger:
    """Messages of assets and failures of steps, one line each, without Dagster's own chatter."""
    logger = logging.Logger("aiop")
    # Not sys.stdout: while a job runs from a terminal, dbt's own lines go to a file.
    handler = logging.StreamHandler(sys.__stdout__)
    handler.setFormatter(_Terminal())
    handler.addFilter(lambda record: not _text(record).startswith(_CHATTER))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    return logger


def _connected(slugs: Sequence[str]) -> dict[str, list[str]]:
    """Which of these organizations each source is read for. Raises UsageError for one that nobody knows."""
    with connect(autocommit=True) as connection:
        known = {organization.slug: organization.id for organization in list_organizations(connection)}
        sources = sources_by_organization(connection)
    unknown = [slug for slug in slugs if slug not in known]
    if unknown:
        raise UsageError(f"no organization is named {', '.join(unknown)}", hint="aiop orgs list has their names")
    return {source: [slug for slug in slugs if source in sources.get(known[slug], ())] for source in SOURCES}


def run_job(name: str, orgs: Sequence[str] = ()) -> JobOutcome:
    """Run a job of the definitions to its end in this process.

    Raises UsageError for a name that no job has. A failure of a step or check is in the outcome, not raised.
    """
    from orchestration.definitions import defs

    home = prepare_dagster_home()
    definitions = defs()
    jobs = {job.name: job for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")}
    if name not in jobs:
        raise UsageError(f"no job is named {name!r}", hint=f"jobs: {', '.join(sorted(jobs))}")
    job = jobs[name]
    steps = {node.name for node in job.nodes}
    config: dict[str, Any] = {"loggers": {"terminal": {}}}
    if orgs:
        read = {source: slugs for source, slugs in _connected(orgs).items() if f"sync_{source}" in steps}
        config["ops"] = {f"sync_{source}": {"config": {"orgs": slugs}} for source, slugs in read.items()}
    # Everything of the run is in its events; a second copy through the root logger would be noise.
    logging.getLogger("dagster.builtin").propagate = False
    output = home / "last_run_output.log"
    with dg.DagsterInstance.get() as instance, output.open("w") as file, contextlib.redirect_stdout(file):
        # Else each of a night's thousand events logs in to Postgres anew. No statement is timed out by it.
        instance.optimize_for_webserver(statement_timeout=0, pool_recycle=_SESSION_SECONDS, max_overflow=-1)
        result = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
        outcome = JobOutcome(run_id=result.run_id, success=result.success, output=output)
        for stats in instance.get_run_step_stats(result.run_id):
            if stats.start_time and stats.end_time:
                outcome.seconds[stats.step_key] = stats.end_time - stats.start_time
    for check in result.get_asset_check_evaluations():
        if not check.passed:
            words = f"{'.'.join(check.asset_key.path)}: {check.check_name} ({check.description or 'see its metadata'})"
            is_warning = check.severity == dg.AssetCheckSeverity.WARN
            (outcome.warned_checks if is_warning else outcome.failed_checks).append(words)
    return outcome
