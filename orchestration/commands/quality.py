"""`aiop quality`: what is wrong with landed rows, whose publication waits for it, and letting it go."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.errors import UsageError
from orchestration.warehouse import database
from orchestration.warehouse.database_errors import database_errors

app = typer.Typer(help="Quality of landed rows: results, who is held back from publication, release.")


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    org: Annotated[str | None, typer.Option(help="only this organization (slug)")] = None,
    source: Annotated[str | None, typer.Option(help="only this source")] = None,
) -> None:
    """Show what the last checks found. Exits 1 while an organization is held back."""
    if context.invoked_subcommand:
        return
    from orchestration.quality.check import failing
    from orchestration.quality.documents import site
    from orchestration.quality.holding import held
    from orchestration.sources import SOURCES
    from orchestration.warehouse import organizations
    from orchestration.warehouse.migrate import require_current

    if source is not None and source not in SOURCES:
        raise UsageError(f"no source is named {source!r}", hint=f"sources: {', '.join(sorted(SOURCES))}")
    with database_errors(), database.connect(autocommit=True, application_name="aiop quality") as connection:
        require_current(connection)
        known = {organization.slug for organization in organizations.list_organizations(connection)}
        if org is not None and org not in known:
            raise UsageError(f"no organization is named {org!r}", hint="`aiop orgs list` shows them")
        names = [source] if source else sorted(SOURCES)
        waiting = held(connection, source, org)
        found = [one for name in names for one in failing(connection, name, org)]
    for one in waiting:
        typer.echo(f"held back since {one.since:%Y-%m-%d %H:%M %Z}: {one.organization} / {one.source}: {one.reason}")
    for one in found:
        level = "critical" if one.is_critical else "warning"
        typer.echo(f"{level:<8}  {one.organization} / {one.source} / {one}")
    if not found and not waiting:
        typer.echo("nothing that landed breaks an expectation")
    for name in names:
        if (site(name) / "index.html").exists():
            typer.echo(f"{name}: {site(name) / 'index.html'}")
    if waiting:
        typer.echo("publish all the same: aiop quality release ORGANIZATION SOURCE, and build", err=True)
        raise typer.Exit(1)


@app.command()
def check(source: Annotated[str, typer.Argument(help="the source, such as quickbooks")]) -> None:
    """Look now at what landed since the last check, and build Data Docs; the jobs do so after every sync."""
    from orchestration.quality.check import check as look
    from orchestration.warehouse.migrate import require_current

    with database_errors(), database.connect(autocommit=True, application_name="aiop quality") as connection:
        require_current(connection)
    report = look(source, say=typer.echo)
    failing = len({one.organization for one in report.failing})
    typer.echo(
        f"{source}: {report.measured:,} streams of organizations looked at; {failing} organizations break an"
        f" expectation, {len(report.held)} are held back"
    )
    if report.trouble:
        typer.echo(report.trouble, err=True)
        raise typer.Exit(1)


@app.command()
def release(
    organization: Annotated[str, typer.Argument(help="the organization (slug)")],
    source: Annotated[str, typer.Argument(help="the source, such as quickbooks")],
) -> None:
    """Publish what landed of SOURCE for ORGANIZATION at the next build, whatever it breaks now."""
    from orchestration.quality.holding import release as let_go
    from orchestration.warehouse.migrate import require_current

    with database_errors(), database.connect(autocommit=True, application_name="aiop quality") as connection:
        require_current(connection)
        let_go(connection, organization, source, typer.echo)
    typer.echo(f"{organization} / {source}: released; the next build publishes what landed")
