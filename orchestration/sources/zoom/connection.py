"""What organizations.yml says of a Zoom connection."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from orchestration.sources.core.connection import ConnectionSettings, SecretReference, ServiceUrl, Text, known_stream
from orchestration.sources.zoom.limits import Plan
from orchestration.sources.zoom.streams import STREAMS

ZOOM_URL = "https://api.zoom.us"
TOKEN_URL = "https://zoom.us/oauth/token"  # noqa: S105 - an address


def _without_version(url: str) -> str:
    return url.removesuffix("/v2")


class ZoomConnection(ConnectionSettings):
    """One account, by the credentials of a server-to-server OAuth app."""

    account_fields: ClassVar[tuple[str, ...]] = ("base_url", "account_id")

    account_id: Text
    client_id: Text
    client_secret: SecretReference
    base_url: Annotated[ServiceUrl, AfterValidator(_without_version)] = ZOOM_URL
    token_url: ServiceUrl = TOKEN_URL
    plan: Plan = "pro"
    """Decides how fast may be asked: limits are the account's, whoever asks."""
    start_date: date | None = None
    """Nothing before it is read; None: as far back as Zoom keeps it, which is six months."""
    participants_per_run: Annotated[int, Field(ge=0)] = 5000
    """Meetings whose participants one run asks for, one request each; what is left is for the runs after it."""
    skip_streams: tuple[Annotated[str, known_stream("Zoom", STREAMS)], ...] = ()
    """Streams not to be read, such as those that the account's plan has no longer; their rows stay as they are."""
