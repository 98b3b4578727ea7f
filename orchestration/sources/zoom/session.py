"""An open Zoom account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.errors import ConfigurationError, PermanentError
from orchestration.sources.core.auth import ClientGrant, inspect_token_reply
from orchestration.sources.core.http import HttpClient, Reply
from orchestration.sources.core.instants import parse_iso
from orchestration.sources.core.records import Extract, Record, RequestStats, Stream, TokenStore, skipped
from orchestration.sources.core.retry import RetryPolicy
from orchestration.sources.core.source import attributed
from orchestration.sources.zoom.api import AccountApi
from orchestration.sources.zoom.calls import read_calls, read_daily_report
from orchestration.sources.zoom.connection import ZoomConnection
from orchestration.sources.zoom.days import READ_AT, plan
from orchestration.sources.zoom.directories import read_directory
from orchestration.sources.zoom.faults import Forbidden
from orchestration.sources.zoom.limits import Limits
from orchestration.sources.zoom.meetings import MeetingReader
from orchestration.sources.zoom.streams import (
    CALL_HISTORY,
    DAILY_REPORT,
    MEETINGS,
    PARTICIPANTS,
    STREAMS,
    DatedStream,
    DirectoryStream,
)

RETRY = RetryPolicy()
_RECONNECT = (
    "copy account id, client id and client secret again from the server-to-server OAuth app's page "
    "(docs/sources/zoom.md) and see that the app is activated."
)


@contextmanager
def open_account(
    connection: dict[str, Any], *, organization: str, timezone: str, token_store: TokenStore | None = None
) -> Iterator[Account]:
    """Open one account; see ``core.source.Opener``. No request is made before something is read.

    There is no token to be stored: a new one is asked for in every session.
    """
    with attributed("zoom", organization):
        settings = ZoomConnection.resolved(connection)
    stats = RequestStats()
    api = AccountApi(settings.base_url, ZoneInfo(timezone), Limits(settings.plan))

    def inspect_token(reply: Reply) -> None:
        api.clock = api.clock or reply.date
        inspect_token_reply(reply)

    with HttpClient(inspect=inspect_token, policy=RETRY, stats=stats, deadline=60.0) as token_client:
        auth = ClientGrant(
            client=token_client,
            token_url=settings.token_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            params={"grant_type": "account_credentials", "account_id": settings.account_id},
            reconnect=_RECONNECT,
        )
        client = HttpClient(
            inspect=api.inspect, auth=auth, policy=RETRY, stats=stats, headers={"Accept": "application/json"}
        )
        with client:
            api.client = client
            yield Account(api, auth, settings, organization, stats)


@dataclass
class Account:
    """A ``records.Session`` on one account. For one thread; requests go out one after the other."""

    api: AccountApi
    auth: ClientGrant
    connection: ZoomConnection
    organization: str
    stats: RequestStats
    _skipped: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._meetings = MeetingReader(self.api)

    def read(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        """See ``records.Session``. Requests up to the first record are made at once; ``window`` concerns days.

        A stream that the app may not read, and never could, is skipped: an incremental extract without records, whose
        note names stream and scope. Nothing is deleted by it, and its state stays empty. One that could be read
        before is not skipped but fails (Forbidden): a scope lost must not look like a night without news.
        """
        with self.attributed(stream):
            extract = self._extract(stream, state or {}, window)
        extract.records = self._lazily(stream, extract.records)
        return extract

    def attributed(self, stream: Stream | None = None) -> AbstractContextManager[None]:
        """Errors that pass say whose they are."""
        return attributed("zoom", self.organization, stream)

    def _extract(self, stream: Stream, state: Mapping[str, Any], window: tuple[date, date] | None) -> Extract:
        if stream.name in self.connection.skip_streams:
            return skipped(stream, state)
        try:
            # Which days are read depends on the server's clock: the answer that brings the token tells it.
            self.auth.authorization()
            extract = self._asked(stream, state, window)
            extract.records = _begun(extract.records)
        except Forbidden as error:
            if state:
                raise
            return self._skip(stream, error)
        return extract

    def _asked(self, stream: Stream, state: Mapping[str, Any], window: tuple[date, date] | None) -> Extract:
        now = self.api.now()
        read_at = parse_iso(state.get(READ_AT))
        notes = []
        if read_at is not None and read_at > now:
            notes.append("the last read is in the future by the server's clock: read in full")
        if isinstance(stream, DirectoryStream):
            extract = read_directory(self.api, stream)
            extract.notes[:0] = notes
            return extract
        if not isinstance(stream, DatedStream):
            raise PermanentError(f"{stream.name} is not a stream of Zoom")
        days = plan(state, window, now, self.api.zone, self.connection.start_date, notes)
        match stream.name:
            case DAILY_REPORT.name:
                return read_daily_report(self.api, days, notes)
            case MEETINGS.name:
                return self._meetings.read_meetings(days, notes)
            case PARTICIPANTS.name:
                return self._meetings.read_participants(days, self.connection.participants_per_run, notes)
            case CALL_HISTORY.name:
                return read_calls(self.api, days, notes)
        raise PermanentError(f"{stream.name} is not a stream of Zoom")

    def _skip(self, stream: Stream, error: Forbidden) -> Extract:
        self._skipped.add(stream.name)
        if len(self._skipped) == len(STREAMS):
            raise ConfigurationError(
                "the app may read nothing of the account",
                hint="give it the scopes that docs/sources/zoom.md lists.",
            ) from error
        note = f"{stream.name} skipped: it takes {error.missing}, which the account or the app lacks"
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
