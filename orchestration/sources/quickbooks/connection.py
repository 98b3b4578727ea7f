"""What organizations.yml says of a QuickBooks Online connection."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from orchestration.sources.core.connection import ConnectionSettings, SecretReference, ServiceUrl, Text, known_stream
from orchestration.sources.quickbooks.streams import STREAMS

PRODUCTION_URL = "https://quickbooks.api.intuit.com"
SANDBOX_URL = "https://sandbox-quickbooks.api.intuit.com"
TOKEN_URL = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105


class QuickBooksConnection(ConnectionSettings):
    """One company (realm). Without ``accounting_method``, reports use the basis the company itself prefers."""

    account_fields: ClassVar[tuple[str, ...]] = ("base_url", "realm_id")

    realm_id: Text
    client_id: Text
    client_secret: SecretReference
    refresh_token: SecretReference
    start_date: date
    """First month of reports; its first day is used, so that every month read is whole."""
    accounting_method: Literal["Accrual", "Cash"] | None = None
    base_url: ServiceUrl = PRODUCTION_URL
    token_url: ServiceUrl = TOKEN_URL
    skip_streams: tuple[Annotated[str, known_stream("QuickBooks", STREAMS)], ...] = ()
    """Streams not to be read, such as those that the company's plan does not have; their rows stay as they are."""
