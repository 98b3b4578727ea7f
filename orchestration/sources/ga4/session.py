"""An open GA4 export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.errors import PermanentError
from orchestration.logs import register_secret
from orchestration.sources.core.auth import inspect_token_reply
from orchestration.sources.core.http import HttpClient
from orchestration.sources.core.records import Extract, Record, RequestStats, Stream, TokenStore
from orchestration.sources.core.retry import RetryPolicy
from orchestration.sources.core.source import attributed
from orchestration.sources.ga4.auth import ServiceAccount, read_key
from orchestration.sources.ga4.bigquery import BigQuery
from orchestration.sources.ga4.connection import Ga4Connection
from orchestration.sources.ga4.reading import Export, Reader
from orchestration.sources.ga4.streams import DAYS, SESSIONS

RETRY = RetryPolicy()
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


@contextmanager
def open_property(
    connection: dict[str, Any], *, organization: str, timezone: str, token_store: TokenStore | None = None
) -> Iterator[Property]:
    """Open one property's export; see ``core.source.Opener``. No request is made before something is read."""
    stats = RequestStats()
    with ExitStack() as stack:
        with attributed("ga4", organization):
            settings = Ga4Connection.resolved(connection)
            register_secret(settings.user_key)
            auth = _service_account(settings, stats, stack)
        bigquery = BigQuery(settings, stats, RETRY)
        bigquery.client = stack.enter_context(
            HttpClient(inspect=bigquery.inspect, auth=auth, limiter=bigquery.limiter, policy=RETRY, stats=stats)
        )
        zone = ZoneInfo(settings.property_timezone or timezone)
        yield Property(Export(bigquery, zone), organization, stats)


def _service_account(settings: Ga4Connection, stats: RequestStats, stack: ExitStack) -> ServiceAccount | None:
    if not settings.service_account:
        return None
    key = read_key(settings.service_account)
    client = stack.enter_context(HttpClient(inspect=inspect_token_reply, policy=RETRY, stats=stats))
    return ServiceAccount(client, key, settings.token_url or str(key.get("token_uri") or TOKEN_URL))


@dataclass
class Property:
    """A ``records.Session`` on one property's export. For one thread; requests go out one after the other."""

    export: Export
    organization: str
    stats: RequestStats

    def read(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        """See ``records.Session``. A ``window`` reads its dates again, changed or not."""
        reader = Reader(self.export, self.organization, state or {}, window)
        if stream.name == DAYS.name:
            extract = reader.days()
        elif stream.name == SESSIONS.name:
            extract = reader.sessions()
        else:
            raise PermanentError(f"{stream.name} is not a stream of GA4")
        extract.records = self._lazily(stream, extract.records)
        return extract

    def attributed(self, stream: Stream | None = None) -> AbstractContextManager[None]:
        """Errors that pass say whose they are."""
        return attributed("ga4", self.organization, stream)

    def _lazily(self, stream: Stream, records: Iterable[Record]) -> Iterator[Record]:
        with self.attributed(stream):
            yield from records
