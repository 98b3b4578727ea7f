"""An open HubSpot portal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.errors import ConfigurationError, PermanentError
from orchestration.logs import register_secret
from orchestration.sources.core.auth import Bearer
from orchestration.sources.core.http import HttpClient
from orchestration.sources.core.records import Extract, Record, RequestStats, Stream, TokenStore, skipped
from orchestration.sources.core.retry import RetryPolicy
from orchestration.sources.core.source import attributed
from orchestration.sources.hubspot.api import PortalApi
from orchestration.sources.hubspot.connection import HubSpotConnection
from orchestration.sources.hubspot.directories import read_owners, read_pipelines
from orchestration.sources.hubspot.faults import Forbidden
from orchestration.sources.hubspot.objects import ObjectReader
from orchestration.sources.hubspot.streams import STREAMS, ObjectStream, OwnerStream, PipelineStream

RETRY = RetryPolicy()


@contextmanager
def open_portal(
    connection: dict[str, Any], *, organization: str, timezone: str, token_store: TokenStore | None = None
) -> Iterator[Portal]:
    """Open one portal; see ``core.source.Opener``. No request is made before something is read."""
    with attributed("hubspot", organization):
        settings = HubSpotConnection.resolved(connection)
    register_secret(settings.access_token)
    stats = RequestStats()
    api = PortalApi(settings.base_url, ZoneInfo(timezone))
    client = HttpClient(
        inspect=api.inspect,
        auth=Bearer(settings.access_token),
        limiter=api.limiter,
        policy=RETRY,
        stats=stats,
        headers={"Accept": "application/json"},
    )
    with client:
        api.client = client
        yield Portal(api, settings, organization, stats)


@dataclass
class Portal:
    """A ``records.Session`` on one portal. For one thread; requests go out one after the other."""

    api: PortalApi
    connection: HubSpotConnection
    organization: str
    stats: RequestStats
    _skipped: set[str] = field(default_factory=set)

    def read(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        """See ``records.Session``. Requests up to the first record are made at once.

        A stream that the private app may not read, and never could, is skipped: an incremental extract without
        records, whose note names stream and scope. Nothing is deleted by it, and its state stays empty. One that
        could be read before is not skipped but fails (Forbidden): a scope lost must not look like a night without news.
        """
        with self.attributed(stream):
            extract = self._extract(stream, state or {}, window)
        extract.records = self._lazily(stream, extract.records)
        return extract

    def attributed(self, stream: Stream | None = None) -> AbstractContextManager[None]:
        """Errors that pass say whose they are."""
        return attributed("hubspot", self.organization, stream)

    def _extract(self, stream: Stream, state: Mapping[str, Any], window: tuple[date, date] | None) -> Extract:
        if stream.name in self.connection.skip_streams:
            return skipped(stream, state)
        try:
            extract = self._asked(stream, state, window)
            extract.records = _begun(extract.records)
        except Forbidden as error:
            if state:
                raise
            return self._skip(stream, error)
        return extract

    def _asked(self, stream: Stream, state: Mapping[str, Any], window: tuple[date, date] | None) -> Extract:
        # What others tell of them goes with them: these streams are named as their objects are.
        unread = self.connection.skip_streams
        if isinstance(stream, OwnerStream):
            return read_owners(self.api, stream)
        if isinstance(stream, PipelineStream):
            return read_pipelines(self.api, stream, state, unread)
        if isinstance(stream, ObjectStream):
            properties = self.api.property_names(stream.kind)
            linked = tuple(one for one in stream.linked if one not in unread)
            return ObjectReader(self.api, replace(stream, linked=linked), state, properties).read(window)
        raise PermanentError(f"{stream.name} is not a stream of HubSpot")

    def _skip(self, stream: Stream, error: Forbidden) -> Extract:
        self._skipped.add(stream.name)
        if len(self._skipped) == len(STREAMS):
            raise ConfigurationError(
                "the private app may read nothing of the portal",
                hint="give it the scopes that docs/sources/hubspot.md lists.",
            ) from error
        note = f"{stream.name} skipped: it takes {error.missing}, which the portal's plan or the private app lacks"
        return Extract(records=(), mode="incremental", notes=[note])

    def _lazily(self, stream: Stream, records: Iterable[Record]) -> Iterator[Record]:
        with self.attributed(stream):
            yield from records


def _begun(records: Iterable[Record]) -> Iterator[Record]:
    """The same records, asked for as far as the first."""
    iterator = iter(records)
    for first in iterator:
        return chain([first], iterator)
    return iterator
