"""The `aiop` command."""

from __future__ import annotations

import sys

import typer

from orchestration.commands import dagster_parts, db, dbt_project, demo, orgs, quality, run, status, sync, verify
from orchestration.errors import AiopError
from orchestration.logs import configure_logging, print_exception, redact
from orchestration.settings import load_env_file

app = typer.Typer(
    name="aiop",
    help="AIOP Warehouse: from raw systems to decisions.",
    no_args_is_help=True,
    # Locals in a traceback would show credentials.
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(db.app, name="db")
app.add_typer(orgs.app, name="orgs")
app.add_typer(demo.app, name="demo")
app.add_typer(dagster_parts.app, name="dagster")
app.add_typer(quality.app, name="quality")
sync.register(app)
run.register(app)
dbt_project.register(app)
verify.register(app)
status.register(app)


def main() -> None:
    """Entry point: expected failures are printed as sentences, with the exit code they carry."""
    load_env_file()
    configure_logging()
    try:
        app()
    except AiopError as error:
        print(f"error: {redact(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - Typer's own hook would print the traceback with what it holds
        print_exception(type(error), error, error.__traceback__)
        sys.exit(1)


if __name__ == "__main__":
    main()
