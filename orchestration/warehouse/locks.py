"""Mutual exclusion between processes by row locks.

Advisory locks are not used: any role that may connect, a tenant's too, can take any of them. Rows of ``ops`` can be
locked only by roles with rights on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus

from orchestration.errors import DatabaseError

# As long as a first load of a large organization may take.
DEFAULT_WAIT_SECONDS = 3600.0


def prepare(connection: psycopg.Connection, names: Iterable[str]) -> None:
    """Have the rows of these names there before they are locked: one statement instead of one for each new name."""
    connection.execute(
        """
        insert into ops.locks (name)
        select wanted.name from unnest(%s::text[]) as wanted (name)
        where not exists (select from ops.locks as known where known.name = wanted.name)
        on conflict do nothing
        """,
        [list(names)],
    )


@contextmanager
def exclusive(
    connection: psycopg.Connection,
    name: str,
    *,
    what: str = "",
    wait_seconds: float = DEFAULT_WAIT_SECONDS,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[None]:
    """Run the block as one transaction of ``connection`` that nobody else with the same ``name`` can be in.

    The lock ends with the transaction, and so with the process that holds it. When somebody else holds it,
    ``on_wait`` is called once, and after ``wait_seconds`` (0: at once) a DatabaseError raised, which names ``what``
    (by default the name). The connection must be idle. Limits on the length of statements, pauses and transactions,
    which a server or role may have for short work, are lifted for this one: it would lose its lock in the middle.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise RuntimeError("the connection is inside a transaction, whose end would decide over this one's")
    take = f"select {_unlimited(connection)} from ops.locks where name = %s for update"  # noqa: S608
    while True:
        with connection.transaction():
            if connection.execute(f"{take} skip locked", [name]).rowcount == 0:
                if connection.execute("select from ops.locks where name = %s", [name]).rowcount == 0:
                    # Committed before it is locked: others wait for the row, not for the transaction that inserts it.
                    connection.execute("insert into ops.locks (name) values (%s) on conflict do nothing", [name])
                    continue
                if on_wait is not None:
                    on_wait()
                _wait(connection, take, name, what or name, wait_seconds)
            yield
            return


def hold(connection: psycopg.Connection, name: str, *, what: str = "", wait_seconds: float) -> None:
    """Take the lock of :func:`exclusive` inside the caller's transaction, until that ends.

    Raises DatabaseError after ``wait_seconds``. Before the caller's own writes: who holds the lock may wait for those.
    """
    prepare(connection, [name])
    take = f"select {_unlimited(connection)} from ops.locks where name = %s for update"  # noqa: S608
    _wait(connection, take, name, what or name, wait_seconds)


def _unlimited(connection: psycopg.Connection) -> str:
    limits = ["statement_timeout", "idle_in_transaction_session_timeout"]
    if connection.info.server_version >= 170000:
        limits.append("transaction_timeout")
    return ", ".join(f"set_config('{limit}', '0', true)" for limit in limits)


def _wait(connection: psycopg.Connection, take: str, name: str, what: str, seconds: float) -> None:
    refused = DatabaseError(
        f"{what}: another process is working on it" + (f", after {seconds:.0f} seconds still" if seconds > 0 else ""),
        hint="wait for it to end, or look for its session in pg_stat_activity (application_name starts with aiop)",
    )
    if seconds <= 0:
        raise refused
    row = connection.execute("select current_setting('lock_timeout')").fetchone()
    assert row is not None
    try:
        connection.execute(
            f"select {_unlimited(connection)}, set_config('lock_timeout', %s, true)", [f"{int(seconds * 1000)}ms"]
        )
        connection.execute(take, [name])
    except errors.LockNotAvailable:
        raise refused from None
    connection.execute("select set_config('lock_timeout', %s, true)", [row[0]])
