"""Ends sessions of tenants: those of a password that stops working, and those whose transaction never ends.

An open transaction keeps locks on what it read, keeps VACUUM from all that changed since, and notifications queued. A
session's own limits bound it, which the session can lift.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import psycopg
import structlog
from psycopg import errors, sql

log = structlog.get_logger(__name__)

# The limits that sessions begin with end a statement, or a pause within a transaction, after five minutes.
LONGEST_TRANSACTION = timedelta(hours=1)

# Of a session that it has no rights over, a role sees whose it is and nothing else.
_CONNECTED = """
    select distinct a.usename::text
    from pg_stat_activity as a
    inner join ops.tenant_roles as t on t.role_name = a.usename
    inner join pg_roles as r on r.rolname = a.usename
    order by 1
"""
# Not as a condition: the planner may ask it of every session first.
_END = """
    select usename::text, pid, pg_terminate_backend(pid)
    from pg_stat_activity
    where usename = any(%(names)s) and (%(longest)s::interval is null or clock_timestamp() - xact_start > %(longest)s)
"""


def end_sessions(
    connection: psycopg.Connection, names: Sequence[str], *, longest: timedelta | None = None
) -> list[tuple[str, int]]:
    """End sessions of these logins: all, or those whose transaction has been open for more than ``longest``.

    Gives login and process id of each; none where the server does not let the warehouse's role do so, or where a login
    is held or gone.
    """
    ended: list[tuple[str, int]] = []
    # Who has a role's rights may end its sessions; for the moment of this transaction only.
    with (
        suppress(errors.InsufficientPrivilege, errors.LockNotAvailable, errors.UndefinedObject),
        connection.transaction(force_rollback=True),
    ):
        for name in names:
            connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(name)))
        rows = connection.execute(_END, {"names": list(names), "longest": longest}).fetchall()
        ended = [(name, pid) for name, pid, was_signalled in rows if was_signalled]
    return ended


def end_long_transactions(connection: psycopg.Connection) -> None:
    """End tenants' sessions whose transaction has been open for more than an hour, and say which."""
    names = [name for (name,) in connection.execute(_CONNECTED).fetchall()]
    for name, pid in end_sessions(connection, names, longest=LONGEST_TRANSACTION) if names else ():
        log.warning("a tenant's session was ended: its transaction was open for over an hour", login=name, process=pid)
