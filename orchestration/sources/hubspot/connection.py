"""What organizations.yml says of a HubSpot connection."""

from __future__ import annotations

from typing import Annotated, ClassVar

from orchestration.sources.core.connection import ConnectionSettings, SecretReference, ServiceUrl, known_stream
from orchestration.sources.hubspot.streams import STREAMS

HUBSPOT_URL = "https://api.hubapi.com"


class HubSpotConnection(ConnectionSettings):
    """One portal, by the token of a private app."""

    account_fields: ClassVar[tuple[str, ...]] = ("base_url", "access_token")

    access_token: SecretReference
    base_url: ServiceUrl = HUBSPOT_URL
    skip_streams: tuple[Annotated[str, known_stream("HubSpot", STREAMS)], ...] = ()
    """Streams not to be read, such as those that the portal's plan has no longer; their rows stay as they are."""
