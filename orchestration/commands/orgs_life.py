"""`aiop orgs add|connect|disconnect|erase`: an organization comes, is connected, leaves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.errors import UsageError
from orchestration.warehouse import connecting, database
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.migrate import require_current

if TYPE_CHECKING:
    from orchestration.erase import Erasure


def register(app: typer.Typer) -> None:
    """Add the commands to `aiop orgs`."""
    for command in (add, connect, disconnect, erase):
        app.command()(command)


SlugArgument = Annotated[str, typer.Argument(help="the organization's slug")]
SourceArgument = Annotated[str, typer.Argument(help="the source, such as quickbooks")]


def add(
    slug: Annotated[str, typer.Argument(help="short name: lower-case letters, digits and _")],
    name: Annotated[str, typer.Option(help="its name for people")],
    timezone: Annotated[str, typer.Option(help="of its business dates, such as America/Chicago")],
    currency: Annotated[str, typer.Option(help="of its books, such as USD")],
    number: Annotated[
        int | None, typer.Option("--id", help="org_id in every table; default: the next free one")
    ] = None,
    fiscal_year_start_month: Annotated[int, typer.Option(help="1 to 12")] = 1,
    industry: Annotated[str | None, typer.Option(help='NAICS sector or code, such as "42"')] = None,
    organization_id: Annotated[str | None, typer.Option(help="its uuid on the platform")] = None,
) -> None:
    """Add an organization, still without connections."""
    facts = {
        "id": number,
        "slug": slug,
        "name": name,
        "timezone": timezone,
        "currency": currency,
        "fiscal_year_start_month": fiscal_year_start_month,
        "industry": industry,
        "organization_id": organization_id,
    }
    with database_errors(), database.connect(application_name="aiop orgs add") as connection:
        require_current(connection)
        added = connecting.add(connection, facts)
    typer.echo(f"added: {added.slug} (id {added.id}); `aiop orgs connect {added.slug} SOURCE key=value …` connects it")


def connect(
    slug: SlugArgument,
    source: SourceArgument,
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE…", help="values, env:NAME for secrets, commas in lists: skip_streams=goals,tasks"
        ),
    ],
) -> None:
    """Connect an organization to a source, or replace the connection it has."""
    given: dict[str, str] = {}
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator or not key or key in given:
            # Not what stands behind it: that may be a secret.
            problem = f"{key} is given twice" if key in given else "a setting is not of the form key=value"
            raise UsageError(
                f"{slug} {source}: {problem}.", hint=f"aiop orgs connect {slug} {source} key=value secret=env:NAME"
            )
        given[key] = value
    with database_errors(), database.connect(application_name="aiop orgs connect") as connection:
        require_current(connection)
        connected = connecting.connect(connection, slug, source, given)
    typer.echo(f"{connected.change}: {slug} {source}")
    if connected.begun_anew:
        typer.echo(str(connected.begun_anew))
    if connected.change != "unchanged":
        typer.echo(f"a file that is applied later must say the same; to read it now: aiop sync {source} --org {slug}")


def disconnect(slug: SlugArgument, source: SourceArgument) -> None:
    """Take a connection and its tokens away. Rows stay; marts.data_freshness says that they grow old."""
    with database_errors(), database.connect(application_name="aiop orgs disconnect", autocommit=True) as connection:
        require_current(connection)
        connecting.disconnect(connection, slug, source)
    typer.echo(f"disconnected: {slug} {source}; its rows stay as they are")
    typer.echo("take it out of organizations.yml, too: applying the file would connect it again")


def erase(
    slug: SlugArgument,
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
) -> None:
    """Remove an organization everywhere, for good. Exits 1 while a Dagster run still names it."""
    from orchestration.erase import erase as erase_organization
    from orchestration.erase import find_organization

    with database_errors(), database.connect(application_name="aiop orgs erase", autocommit=True) as connection:
        require_current(connection)
        organization = find_organization(connection, slug)
        if organization is not None and not yes:
            _ask(slug, organization.name)
        outcome = erase_organization(connection, slug, typer.echo)
    for line in _lines(outcome):
        typer.echo(line)
    if outcome.runs_in_progress:
        typer.echo(
            f"still running and naming it: Dagster run {', '.join(outcome.runs_in_progress)}\n"
            f"  → when it has ended: aiop orgs erase {slug}",
            err=True,
        )
        raise typer.Exit(1)


def _ask(slug: str, name: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError(
            f"Erasing {slug} can't be undone, and there is nobody to ask.", hint=f"aiop orgs erase {slug} --yes"
        )
    typer.echo(f"{name}: all its rows, logins, tokens and logs will be removed. This can't be undone.")
    if typer.prompt("Type the slug again to go on", default="", show_default=False).strip() != slug:
        raise UsageError("That is not the slug: nothing was changed.")


def _lines(outcome: Erasure) -> list[str]:
    rows = sum(outcome.rows.values())
    if outcome.earlier:
        first = f"{outcome.slug} was erased on {outcome.earlier:%Y-%m-%d}; now removed what was left"
    else:
        first = f"erased: {outcome.slug}, {rows:,} rows of {len(outcome.rows)} tables, {len(outcome.roles)} login(s)"
    lines = [f"{first}; {outcome.runs_deleted} Dagster runs, {outcome.files_removed} files"]
    if outcome.variables:
        lines.append(f"taken out of AIOP_HOME's env file: {', '.join(outcome.variables)}")
    lines += [f"names it, and is yours to keep or remove: {path}" for path in outcome.files_left]
    lines.append("not reached: organizations.yml wherever it is kept, backups, the source itself")
    return lines
