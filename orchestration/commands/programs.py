"""Becoming one of Postgres' programs, connected to a database without the password on a command line."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence

from psycopg import pq

from orchestration.errors import DatabaseError
from orchestration.settings import load_settings
from orchestration.warehouse import database


def become(
    program: str,
    arguments: Sequence[str],
    url: str,
    *,
    application_name: str,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Go on as ``program``, which finds the database of ``url`` in its environment: a command line is public.

    ``settings`` are those of its session. Raises DatabaseError where there is no such program.
    """
    path = _path(program)
    environment = dict(os.environ)
    # A service of the caller's would win over what the environment says of this database.
    environment.pop("PGSERVICE", None)
    for option in pq.Conninfo.parse(url.encode()):
        if option.val is not None and option.envvar is not None:
            environment[option.envvar.decode()] = option.val.decode()
    own = [f"-c {name}={value}" for name, value in (settings or {}).items()]
    if own:
        environment["PGOPTIONS"] = " ".join([environment.get("PGOPTIONS", ""), *own]).strip()
    environment.setdefault("PGAPPNAME", application_name)
    sys.stdout.flush()
    os.execve(path, [path, *arguments], environment)


def _path(program: str) -> str:
    """The embedded server's own where there is one; else the system's, which also speaks TLS."""
    if not load_settings().database_url and os.sep not in program:
        own = database.embedded_server().program(program)
        if os.access(own, os.X_OK):
            return str(own)
    found = shutil.which(program)
    if not found:
        raise DatabaseError(
            f"{program} is not installed", hint="Postgres' own come with its client (Debian: postgresql-client)"
        )
    return found
