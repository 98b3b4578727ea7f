"""`aiop db`: the warehouse's Postgres."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from orchestration.commands.programs import become
from orchestration.settings import load_settings
from orchestration.warehouse import database
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.role_rights import AdministratorNeeded, administrator_sql, tenants_unbounded

app = typer.Typer(
    name="db",
    help="The warehouse's Postgres: the embedded one, or the server of DATABASE_URL.",
    no_args_is_help=True,
)

# As pg_ctl answers, so that scripts know them.
STOPPED = 3
ABSENT = 4


@app.command()
def init() -> None:
    """Start Postgres where it is embedded, and bring the warehouse's schemas and roles up to date."""
    from orchestration.warehouse import migrate  # Alembic and SQLAlchemy: not for the other commands
    from orchestration.warehouse.prepare import prepare

    with database_errors(), database.connect(application_name="aiop db init") as connection:
        try:
            prepare(connection)
        except AdministratorNeeded as needed:
            # Only the SQL goes to stdout: it can be piped into psql.
            print(f"error: {needed.message} An administrator has to run this first:", file=sys.stderr)
            print(needed.sql, flush=True)
            print("→ Then run `aiop db init` again: it does the rest.", file=sys.stderr)
            raise typer.Exit(needed.exit_code) from None
        if tenants_unbounded(connection):
            first = (
                "have an administrator run what `aiop db grants` prints"
                if load_settings().database_url
                else "aiop db stop"
            )
            print(
                "warning: a tenant's login could fill this server's disk or hold others up\n"
                f"  → {first}, then run `aiop db init` again",
                file=sys.stderr,
            )
    print(f"ready: {database.describe(database.database_url())}, version {migrate.head()}")


@app.command()
def grants() -> None:
    """Print the SQL by which an administrator of the server lets the warehouse work and bounds what tenants can do."""
    with database_errors(), database.connect(application_name="aiop db grants") as connection:
        print(administrator_sql(connection.info.dbname, connection.info.user))


@app.command()
def start() -> None:
    """Start the embedded Postgres unless it runs; with DATABASE_URL only try the connection."""
    if load_settings().database_url:
        with database.connect() as connection:
            version = connection.info.server_version // 10000
        print(f"DATABASE_URL is set: using {database.describe(database.database_url())} (Postgres {version})")
        return
    status = database.embedded_server().start()
    print(f"running: Postgres {status.major} on 127.0.0.1:{status.port}")


@app.command()
def stop() -> None:
    """Stop the embedded Postgres, ending its sessions."""
    print("stopped" if database.embedded_server().stop() else "not running")


@app.command()
def status() -> None:
    """Say whether Postgres runs. Exit codes: 0 running, 3 stopped (or starting), 4 not created yet, 1 unreachable."""
    if load_settings().database_url:
        start()
        return
    found = database.embedded_server().status()
    if found.state == "absent":
        print(f"absent: no database in {found.data} yet (aiop db start makes it)")
        raise typer.Exit(ABSENT)
    if found.state == "running":
        print(f"running: Postgres {found.major} on 127.0.0.1:{found.port}, process {found.pid}, data in {found.data}")
        return
    print(f"{found.state}: Postgres {found.major}, data in {found.data}")
    raise typer.Exit(STOPPED)


SuperuserOption = Annotated[bool, typer.Option("--superuser", help="As the embedded server's administrator.")]


@app.command()
def url(superuser: SuperuserOption = False) -> None:
    """Print the connection URL, password included; starts the embedded Postgres if needed."""
    print(_url(superuser))


# The builder's sessions are these everywhere: a policy can never silently hide rows.
_SESSION = {"timezone": "UTC", "row_security": "off"}


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, superuser: SuperuserOption = False) -> None:
    """Open psql on the warehouse; further arguments are psql's own: aiop db psql -c 'select 1'."""
    become("psql", context.args, _url(superuser), application_name="aiop db psql", settings=_SESSION)


@app.command(
    "exec",
    # What follows the program is the program's, also where it looks like an option of ours.
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
)
def exec_(
    context: typer.Context,
    program: Annotated[str, typer.Argument(help="such as pg_dump")],
    superuser: SuperuserOption = False,
) -> None:
    """Run a program that finds the warehouse in PGHOST, PGPASSWORD, …: aiop db exec pg_dump -Fc -f warehouse.dump."""
    become(program, context.args, _url(superuser), application_name=f"aiop db exec {program}", settings=_SESSION)


def _url(superuser: bool) -> str:
    if not superuser:
        return database.database_url()
    server = database.embedded_server()
    server.start()
    return server.superuser_url()
