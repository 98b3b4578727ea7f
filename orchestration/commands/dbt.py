"""`aiop dbt`: dbt on the warehouse, with the connection and paths that the jobs give it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import typer

from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse.dbt import build_lock, dbt_environment

# What writes models or what they are built from waits for the job that does so now, and holds off the next one.
WRITING = ("build", "clone", "retry", "run", "run-operation", "seed", "snapshot")


def register(app: typer.Typer) -> None:
    """Add the command to the root command."""
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("dbt", context_settings=passed_on)(dbt)


def dbt(context: typer.Context) -> None:
    """Run dbt on the warehouse: aiop dbt source freshness. The arguments and the exit code are dbt's own."""
    arguments = context.args
    command = [str(Path(sys.executable).with_name("dbt")), *arguments]
    writes = bool(arguments) and arguments[0] in WRITING
    with build_lock(on_wait=typer.echo) if writes else contextlib.nullcontext():
        done = subprocess.run(command, cwd=PROJECT_ROOT, env={**os.environ, **dbt_environment()}, check=False)
    raise typer.Exit(done.returncode)
