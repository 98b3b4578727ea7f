"""Running dbt on the warehouse: where its files are, what environment it needs, one build at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from psycopg import conninfo

from orchestration.errors import AiopError
from orchestration.logs import redact
from orchestration.settings import PROJECT_ROOT, load_settings
from orchestration.warehouse import locks
from orchestration.warehouse.database import LOCK_TIMEOUT, connect, database_url, embedded_server
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.tenant_sessions import end_long_transactions

LOCK = "dbt build"
# A build may wait for a whole first build of a large warehouse.
WAIT_SECONDS = 6 * 3600.0

# Sorts and hashes of a night's models then stay in memory; the server's default of 4 MB is for many small queries.
_SESSION = {"row_security": "off", "timezone": "UTC", "work_mem": "64MB", "lock_timeout": LOCK_TIMEOUT}

# libpq reads these where dbt's profile has no setting for them.
_PASSED_ON = {"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}

# dbt's commands, by whether they write to the warehouse (retry repeats a build, an operation may do anything).
_WRITING = {"build", "clone", "retry", "run", "run-operation", "seed", "snapshot"}
_READING = {"clean", "compile", "debug", "deps", "docs", "init", "list", "ls", "parse", "show", "source", "test"}

_PROJECT_FILES = ("dbt_project.yml", "profiles.example.yml", "models", "macros", "seeds", "tests/dbt")


@dataclass(frozen=True)
class DbtPaths:
    """Directories of dbt's state: ``profiles`` holds profiles.yml, ``target`` the manifest and the parse cache."""

    home: Path
    profiles: Path
    target: Path
    logs: Path


def dbt_paths() -> DbtPaths:
    """Paths below ``$AIOP_HOME/dbt``, made if missing, with a profiles.yml as the project's example says."""
    home = load_settings().home / "dbt"
    paths = DbtPaths(home, home / "profiles", home / "target", home / "logs")
    # Logs and artifacts quote values of rows.
    paths.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (paths.profiles, paths.target, paths.logs):
        path.mkdir(parents=True, exist_ok=True)
    example = (PROJECT_ROOT / "profiles.example.yml").read_text(encoding="utf-8")
    profiles = paths.profiles / "profiles.yml"
    if not profiles.exists() or profiles.read_text(encoding="utf-8") != example:
        _write(profiles, example)
    return paths


def dbt_environment(url: str | None = None, *, dagster_run_id: str = "") -> dict[str, str]:
    """Variables that a dbt process needs, to be put over the environment: connection, paths, no unit tests.

    Starts the embedded server if needed. ``url`` names another database than the warehouse's.
    """
    parts = conninfo.conninfo_to_dict(url or database_url())
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    return {
        **_path_variables(),
        **_connection_variables(parts),
        "PGOPTIONS": f"{parts['options']} {options}" if parts.get("options") else options,
        "AIOP_DAGSTER_RUN_ID": dagster_run_id,
    }


@contextmanager
def build_lock(on_wait: Callable[[str], Any] | None = None) -> Iterator[None]:
    """Hold the warehouse's only build. While another process has it, wait for that to end, saying so once."""

    def waiting() -> None:
        if on_wait is not None:
            on_wait("another build is running: waiting for it to end")

    with ExitStack() as stack:
        # What the block raises is the block's.
        with database_errors():
            connection = stack.enter_context(connect(application_name="aiop build lock"))
            stack.enter_context(locks.exclusive(connection, LOCK, wait_seconds=WAIT_SECONDS, on_wait=waiting))
            end_long_transactions(connection)
        yield


def current_manifest() -> Path:
    """The manifest of the project as it stands, parsed again only when a file of it changed. Needs no database."""
    paths = dbt_paths()
    manifest, mark = paths.target / "manifest.json", paths.target / "parsed_from"
    with (paths.home / "parse.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fingerprint = _project_fingerprint()
        if manifest.exists() and mark.exists() and mark.read_text(encoding="utf-8") == fingerprint:
            return manifest
        # Whole: parsing in part forgets what a yml file says of a singular test whose own file changed.
        run_dbt(["parse", "--no-partial-parse"], _parse_environment())
        _write(mark, fingerprint)
    return manifest


def run_dbt(arguments: list[str], environment: Mapping[str, str]) -> str:
    """Run dbt to its end in a process of its own and return what it printed. Raises AiopError when it fails."""
    command = [_program(), "--no-use-colors", *arguments]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise AiopError(
            f"dbt {arguments[0]} failed:\n{redact(done.stdout or done.stderr).strip()}",
            hint=f"dbt's whole log is in {environment.get('DBT_LOG_PATH', 'logs')}",
        )
    return done.stdout


def call_dbt(arguments: Sequence[str], on_wait: Callable[[str], Any] | None = None) -> int:
    """Run dbt for whoever is at the terminal, its output as it comes; its exit code, 128 + n where signal n ended it.

    What writes holds the warehouse's only build meanwhile. Artifacts are in a directory of their own: the manifest that
    Dagster goes by is its own affair, and ``dbt retry`` goes by the last command's.
    """
    environment = {**os.environ, **dbt_environment(), "DBT_TARGET_PATH": str(dbt_paths().home / "command")}
    with ExitStack() as stack:
        if writes(arguments):
            stack.enter_context(build_lock(on_wait))
        process = subprocess.Popen([_program(), *arguments], cwd=PROJECT_ROOT, env=environment)

        def interrupt(signum: int, _frame: object) -> None:
            # Only so does dbt cancel what the database still works on for it. A terminal sends SIGINT to dbt itself.
            if signum != signal.SIGINT:
                process.send_signal(signal.SIGINT)

        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            stack.callback(signal.signal, signum, signal.signal(signum, interrupt))
        code = process.wait()
    return code if code >= 0 else 128 - code


def writes(arguments: Sequence[str]) -> bool:
    """Whether a dbt command line writes to the warehouse: its command is the first of dbt's words in it."""
    return next((word in _WRITING for word in arguments if word in _WRITING | _READING), False)


def build_rows(dagster_run_id: str, metadata: Mapping[str, Any]) -> dict[str, int]:
    """Rows that one model of a running build wrote, by the names Dagster's UI knows; empty where it has no count.

    ``metadata`` is what dagster-dbt says of the model. The build is noted as part of the Dagster run, too.
    """
    values = {name: str(getattr(value, "value", value)) for name, value in metadata.items()}
    build, model = values.get("invocation_id"), values.get("unique_id", "").rpartition(".")[2]
    if not build or not model:
        return {}
    with connect() as connection:
        connection.execute(
            "update ops.build_runs set dagster_run_id = %s where build_id = %s and dagster_run_id is null",
            [dagster_run_id, build],
        )
        row = connection.execute(
            "select rows_total, rows_inserted, rows_updated, rows_deleted from ops.build_models"
            " where build_id = %s and split_part(model, '.', 2) = %s",
            [build, model],
        ).fetchone()
    if row is None:
        return {}
    names = ("dagster/row_count", "rows_inserted", "rows_updated", "rows_deleted")
    return dict(zip(names, row, strict=True))


def _program() -> str:
    return str(Path(sys.executable).with_name("dbt"))


def _path_variables() -> dict[str, str]:
    paths = dbt_paths()
    return {
        "DBT_PROJECT_DIR": str(PROJECT_ROOT),
        "DBT_PROFILES_DIR": str(paths.profiles),
        "DBT_TARGET_PATH": str(paths.target),
        "DBT_LOG_PATH": str(paths.logs),
        # Unit tests are about the project's code, not about tonight's data: the test suite runs them.
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
        # A job of one source runs the tests that its models and what is below them answer, not those of other sources'
        # marts that happen to read a model it builds, too.
        "DBT_INDIRECT_SELECTION": "buildable",
    }


def _connection_variables(parts: Mapping[str, Any]) -> dict[str, str]:
    variables = {
        "AIOP_PG_HOST": parts.get("host") or "localhost",
        "AIOP_PG_PORT": parts.get("port") or 5432,
        "AIOP_PG_USER": parts.get("user") or "",
        "DBT_ENV_SECRET_AIOP_PG_PASSWORD": parts.get("password") or "",
        "AIOP_PG_DATABASE": parts.get("dbname") or parts.get("user") or "",
        "AIOP_PG_SSLMODE": parts.get("sslmode") or "prefer",
    }
    variables |= {name: parts[key] for key, name in _PASSED_ON.items() if parts.get(key)}
    return {name: str(value) for name, value in variables.items()}


def _parse_environment() -> dict[str, str]:
    """As a build's, where the address is known without starting anything: its parse cache is then of use to builds."""
    url = load_settings().database_url
    try:
        url = database_url() if url is not None else embedded_server().builder_url()
    except (AiopError, OSError):
        return _path_variables()
    return {**_path_variables(), **_connection_variables(conninfo.conninfo_to_dict(url))}


def _project_fingerprint() -> str:
    digest = blake2b(digest_size=16)
    for name in _PROJECT_FILES:
        top = PROJECT_ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    # Another process may be reading it.
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    shutil.move(partial, path)
