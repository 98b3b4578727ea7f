"""Connections to the warehouse, wherever it is: a server of the user's (``DATABASE_URL``) or the embedded one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from psycopg import conninfo

from orchestration.errors import DatabaseError, UsageError
from orchestration.logs import register_secret
from orchestration.settings import load_settings
from orchestration.warehouse.database_errors import explain_connecting
from orchestration.warehouse.embedded import EmbeddedPostgres

# MERGE and security_invoker views: the first for the loader's convenience, the second for keeping tenants apart.
MINIMUM_VERSION = 150000
# Whoever waits for a structure to change holds up everybody who comes after: a tenant's open transaction must not make
# that wait endless.
LOCK_TIMEOUT = "60s"

_checked: set[str] = set()


def database_url() -> str:
    """URL of the warehouse for the role that builds it, with its password; starts the embedded server if needed."""
    given = load_settings().database_url
    if given is not None:
        return _normalised(given)
    server = embedded_server()
    server.start()
    return server.builder_url()


def embedded_server() -> EmbeddedPostgres:
    """The embedded server of this home, as it is; an error where ``DATABASE_URL`` names another one."""
    settings = load_settings()
    if settings.database_url is not None:
        raise UsageError(
            "DATABASE_URL is set: that server is used, and there is no embedded one to act on",
            hint="unset DATABASE_URL to use the embedded server",
        )
    return EmbeddedPostgres(settings.home)


def connect(
    *,
    autocommit: bool = False,
    application_name: str = "aiop",
    lock_timeout: str = LOCK_TIMEOUT,
    settings: Mapping[str, str] | None = None,
    **arguments: Any,
) -> psycopg.Connection:
    """Connect as the builder. ``arguments`` go to :func:`psycopg.connect`; a failure is a :class:`DatabaseError`.

    The session runs in UTC and with ``row_security = off``: a policy that would hide rows from the builder makes a
    statement fail instead. ``lock_timeout`` bounds how long one statement waits for others' locks; ``settings`` are
    further ones of the session.
    """
    url = database_url()
    options = {"row_security": "off", "timezone": "UTC", "lock_timeout": lock_timeout, **(settings or {})}
    return _connect(url, options, autocommit=autocommit, application_name=application_name, **arguments)


def describe(url: str) -> str:
    """``user@host:port/database`` of a URL, for messages: without its password."""
    parts = conninfo.conninfo_to_dict(url)
    host = parts.get("host") or "localhost"
    return f"{parts.get('user') or ''}@{host}:{parts.get('port') or 5432}/{parts.get('dbname') or ''}"


def _connect(url: str, settings: dict[str, str], **arguments: Any) -> psycopg.Connection:
    own = " ".join(f"-c {name}={value}" for name, value in settings.items())
    given = conninfo.conninfo_to_dict(url).get("options")
    arguments.setdefault("connect_timeout", 15)
    try:
        connection = psycopg.connect(url, options=f"{given} {own}" if given else own, **arguments)
    except psycopg.Error as error:
        raise explain_connecting(error, describe(url)) from error
    if url not in _checked:
        try:
            _check(connection, url)
        except BaseException:
            connection.close()
            raise
        _checked.add(url)
    return connection


def _check(connection: psycopg.Connection, url: str) -> None:
    version = connection.info.server_version
    if version < MINIMUM_VERSION:
        raise DatabaseError(
            f"{describe(url)}: the server is Postgres {version // 10000}, and "
            f"{MINIMUM_VERSION // 10000} or newer is needed",
            hint="upgrade it, name another one in DATABASE_URL, or unset DATABASE_URL to use the embedded Postgres",
        )


def _normalised(url: str) -> str:
    """``url`` in the form every client understands, its password registered as a secret."""
    problem = UsageError(
        "DATABASE_URL can't be read",
        hint="it must look like postgresql://user:password@host:5432/database, "
        "with special characters of the password percent-encoded (@ is %40)",
    )
    # SQLAlchemy's way of naming the driver, and an older name of the scheme.
    url = re.sub(r"\Apostgres(ql)?(\+\w+)?://", "postgresql://", url.strip())
    if not url.startswith("postgresql://"):
        raise problem
    try:
        parts = conninfo.conninfo_to_dict(url)
        split = urlsplit(url)
    except (ValueError, psycopg.ProgrammingError):
        # Their messages quote parts of the URL, which may be parts of the password.
        raise problem from None
    password = str(parts.get("password") or "")
    if password:
        register_secret(password)
        register_secret(split.password or "")
    # libpq makes sense of some unencoded characters, others (dbt, SQLAlchemy, a person's eye) read something else.
    elsewhere = unquote(split.password or "") or parse_qs(split.query).get("password", [""])[0]
    if password != elsewhere or not re.fullmatch(r"[\d,]*", str(parts.get("port") or "")):
        raise problem
    return url
