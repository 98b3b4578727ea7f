"""HubSpot as a source."""

from __future__ import annotations

from orchestration.sources.core.source import Source
from orchestration.sources.hubspot.connection import HubSpotConnection
from orchestration.sources.hubspot.session import open_portal
from orchestration.sources.hubspot.streams import STREAMS

# Who won follows from the stages of the deals' pipelines: those of another night are another night's rules.
HUBSPOT = Source("hubspot", STREAMS, HubSpotConnection, open_portal, beside={"deals": ("pipelines",)})
