"""`aiop verify`: the marts against the sources, asked afresh."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.commands.chosen import MoreOrgs, OrgOption, chosen_organizations

SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add the command to the root command."""
    app.command("verify")(verify)


def verify(
    source: Annotated[str, typer.Argument(help="a source's name, such as quickbooks")],
    more: MoreOrgs = None,
    org: OrgOption = None,
) -> None:
    """Compare a source's marts with totals asked from it now. Exits 1 and names organization, month and difference."""
    from orchestration.verify import verify as run

    outcome = run(source, chosen_organizations(org, more, f"verify {source}"), say=typer.echo)
    for difference in outcome.differences[:SHOWN]:
        typer.echo(f"differs: {difference}", err=True)
    if len(outcome.differences) > SHOWN:
        typer.echo(f"… and {len(outcome.differences) - SHOWN} more", err=True)
    typer.echo(
        f"{outcome.compared:,} figures compared, {len(outcome.differences):,} differ, "
        f"{len(outcome.errors)} organizations could not be asked"
    )
    if not outcome.agrees:
        raise typer.Exit(1)
