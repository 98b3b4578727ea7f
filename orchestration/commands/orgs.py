"""`aiop orgs`: the organizations, their connections and their logins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from orchestration.commands import orgs_life
from orchestration.commands.programs import become
from orchestration.errors import UsageError
from orchestration.warehouse import database, organizations, roles
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.migrate import require_current

app = typer.Typer(
    name="orgs",
    help="The organizations, how their sources are reached, and what a BI tool logs in with.",
    no_args_is_help=True,
)
orgs_life.register(app)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="organizations.yml; docs/organizations.md has its format")],
) -> None:
    """Make the warehouse's organizations and connections what the file says. Applying it again changes nothing."""
    with database_errors(), database.connect(application_name="aiop orgs apply", autocommit=True) as connection:
        require_current(connection)
        result = organizations.apply_file(connection, file)
    for word, slugs in (("added", result.added), ("changed", result.changed)):
        if slugs:
            typer.echo(f"{word}: {', '.join(slugs)}")
    for new, old in result.renamed.items():
        typer.echo(f"renamed: {old} is {new} from now on, with all its rows and its login")
    for one in result.begun_anew:
        typer.echo(str(one))
    typer.echo(f"{len(result.added)} added, {len(result.changed)} changed, {len(result.unchanged)} unchanged")


@app.command("list")
def list_() -> None:
    """Show the organizations and the sources they are connected to."""
    with database_errors(), database.connect(application_name="aiop orgs list") as connection:
        require_current(connection)
        found = organizations.list_organizations(connection)
        sources = organizations.sources_by_organization(connection)
    if not found:
        typer.echo("no organizations yet: `aiop orgs apply organizations.yml` adds them")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "slug", "name", "time zone", "currency", "fiscal year from", "industry", "sources"):
        table.add_column(heading, justify="right" if heading in ("id", "fiscal year from") else "left")
    for one in found:
        table.add_row(
            str(one.id),
            one.slug,
            one.name,
            one.timezone,
            one.currency,
            str(one.fiscal_year_start_month),
            one.industry or "",
            ", ".join(sources.get(one.id, ())),
        )
    # A pipe has no width: names must come out whole. And a name may hold brackets, which are no markup.
    width = None if sys.stdout.isatty() else 1000
    Console(markup=False, highlight=False, width=width).print(table)


@app.command()
def credentials(
    slug: Annotated[str | None, typer.Argument(help="the organization's slug")] = None,
    all_: Annotated[bool, typer.Option("--all", help="the login that reads every organization")] = False,
    rotate: Annotated[bool, typer.Option(help="set a new password: the present one stops working")] = False,
) -> None:
    """Print a connection URL for a BI tool that reads one organization's rows and no other's."""
    if (slug is None) == (not all_):
        raise UsageError("Name one organization, or say --all.", hint="For example: aiop orgs credentials bennett")
    with database_errors(), database.connect(application_name="aiop orgs credentials", autocommit=True) as connection:
        require_current(connection)
        if slug is None:
            url = roles.all_credentials(connection, rotate=rotate)
        else:
            url = roles.credentials(connection, slug, rotate=rotate)
    # Alone on stdout: a script can hand it on.
    typer.echo(url)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(
    context: typer.Context,
    slug: Annotated[str, typer.Argument(help="the organization's slug")],
) -> None:
    """Open psql as an organization, which sees its own rows; further arguments are psql's own."""
    with database_errors(), database.connect(application_name="aiop orgs psql", autocommit=True) as connection:
        require_current(connection)
        url = roles.credentials(connection, slug)
    become("psql", context.args, url, application_name="aiop orgs psql")
