"""`aiop dagster`: the two parts of Dagster that run for good, each as the process a service manager keeps alive."""

from __future__ import annotations

import os
import sys

import typer

from orchestration.settings import PROJECT_ROOT, load_settings

app = typer.Typer(
    name="dagster",
    help="Dagster's webserver and its daemon, for a service manager; `aiop dev` starts both at a terminal.",
    no_args_is_help=True,
)

# Each takes the arguments of the program that it becomes.
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command(context_settings=_PASSED_ON)
def webserver(context: typer.Context) -> None:
    """Dagster's UI, until SIGTERM. Further arguments are dagster-webserver's, such as -h 127.0.0.1 -p 3000."""
    _become("dagster_webserver", *context.args)


@app.command(context_settings=_PASSED_ON)
def daemon(context: typer.Context) -> None:
    """What starts scheduled and queued runs, until SIGTERM. Further arguments are those of `dagster-daemon run`."""
    _become("dagster._daemon", "run", *context.args)


def prepare() -> None:
    """Have database and Dagster's storage ready, and the environment name them to whatever is started from here."""
    from orchestration.defs.execution import prepare_dagster_home
    from orchestration.warehouse.database import database_url

    # What is started from here runs in the project's directory, where a relative path would mean another.
    os.environ["AIOP_HOME"] = str(load_settings().home)
    database_url()
    prepare_dagster_home()


def _become(module: str, *arguments: str) -> None:
    """Go on as a program of Dagster's, in the same process: signals and exit code are between it and its manager."""
    prepare()
    # As `dagster dev` does: the code location, which schedules are known by, is the one that pyproject.toml names.
    os.chdir(PROJECT_ROOT)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
