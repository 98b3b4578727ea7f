"""Brings the ``ops`` schema, the tenancy functions and the roles of a database to the present version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import conninfo, errors
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from orchestration.errors import DatabaseError
from orchestration.warehouse import roles
from orchestration.warehouse.database import LOCK_TIMEOUT
from orchestration.warehouse.database_errors import database_errors, explain

_SCRIPTS = Path(__file__).parent / "migrations"

# What two first upgrades of one database at the same moment run into.
_CREATED_BY_ANOTHER = (errors.UniqueViolation, errors.DuplicateSchema, errors.DuplicateTable)


def upgrade(target: psycopg.Connection | str) -> None:
    """Migrate to the newest version and bring roles and their rights in order; does nothing where all is so.

    Also of a database that was restored on a server without its roles: what they may read is granted again.

    ``target`` is a URL or an open connection, of which only the address is used: the work happens in a connection
    and transactions of its own. Safe to run from several processes at once.

    Raises ``roles.AdministratorNeeded`` (a DatabaseError) when the role lacks rights: its ``sql`` is what an
    administrator has to run; and DatabaseError, with nothing of the migration done, where one of its statements waited
    for longer than ``lock_timeout``.
    """
    with _database_errors():
        with _connect(target, autocommit=True) as connection:
            roles.require_rights(connection)
            roles.ensure_group_roles(connection)
            _ensure_version_table(connection)
        _migrate(target)
        with _connect(target, autocommit=True) as connection:
            roles.ensure_tenant_roles(connection)


def _migrate(target: psycopg.Connection | str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: _connect(target), poolclass=NullPool)
    try:
        with engine.connect() as sqlalchemy_connection:
            config = _config()
            config.attributes["connection"] = sqlalchemy_connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


@contextmanager
def _database_errors() -> Iterator[None]:
    """As ``database_errors``, also for errors that SQLAlchemy wraps."""
    try:
        with database_errors():
            yield
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise explain(error.orig) from error
        raise


def current(target: psycopg.Connection | str) -> str | None:
    """The version a database is at; None where it was never migrated."""
    if isinstance(target, psycopg.Connection):
        return _version(target)
    with _connect(target) as connection:
        return _version(connection)


def head() -> str:
    """The newest version there is."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None
    return newest


def require_current(connection: psycopg.Connection) -> None:
    """Raise DatabaseError unless the database is at the newest version."""
    found = current(connection)
    if found != head():
        state = "was never set up" if found is None else f"is at version {found}, this program needs {head()}"
        raise DatabaseError(f"The warehouse database {state}.", hint="Run `aiop db init`.")


def _version(connection: psycopg.Connection) -> str | None:
    row = connection.execute("select to_regclass('ops.alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    row = connection.execute("select version_num from ops.alembic_version").fetchone()
    return row[0] if row else None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


def _ensure_version_table(connection: psycopg.Connection) -> None:
    """Make Alembic's version table before Alembic runs: it is what upgrades at once lock and wait for."""
    for _ in range(3):
        try:
            with connection.transaction():
                connection.execute("create schema if not exists ops")
                connection.execute(
                    "create table if not exists ops.alembic_version "
                    "(version_num varchar(32) constraint alembic_version_pkc primary key)"
                )
            return
        except _CREATED_BY_ANOTHER:
            continue
    raise DatabaseError("The schema ops could not be created.", hint="Run `aiop db init` again.")


def _connect(target: psycopg.Connection | str, *, autocommit: bool = False) -> psycopg.Connection:
    if isinstance(target, str):
        address, parameters = target, dict[str, Any]()
    else:
        address, parameters = "", {**target.info.get_parameters(), "password": target.info.password}
    parameters["application_name"] = "aiop migrate"
    given = parameters.get("options") or conninfo.conninfo_to_dict(address).get("options") or ""
    # What is given comes last, and holds.
    parameters["options"] = f"-c lock_timeout={LOCK_TIMEOUT} {given}".strip()
    return psycopg.connect(address, autocommit=autocommit, **parameters)
