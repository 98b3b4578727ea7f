"""What organizations.yml says of a case database."""

from __future__ import annotations

from typing import ClassVar

from orchestration.sources.core.connection import ConnectionSettings, Text
from orchestration.sources.core.sql_url import DatabaseUrl


class AzureSqlConnection(ConnectionSettings):
    """One database, by a login that may do nothing but read."""

    account_fields: ClassVar[tuple[str, ...]] = ("url", "database_schema")

    url: DatabaseUrl
    database_schema: Text | None = None
    """Where the table stands; without it, the login's default schema (``dbo``, as a rule)."""
