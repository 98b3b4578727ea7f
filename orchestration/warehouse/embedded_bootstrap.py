"""What a superuser has to prepare once in a new server, so that everything after it needs none."""

from __future__ import annotations

import psycopg
from psycopg import sql

from orchestration.warehouse.role_rights import HARMFUL_FUNCTIONS

BUILDER = "aiop_builder"
DATABASE = "aiop"
# From this version on, sessions can be kept for some roles.
RESERVING = 160000


def bootstrap(server: psycopg.Connection, password: str) -> None:
    """Create the builder role and its database, as far as missing. ``server``: superuser, autocommit, any database."""
    exists = server.execute("select 1 from pg_roles where rolname = %s", (BUILDER,)).fetchone()
    # Hashed here: the statement itself never holds the password.
    verifier = server.pgconn.encrypt_password(password.encode(), BUILDER.encode(), b"scram-sha-256").decode()
    server.execute(
        sql.SQL("{} role {} with login createrole nosuperuser nocreatedb noreplication nobypassrls password {}").format(
            sql.SQL("alter" if exists else "create"), sql.Identifier(BUILDER), sql.Literal(verifier)
        )
    )
    # A tripwire: where a policy would filter the builder's rows, the statement fails instead of seeing fewer.
    server.execute(sql.SQL("alter role {} set row_security = off").format(sql.Identifier(BUILDER)))
    server.execute(sql.SQL("alter role {} set timezone = 'UTC'").format(sql.Identifier(BUILDER)))
    # So that it can limit what the logins it makes may write: see roles.LIMITS.
    server.execute(
        sql.SQL("grant set on parameter log_min_messages, temp_file_limit to {}").format(sql.Identifier(BUILDER))
    )
    if server.info.server_version >= RESERVING:
        server.execute(sql.SQL("grant pg_use_reserved_connections to {}").format(sql.Identifier(BUILDER)))
    for shared in ("postgres", "template1"):
        _close(server, shared)
    create_database(server, DATABASE)


def create_database(server: psycopg.Connection, name: str, *, template: str = "template1") -> None:
    """Create database ``name`` of the builder, unless it is there, closed to everyone who is not let in by name."""
    if not server.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
        server.execute(
            sql.SQL("create database {} owner {} template {}").format(
                sql.Identifier(name), sql.Identifier(BUILDER), sql.Identifier(template)
            )
        )
    _close(server, name)  # a database's own privileges are not copied from its template


def harden(database: psycopg.Connection) -> None:
    """Take the functions a tenant could do harm with from PUBLIC. ``database``: superuser, in the database meant."""
    harmful = f"select p.oid::regprocedure::text from pg_catalog.pg_proc as p where {HARMFUL_FUNCTIONS}"  # noqa: S608
    for (function,) in database.execute(harmful).fetchall():
        # The names come from the catalog, quoted by it.
        database.execute(f"revoke execute on function {function} from public")
        database.execute(f"grant execute on function {function} to {BUILDER}")


def _close(server: psycopg.Connection, name: str) -> None:
    server.execute(sql.SQL("revoke connect, temporary on database {} from public").format(sql.Identifier(name)))
