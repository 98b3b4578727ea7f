"""How many sessions the server has for the warehouse's role, and whether what is planned fits."""

from __future__ import annotations

import psycopg

from orchestration.errors import UsageError

# The server's own, less what only others may use, the role's and the database's; -1 is no limit of theirs. Whoever is
# connected besides takes from the same.
_LIMITS = """
select 'max_connections', current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - case
        when exists (
            select from pg_roles where rolname = 'pg_use_reserved_connections' and pg_has_role(oid, 'usage')
        ) then 0
        else coalesce(current_setting('reserved_connections', true)::int, 0)
    end
union all
select 'the connection limit of the role', rolconnlimit from pg_roles where rolname = current_user and rolconnlimit >= 0
union all
select 'the connection limit of the database', datconnlimit
from pg_database where datname = current_database() and datconnlimit >= 0
order by 2
limit 1
"""


def require_sessions(connection: psycopg.Connection, wanted: int) -> None:
    """Raise UsageError where the server could never hold so many sessions of this role beside the one that asks."""
    row = connection.execute(_LIMITS).fetchone()
    assert row is not None
    name, limit = row
    if wanted >= limit:
        raise UsageError(
            f"Reading so many organizations at a time takes {wanted} sessions of the database: {name} leaves {limit}.",
            hint="lower AIOP_SYNC_WORKERS (or --workers; each takes two), or raise the limit.",
        )
