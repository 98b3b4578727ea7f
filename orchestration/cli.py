"""The `aiop` command."""

from __future__ import annotations

import errno
import os
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


# What a person can mend about files, and how.
_NOT_OURS = (
    "run the command as the account that the warehouse belongs to; what another account left in AIOP_HOME (chown) "
    "has to be its own again"
)
_UNUSABLE = {
    errno.EACCES: _NOT_OURS,
    errno.EPERM: _NOT_OURS,
    errno.EROFS: "set AIOP_HOME to a directory that can be written to",
    errno.ENOSPC: "free some space on that disk, then run the command again",
    errno.EDQUOT: "free some space on that disk, then run the command again",
}


def main() -> None:
    """Entry point: expected failures are printed as sentences, with the exit code they carry."""
    configure_logging()
    try:
        load_env_file()
        configure_logging()  # again: the file may say how
        app()
    except AiopError as error:
        print(f"error: {redact(str(error))}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:
        # Of a network's, the name is that of no file.
        if error.errno not in _UNUSABLE or not isinstance(error.filename, str | bytes):
            print_exception(type(error), error, error.__traceback__)
        else:
            where = redact(os.fsdecode(error.filename))
            print(f"error: {where}: {error.strerror}\n  → {_UNUSABLE[error.errno]}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - Typer's own hook would print the traceback with what it holds
        print_exception(type(error), error, error.__traceback__)
        sys.exit(1)


if __name__ == "__main__":
    main()
