"""The suites by source; a stream without one of its own is held to what every landed record must be."""

from __future__ import annotations

from orchestration.errors import UsageError
from orchestration.quality import azure_sql, ga4, hubspot, quickbooks, softbase, zoom
from orchestration.quality.expectations import EVERY_RECORD, Suite
from orchestration.sources import SOURCES

_OWN = {
    (suite.source, suite.stream): suite
    for module in (azure_sql, ga4, hubspot, quickbooks, softbase, zoom)
    for suite in module.SUITES
}


def suites(source: str) -> list[Suite]:
    """One suite for each stream of the source, in the streams' order. UsageError for an unknown source."""
    if source not in SOURCES:
        raise UsageError(f"no source is named {source!r}", hint=f"sources: {', '.join(sorted(SOURCES))}")
    return [
        _OWN.get((source, stream.name)) or Suite(source, stream.name, EVERY_RECORD)
        for stream in SOURCES[source].streams
    ]
