"""Removes an organization from the database: every row of every table, its logins, and what statistics tell of it.

One transaction: a crash leaves all of it or none. What is left of it afterwards is a record without anything about it
(``ops.erased_organizations``), which keeps it from coming back. docs/operations.md says what else is removed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import errors, sql
from psycopg.types.json import Jsonb

from orchestration.errors import DatabaseError
from orchestration.warehouse.organizations import Organization

# A load that merges rows of the organization holds them until it gives way; others' migrations may take longer.
_LOCK_TIMEOUT = "10min"

# Landed rows first: a load in between finds the tables of ops as they were until it comes to its own row there.
_TABLES = """
select t.relation::text, n.nspname, c.relname, t.tenant_column, t.by_uuid
from ops.tenant_tables() as t
inner join pg_class as c on c.oid = t.relation
inner join pg_namespace as n on n.oid = c.relnamespace
where t.relation <> 'ops.organizations'::regclass
order by n.nspname = 'ops', n.nspname, c.relname
"""


@dataclass
class Removal:
    """What an erasure removed from the database. ``rows``: by table, only those that had any."""

    rows: dict[str, int] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)


def remove_organization(
    connection: psycopg.Connection, organization: Organization, *, before_commit: Callable[[], None] = lambda: None
) -> Removal:
    """Remove ``organization`` and record that it was. Part of the caller's transaction where there is one.

    Tables are found in the catalog (``ops.tenant_tables``). Loads of it that run meanwhile fail and undo what they had
    landed. ``before_commit`` runs as the last thing of the transaction.
    """
    removal = Removal()
    with connection.transaction():
        connection.execute("select set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
        # From here on nothing lands for it; what is past its own check commits first (migration 0002).
        connection.execute("select from ops.organizations where id = %s for update", [organization.id])
        removal.roles = _drop_roles(connection, organization.id)
        for name, schema, table, column, by_uuid in connection.execute(_TABLES).fetchall():
            statement = sql.SQL("delete from {} where {} = %s").format(
                sql.Identifier(schema, table), sql.Identifier(column)
            )
            key = organization.organization_id if by_uuid else organization.id
            removed = connection.execute(statement, [key]).rowcount
            if removed:
                removal.rows[name] = removed
        connection.execute("delete from ops.organizations where id = %s", [organization.id])
        removal.rows["ops.organizations"] = 1
        connection.execute(
            """
            insert into ops.erased_organizations (id, slug_hash, organization_id, rows_removed)
            values (%s, ops.slug_hash(%s), %s, %s)
            """,
            [organization.id, organization.slug, organization.organization_id, Jsonb(removal.rows)],
        )
        before_commit()
    return removal


def forget_statistics(connection: psycopg.Connection, tables: Iterable[str]) -> None:
    """Free the space of rows removed from ``tables``, and have the planner's statistics hold none of their values.

    ``tables`` are names as the catalog prints them. Needs a connection in autocommit mode. Published tables keep no
    statistics at all.
    """
    for name in tables:
        table = sql.SQL(name)
        if connection.execute("select to_regclass(%s)", [name]).fetchone() == (None,):
            continue
        connection.execute(sql.SQL("vacuum (analyze) {}").format(table))
        # Of an empty table, ANALYZE keeps what it knew before.
        if not connection.execute(sql.SQL("select from {} limit 1").format(table)).rowcount:
            _clear_statistics(connection, name)


def _clear_statistics(connection: psycopg.Connection, name: str) -> None:
    columns = connection.execute(
        """
        select s.schemaname::text, s.tablename::text, s.attname::text, s.inherited, format_type(a.atttypid, a.atttypmod)
        from pg_class as c
        inner join pg_stats as s on s.schemaname = c.relnamespace::regnamespace::text and s.tablename = c.relname
        inner join pg_attribute as a on a.attrelid = c.oid and a.attname = s.attname
        where c.oid = %s::regclass
        """,
        [name],
    ).fetchall()
    for schema, table, column, inherited, type_name in columns:
        if connection.info.server_version >= 180000:
            connection.execute("select pg_clear_attribute_stats(%s, %s, %s, %s)", [schema, table, column, inherited])
            continue
        # Before, only a change of type drops them, also a change to the type it is; not of a column that a view reads.
        with suppress(errors.FeatureNotSupported):
            connection.execute(
                sql.SQL("alter table {} alter column {} type {}").format(
                    sql.Identifier(schema, table), sql.Identifier(column), sql.SQL(type_name)
                )
            )


def _drop_roles(connection: psycopg.Connection, org_id: int) -> list[str]:
    rows = connection.execute("select role_name from ops.tenant_roles where org_id = %s", [org_id]).fetchall()
    names = [name for (name,) in rows]
    connection.execute("delete from ops.role_secrets where role_name = any(%s)", [names])
    for name in names:
        if connection.execute("select from pg_roles where rolname = %s", [name]).rowcount:
            _drop_role(connection, name)
    return names


def _drop_role(connection: psycopg.Connection, name: str) -> None:
    """Drop a login with what it may have left behind without owning a table: default privileges, large objects."""
    role = sql.Identifier(name)
    # Who may end a role's sessions and drop what it has is who has its rights; the grant goes with the role.
    with suppress(errors.InsufficientPrivilege), connection.transaction():
        connection.execute(sql.SQL("grant {} to current_user").format(role))
    _end_sessions(connection, name)
    try:
        # Nothing of others hangs on it: a tenant's rights are its group's, and no policy names it.
        connection.execute(sql.SQL("drop owned by {}").format(role))
        connection.execute(sql.SQL("drop role {}").format(role))
    except (errors.DependentObjectsStillExist, errors.InsufficientPrivilege) as error:
        raise DatabaseError(
            f"the login {name} can't be dropped: {_where(error)}; no row was removed",
            hint=f"as an administrator, in each database that is named (in this one, if none is): "
            f'drop owned by "{name}"; then erase again',
        ) from error


def _where(error: psycopg.Error) -> str:
    """What depends on a role, as the server lists it: databases by name, objects of this one one by one."""
    return "; ".join((error.diag.message_detail or str(error)).splitlines())


def _end_sessions(connection: psycopg.Connection, role: str) -> None:
    """End the login's open sessions, where the server lets us; without its organization they read nothing anyway."""
    with suppress(errors.InsufficientPrivilege), connection.transaction():
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [role])
