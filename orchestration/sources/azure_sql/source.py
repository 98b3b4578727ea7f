"""The case database as a source."""

from __future__ import annotations

from orchestration.sources.azure_sql.connection import AzureSqlConnection
from orchestration.sources.azure_sql.session import open_cases
from orchestration.sources.azure_sql.streams import STREAMS
from orchestration.sources.core.source import Source

AZURE_SQL = Source("azure_sql", STREAMS, AzureSqlConnection, open_cases)
