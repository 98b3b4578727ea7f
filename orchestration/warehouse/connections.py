"""Connections as they are stored: made, changed, taken away.

Where one leads to another account than before, what was kept of the old one's reads no longer holds: change capture
would resume at its last instant on the new account, and the warehouse show a mixture of two companies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from orchestration.errors import TransientError
from orchestration.warehouse import accounts, locks

TOKENS_WAIT_SECONDS = 300.0

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class BegunAnew:
    """A connection to another account: the next read of ``streams``, which hold rows of the one before, is whole."""

    slug: str
    source: str
    streams: tuple[str, ...]

    def __str__(self) -> str:
        allowed = " ".join(f"--allow-deletes {stream}" for stream in self.streams)
        return (
            f"{self.slug} {self.source} may lead to another account than its rows were read from: the next read is "
            "whole, and rows that it does not bring are taken for gone. More than a fifth of a stream's rows go only "
            f"where you allow it: aiop sync {self.source} --org {self.slug} {allowed}"
        )


def tokens_lock(org_id: int, source: str) -> str:
    """The row of ``ops.locks`` that whoever uses or changes a connection's tokens holds."""
    return f"tokens {org_id} {source}"


def stored_connections(connection: psycopg.Connection, org_ids: Iterable[int]) -> dict[int, dict[str, Settings]]:
    """Settings by org_id and source, references unresolved."""
    rows = connection.execute(
        "select org_id, jsonb_object_agg(source, settings) from ops.connections where org_id = any(%s) group by org_id",
        [list(org_ids)],
    )
    return dict(rows.fetchall())


def forget_tokens(
    connection: psycopg.Connection,
    slug: str,
    org_id: int,
    before: Mapping[str, Settings],
    after: Mapping[str, Settings],
) -> None:
    """Remove the tokens of connections that end or lead elsewhere, in the caller's transaction and before its writes.

    A refresh that is under way is waited for: it would store its tokens after these are gone.
    """
    for source in sorted(before):
        if source in after and accounts.same_account(source, before[source], after[source]):
            continue
        locks.hold(
            connection,
            tokens_lock(org_id, source),
            what=f"tokens of {slug} / {source}",
            wait_seconds=TOKENS_WAIT_SECONDS,
        )
        connection.execute("delete from ops.oauth_tokens where org_id = %s and source = %s", [org_id, source])


def write_connection(
    connection: psycopg.Connection, slug: str, org_id: int, source: str, before: Settings | None, after: Settings
) -> BegunAnew | None:
    """Store a connection whose settings changed (``before`` None: there was none).

    The next read of what was read before is whole where the account is, or may be, another: also of a connection that
    had been taken away, because nothing tells any more where that led.
    """
    connection.execute(
        """
        insert into ops.connections (org_id, source, settings) values (%s, %s, %s)
        on conflict (org_id, source) do update set settings = excluded.settings, updated_at = now()
        """,
        [org_id, source, Jsonb(dict(after))],
    )
    if before is not None and accounts.same_account(source, before, after):
        return None
    # What another account's days bring is compared with nothing.
    connection.execute("delete from ops.quality_reads where org_id = %s and source = %s", [org_id, source])
    # Without a run, the state is nobody's; when the old account's rows were read remains true.
    rows = connection.execute(
        """
        update ops.watermarks set state = '{}', run_id = null where org_id = %s and source = %s
        returning stream
        """,
        [org_id, source],
    ).fetchall()
    return BegunAnew(slug, source, tuple(sorted(stream for (stream,) in rows))) if rows else None


def refuse_if_moved(connection: psycopg.Connection, org_id: int, source: str, settings: Settings) -> None:
    """Raise TransientError where the connection leads to another account than ``settings``, which were read with.

    Otherwise it leads there until the caller's transaction ends. Waits for nobody: who changes a connection waits for
    what a load holds.
    """
    key = [org_id, source]
    one = "select settings from ops.connections where org_id = %s and source = %s"
    row = connection.execute(f"{one} for share skip locked", key).fetchone()
    if row is None and connection.execute(one, key).fetchone() is None:
        return  # taken away: whatever comes in its place begins anew
    if row is None or (row[0] != settings and not accounts.same_account(source, settings, row[0])):
        raise TransientError(
            "the connection was changed while it was read, maybe to another account: nothing landed",
            hint="run the sync again",
        )
