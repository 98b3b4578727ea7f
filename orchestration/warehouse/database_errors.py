"""Postgres' errors as sentences with a way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from orchestration.errors import DatabaseError
from orchestration.logs import redact

DISK_FULL_HINT = "free some space on the disk that holds the database, then run the command again: nothing was lost"

# Failures before a session exists carry no SQLSTATE: only the server's and libpq's words.
_CONNECTING = (
    (
        r"password authentication failed|no password supplied",
        "the server rejects the user's password",
        "correct user and password in DATABASE_URL (special characters percent-encoded)",
    ),
    (
        r'role "[^"]*" does not exist',
        "the server has no such user",
        "create the role, or correct the user in DATABASE_URL",
    ),
    (
        r'database "[^"]*" does not exist',
        "the server has no such database",
        "create it (createdb), or correct the last part of DATABASE_URL",
    ),
    (
        r"permission denied for database",
        "the user may not connect to that database",
        "have an administrator run: grant connect on database … to …",
    ),
    (
        r"no pg_hba.conf entry|pg_hba.conf rejects",
        "the server's pg_hba.conf does not let this user in from here",
        "have an administrator allow this host, or add sslmode=require to DATABASE_URL where it asks for encryption",
    ),
    (
        r"No space left on device",
        "the database server's disk is full",
        DISK_FULL_HINT,
    ),
    (
        r"too many clients|remaining connection slots|too many connections",
        "the server has no connection left",
        "end idle sessions, or raise max_connections (or the role's connection limit)",
    ),
    (
        r"starting up|shutting down|recovery mode|not yet accepting",
        "the server is starting, stopping or recovering",
        "try again in a moment",
    ),
    (
        r"SSL|certificate",
        "no encrypted connection could be agreed on",
        "check sslmode and sslrootcert in DATABASE_URL",
    ),
    (
        r"resolve host|translate host name|Name or service not known",
        "the server's host name is unknown",
        "correct the host in DATABASE_URL",
    ),
    (
        r"refused|timeout|timed out|unreachable|No route|No such file|closed the connection|reset by peer",
        "the server can't be reached",
        "check host and port in DATABASE_URL, and that the server runs (embedded: `aiop db start`)",
    ),
)

_RUNNING: tuple[tuple[type[psycopg.Error], str, str], ...] = (
    (errors.DiskFull, "the database server's disk is full", DISK_FULL_HINT),
    (
        errors.OutOfMemory,
        "the database server ran out of memory",
        "give it more, or lower work_mem",
    ),
    (
        errors.LockNotAvailable,
        "another session holds what this one needs",
        "wait for it to end (see pg_stat_activity), then try again",
    ),
    (errors.DeadlockDetected, "two sessions waited for each other", "run the command again"),
    (
        errors.QueryCanceled,
        "a statement was cancelled",
        "a statement_timeout of the role or server may be too low for this work",
    ),
    (
        errors.ReadOnlySqlTransaction,
        "the server accepts no writes",
        "DATABASE_URL must name the primary, not a replica",
    ),
    (
        errors.InsufficientPrivilege,
        "the role may not do that",
        "`aiop db init` prints what an administrator has to grant",
    ),
    (
        errors.AdminShutdown,
        "the session was ended by an administrator or a shutdown",
        "run the command again",
    ),
    (errors.CrashShutdown, "the server crashed while it worked", "run the command again: it continues where it was"),
    (errors.CannotConnectNow, "the server is starting, stopping or recovering", "try again in a moment"),
)


def explain_connecting(error: psycopg.Error, where: str) -> DatabaseError:
    """What kept a connection from being made; ``where`` names the server without its password."""
    said = first_line(error)
    for pattern, meaning, hint in _CONNECTING:
        if re.search(pattern, str(error), re.IGNORECASE):
            return DatabaseError(f"{where}: {meaning} ({said})", hint=hint)
    return DatabaseError(f"{where}: {said}", hint="check DATABASE_URL")


def explain(error: psycopg.Error) -> DatabaseError:
    """What went wrong in an open session."""
    said = first_line(error)
    for kind, meaning, hint in _RUNNING:
        if isinstance(error, kind):
            return DatabaseError(f"{meaning} ({said})", hint=hint)
    if "No space left on device" in str(error):
        return DatabaseError(f"the database server's disk is full ({said})", hint=DISK_FULL_HINT)
    if isinstance(error, psycopg.OperationalError):
        return DatabaseError(f"the connection to the database broke ({said})", hint="run the command again")
    return DatabaseError(f"the database refused a statement: {said}")


@contextmanager
def database_errors() -> Iterator[None]:
    """Errors of psycopg leave the block as :class:`DatabaseError`, the original as their cause."""
    try:
        yield
    except psycopg.Error as error:
        raise explain(error) from error


def first_line(error: Exception) -> str:
    """The telling line of a message, redacted: DETAIL lines can hold data."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = next((line for line in lines if "FATAL:" in line or "ERROR:" in line), lines[0] if lines else "")
    return redact(re.sub(r"^.*?(?:FATAL|ERROR):\s*", "", telling) or type(error).__name__)
