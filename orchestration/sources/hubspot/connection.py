"""What organizations.yml says of a HubSpot connection."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator

from orchestration.sources.core.connection import ConnectionSettings, SecretReference, ServiceUrl
from orchestration.sources.hubspot.streams import STREAMS

HUBSPOT_URL = "https://api.hubapi.com"


def _stream(name: str) -> str:
    known = [stream.name for stream in STREAMS]
    if name not in known:
        raise ValueError(f"is no stream of HubSpot (known: {', '.join(known)})")
    return name


class HubSpotConnection(ConnectionSettings):
    """One portal, by the token of a private app."""

    account_fields: ClassVar[tuple[str, ...]] = ("base_url", "access_token")

    access_token: SecretReference
    base_url: ServiceUrl = HUBSPOT_URL
    skip_streams: tuple[Annotated[str, AfterValidator(_stream)], ...] = ()
    """Streams not to be read, such as those that the portal's plan has no longer; their rows stay as they are."""
