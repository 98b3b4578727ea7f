"""HubSpot as a source."""

from __future__ import annotations

from orchestration.sources.core.source import Source
from orchestration.sources.hubspot.connection import HubSpotConnection
from orchestration.sources.hubspot.session import open_portal
from orchestration.sources.hubspot.streams import STREAMS

HUBSPOT = Source("hubspot", STREAMS, HubSpotConnection, open_portal)
