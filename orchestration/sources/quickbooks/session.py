"""An open QuickBooks company."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestration.errors import PermanentError
from orchestration.sources.core.auth import MemoryTokenStore, OAuthRefresh, inspect_token_reply
from orchestration.sources.core.http import HttpClient
from orchestration.sources.core.instants import utc_now
from orchestration.sources.core.limits import RateLimiter
from orchestration.sources.core.records import Extract, Record, RequestStats, Stream, TokenStore, skipped
from orchestration.sources.core.retry import RetryPolicy
from orchestration.sources.core.source import attributed
from orchestration.sources.quickbooks.api import CompanyApi, Page
from orchestration.sources.quickbooks.connection import QuickBooksConnection
from orchestration.sources.quickbooks.entities import EntityReader, settings_record
from orchestration.sources.quickbooks.faults import inspect
from orchestration.sources.quickbooks.months import month_of
from orchestration.sources.quickbooks.reports import ReportReader
from orchestration.sources.quickbooks.streams import EntityStream, ReportStream, SettingsStream

# Per company and minute. Intuit allows 500 and 200; a tenth is left to clocks that differ and to requests on their way.
REQUESTS_PER_MINUTE = 450
REPORTS_PER_MINUTE = 180

RETRY = RetryPolicy()

# Idle, a refresh token lasts 100 days; from its fifth year on it ends whatever is done.
LIFETIMES = ("x_refresh_token_expires_in", "x_refresh_token_hard_expires_in")
_WARN_BEFORE_END = timedelta(days=30)
_RECONNECT = (
    "connect the company again (docs/sources/quickbooks.md) and put the new refresh token into the variable that "
    "organizations.yml names; nothing else is needed."
)


@contextmanager
def open_company(
    connection: dict[str, Any], *, organization: str, timezone: str, token_store: TokenStore | None = None
) -> Iterator[Company]:
    """Open one company; see ``core.source.Opener``. No request is made before something is read."""
    with attributed("quickbooks", organization):
        settings = QuickBooksConnection.resolved(connection)
    stats = RequestStats()
    with HttpClient(inspect=inspect_token_reply, policy=RETRY, stats=stats, deadline=60.0) as token_client:
        auth = OAuthRefresh(
            client=token_client,
            token_url=settings.token_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            configured=settings.refresh_token,
            store=token_store or MemoryTokenStore(),
            lifetimes=LIFETIMES,
            reconnect=_RECONNECT,
        )
        client = HttpClient(
            inspect=inspect,
            auth=auth,
            limiter=RateLimiter(REQUESTS_PER_MINUTE),
            policy=RETRY,
            stats=stats,
            # Without it, QuickBooks answers in XML.
            headers={"Accept": "application/json"},
        )
        with client:
            api = CompanyApi(client, settings.base_url, settings.realm_id, RateLimiter(REPORTS_PER_MINUTE))
            yield Company(api, auth, settings, organization, timezone, stats)


@dataclass
class Company:
    """A ``records.Session`` on one company. For one thread; requests go out one after the other."""

    api: CompanyApi
    auth: OAuthRefresh
    connection: QuickBooksConnection
    organization: str
    timezone: str
    stats: RequestStats
    _settings: dict[str, Page] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._entities = EntityReader(self.api, self.connection.skip_streams)

    def read(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        """See ``records.Session``. ``window`` concerns reports; entities are read as of now, whatever it says.

        Small requests may be made at once, because what they tell decides between a full and an incremental read.
        """
        with self.attributed(stream):
            extract = self._extract(stream, state, window)
        extract.records = self._lazily(stream, extract.records)
        return extract

    def attributed(self, stream: Stream | None = None) -> AbstractContextManager[None]:
        """Errors that pass say whose they are."""
        return attributed("quickbooks", self.organization, stream)

    def zone(self) -> ZoneInfo:
        """The company's time zone where QuickBooks tells it, else the organization's."""
        for row in self._company_info():
            try:
                return ZoneInfo(str(row.get("DefaultTimeZone")))
            except (ZoneInfoNotFoundError, ValueError, OSError):
                continue
        return ZoneInfo(self.timezone)

    def _extract(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        if stream.name in self.connection.skip_streams:
            return skipped(stream, state)
        if isinstance(stream, SettingsStream):
            return self._read_settings(stream)
        self._know_the_clock()
        if isinstance(stream, EntityStream):
            return self._entities.read(stream, state)
        if isinstance(stream, ReportStream):
            return self._reports().read(stream, state, window)
        raise PermanentError(f"{stream.name} is not a stream of QuickBooks")

    def _read_settings(self, stream: SettingsStream) -> Extract:
        page = self._settings_of(stream.entity)
        rows = [row for row in page.rows if isinstance(row, Mapping)]
        return Extract(
            records=[settings_record(row, page.at) for row in rows],
            mode="full",
            state={},
            notes=self._warnings() if stream.entity == "CompanyInfo" else [],
        )

    def _reports(self) -> ReportReader:
        return ReportReader(
            self.api,
            self.zone(),
            month_of(self.connection.start_date),
            self.connection.accounting_method,
            self._preferred_basis,
        )

    def _settings_of(self, entity: str) -> Page:
        if entity not in self._settings:
            self._settings[entity] = self.api.settings(entity)
        return self._settings[entity]

    def _company_info(self) -> list[Mapping[str, Any]]:
        try:
            return [row for row in self._settings_of("CompanyInfo").rows if isinstance(row, Mapping)]
        except PermanentError:
            # The stream of that name reports it; the organization's own settings do for the others.
            return []

    def _know_the_clock(self) -> None:
        """Have the server's clock read before anything is judged by it."""
        if self.api.clocks.earliest is None:
            self._company_info()

    def _preferred_basis(self) -> str | None:
        try:
            rows = self._settings_of("Preferences").rows
        except PermanentError:
            return None
        for row in rows:
            reports = row.get("ReportPrefs") if isinstance(row, Mapping) else None
            if isinstance(reports, Mapping) and reports.get("ReportBasis"):
                return str(reports["ReportBasis"])
        return None

    def _warnings(self) -> list[str]:
        ends = self.auth.refresh_expires_at
        if ends is None or ends - utc_now() > _WARN_BEFORE_END:
            return []
        return [f"the authorization ends on {ends:%Y-%m-%d}: {_RECONNECT}"]

    def _lazily(self, stream: Stream, records: Iterable[Record]) -> Iterator[Record]:
        with self.attributed(stream):
            yield from records
