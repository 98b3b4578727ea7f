"""`aiop run` and `aiop dev`: the jobs from a terminal, and Dagster's UI on them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import Annotated

import typer

from orchestration.commands.chosen import MoreOrgs, OrgOption, chosen_organizations
from orchestration.commands.dagster_parts import prepare
from orchestration.errors import AiopError
from orchestration.settings import PROJECT_ROOT, load_settings


def register(app: typer.Typer) -> None:
    """Add the commands to the root command."""
    app.command("run")(run)
    app.command("dev")(dev)


def run(
    job: Annotated[str, typer.Argument(help="a job's name, such as etl_quickbooks_financial or nightly")],
    more: MoreOrgs = None,
    org: OrgOption = None,
) -> None:
    """Run a job here and now, with progress. Exits 1 when a step or a check failed."""
    from orchestration.defs.execution import run_job

    outcome = run_job(job, chosen_organizations(org, more, f"run {job}"))
    for warning in outcome.warned_checks:
        typer.echo(f"warning: {warning}")
    for failure in outcome.failed_checks:
        typer.echo(f"failed: {failure}", err=True)
    total = sum(outcome.seconds.values())
    steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in outcome.seconds.items())
    verdict = "succeeded" if outcome.success and not outcome.failed_checks else "FAILED"
    typer.echo(f"{job} {verdict} in {total:.1f} s ({steps}); run {outcome.run_id}")
    if verdict == "FAILED":
        typer.echo(f"what its steps printed is in {outcome.output}", err=True)
        raise typer.Exit(1)


def dev(
    port: Annotated[int, typer.Option(help="port of the UI")] = 3000,
    host: Annotated[str, typer.Option(help="address of the UI")] = "127.0.0.1",
) -> None:
    """Dagster's UI, daemon and schedules on this warehouse; on a demo's home the stand-in sources run beside it."""
    from orchestration.demo.databases import attach
    from orchestration.demo.standins import start_standins

    prepare()
    home = load_settings().home
    with contextlib.ExitStack() as stack:
        if (home / "demo" / "world.json").exists() and _is_the_demos():
            stack.enter_context(start_standins(home))
            attach(home, typer.echo)
        code = serve_dagster(host, port)
    if code > 0:
        raise AiopError(f"dagster dev ended with exit code {code}", hint="its messages are above")


def _is_the_demos() -> bool:
    """Whether the warehouse is the demo's as the home is; where DATABASE_URL names a live one, says so."""
    from orchestration.demo.belonging import NotTheDemos, require_demos
    from orchestration.warehouse.database import connect

    try:
        with connect(application_name="aiop dev", autocommit=True) as connection:
            require_demos(connection)
    except NotTheDemos as live:
        typer.echo(f"the demo's stand-ins stay away: {live.message}")
        return False
    return True


def serve_dagster(host: str, port: int) -> int:
    """Run `dagster dev` until it is told to end: by Ctrl-C, SIGTERM, or a terminal that was closed. Its exit code."""
    # A shell's background job ignores SIGINT, children inherit that, and Dagster then never stops.
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster", "dev", "--host", host, "--port", str(port)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DAGSTER_VERBOSE": "0"},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )

    def stop(signum: int, _frame: object) -> None:
        # Of a closed terminal its session knows nothing, and SIGHUP would end it without its children.
        process.send_signal(signal.SIGINT if signum == signal.SIGINT else signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    typer.echo(f"Dagster's UI: http://{host}:{port} (ready in about half a minute; Ctrl-C ends it)")
    return process.wait()
