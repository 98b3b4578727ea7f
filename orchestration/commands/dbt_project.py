"""`aiop dbt`: dbt on the warehouse's project, where its builds are."""

from __future__ import annotations

import sys

import typer

# What follows is dbt's, also where it looks like an option of ours.
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


def register(app: typer.Typer) -> None:
    """Add the command to the root command."""
    app.command("dbt", context_settings=_PASSED_ON)(dbt)


def dbt(context: typer.Context) -> None:
    """Run dbt on the warehouse, with dbt's own arguments and exit code: aiop dbt build -s mart_app_analytics.

    What writes waits until no other build runs. Unit tests of the project are left out.
    """
    from orchestration.warehouse.dbt import call_dbt

    raise typer.Exit(call_dbt(context.args, on_wait=lambda message: print(message, file=sys.stderr, flush=True)))
