"""Extractors: plain Python, one folder a source, on one shared core."""

from __future__ import annotations

from orchestration.sources.azure_sql.source import AZURE_SQL
from orchestration.sources.core.connection import ConnectionSettings
from orchestration.sources.core.source import Source
from orchestration.sources.ga4.source import GA4
from orchestration.sources.hubspot.source import HUBSPOT
from orchestration.sources.quickbooks.source import QUICKBOOKS
from orchestration.sources.softbase.source import SOFTBASE
from orchestration.sources.zoom.source import ZOOM

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        QUICKBOOKS,
        HUBSPOT,
        ZOOM,
        SOFTBASE,
        AZURE_SQL,
        GA4,
    )
}


def connection_models() -> dict[str, type[ConnectionSettings]]:
    """The settings each source takes in organizations.yml, by the source's name."""
    return {name: source.connection_model for name, source in SOURCES.items()}
