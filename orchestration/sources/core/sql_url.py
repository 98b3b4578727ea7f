"""Where a source database is: its URL as a setting, and an engine that can only read there."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote, quote_plus

from pydantic import AfterValidator, Field, ValidationInfo
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from orchestration.errors import ConfigurationError, PermanentError
from orchestration.logs import register_secret
from orchestration.sources.core.connection import is_reference

LOGIN_SECONDS = 30
APPLICATION = "aiop"
_FORM = "mssql+pymssql://user:password@host:1433/database"
_READING = ("select", "with")


def _database_url(value: str, info: ValidationInfo) -> str:
    resolved = bool(info.context and info.context.get("resolved"))
    value = value.strip()
    if not resolved:
        if not is_reference(value):
            raise ValueError("must be a reference such as env:NAME: a database's URL holds a password")
        return value
    if not value:
        raise ValueError("is empty")
    try:
        url = make_url(value)
        url.get_dialect()
    except (ArgumentError, ValueError):
        raise ValueError(
            f"is not a database's URL; it looks like {_FORM}, special characters of the password percent-encoded"
        ) from None
    except (NoSuchModuleError, ImportError):
        raise ValueError(f"names a kind of database that is not known here; it looks like {_FORM}") from None
    return value


DatabaseUrl = Annotated[str, Field(repr=False), AfterValidator(_database_url)]
"""A database's SQLAlchemy URL. A credential as a whole: only a reference is accepted in the file."""


def parsed(text: str) -> URL:
    """The URL, its password and itself registered as secrets. ``mssql://`` means the driver that is installed."""
    register_secret(text)
    url = make_url(text)
    password = str(url.password or "")
    for form in (password, quote(password, safe=""), quote_plus(password)):
        register_secret(form)
    if url.drivername == "mssql":
        url = url.set(drivername="mssql+pymssql")
    return url


def read_only_engine(url: URL, *, statement_seconds: float) -> Engine:
    """An engine of single connections, none of which can write; no connection is made yet.

    SQL Server: encrypted, ``ApplicationIntent=ReadOnly``. Postgres: ``default_transaction_read_only``. Everywhere:
    what is no query is refused before it is sent, and nothing is ever committed.

    Raises ConfigurationError where the driver is missing or the URL asks for what is not safe.
    """
    backend, driver = url.get_backend_name(), url.get_driver_name()
    arguments: Mapping[str, Any] = {}
    if backend == "mssql":
        url, arguments = _sql_server(url, driver, statement_seconds)
    elif backend == "postgresql":
        arguments = _postgres(url, statement_seconds)
    try:
        engine = create_engine(
            url, poolclass=NullPool, pool_logging_name=APPLICATION, hide_parameters=True, connect_args=dict(arguments)
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise ConfigurationError(
            f"the database driver {driver} is not installed here", hint=f"use a URL such as {_FORM}."
        ) from None
    # What breaks is told once, by who asked; not again by the pool, for the cursor that broke with it.
    logging.getLogger(f"sqlalchemy.pool.impl.NullPool.{APPLICATION}").setLevel(logging.CRITICAL)
    event.listen(engine, "before_cursor_execute", _refuse_writes)
    return engine


def _sql_server(url: URL, driver: str, statement_seconds: float) -> tuple[URL, Mapping[str, Any]]:
    query = dict(url.query)
    if driver == "pymssql":
        # The login's timeout bounds connecting, the other one how long not a byte may come.
        encryption = query.pop("encryption", "require")
        _require_encryption(url, str(encryption) == "require")
        return url.set(query=query), {
            "login_timeout": LOGIN_SECONDS,
            "timeout": max(1, round(statement_seconds)),
            "encryption": encryption,
            "read_only": True,
            "appname": APPLICATION,
            "tds_version": "7.4",
        }
    if "odbc_connect" in query:
        raise ConfigurationError(
            "the database's URL hides its settings in odbc_connect",
            hint="write them as mssql+pyodbc://user:password@host:1433/database?driver=ODBC+Driver+18+for+SQL+Server.",
        )
    named = {name.lower(): str(value).lower() for name, value in query.items()}
    _require_encryption(url, named.get("encrypt", "yes") in ("yes", "true", "mandatory", "strict"))
    kept = {name: value for name, value in query.items() if name.lower() != "applicationintent"}
    if "encrypt" not in named:
        kept["Encrypt"] = "yes"
    kept["ApplicationIntent"] = "ReadOnly"
    return url.set(query=kept), {"timeout": LOGIN_SECONDS}


def _require_encryption(url: URL, encrypted: bool) -> None:
    if not encrypted and not _is_this_machine(url.host or ""):
        raise ConfigurationError(
            "the database's URL switches encryption off: password and data would cross the network in clear",
            hint="take the setting (encryption, Encrypt) out of the URL.",
        )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


def _postgres(url: URL, statement_seconds: float) -> Mapping[str, Any]:
    settings = {
        "default_transaction_read_only": "on",
        "statement_timeout": max(1, round(statement_seconds * 1000)),
        "idle_in_transaction_session_timeout": 0,
        "timezone": "UTC",
    }
    given = url.query.get("options", "")
    own = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return {
        "connect_timeout": LOGIN_SECONDS,
        "application_name": APPLICATION,
        "options": f"{given if isinstance(given, str) else ' '.join(given)} {own}".strip(),
    }


def _refuse_writes(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    if not statement.lstrip().lower().startswith(_READING):
        raise PermanentError(f"a source database is only read: refused to send {statement.split()[0][:20]}")
