"""The three read operations of QuickBooks Online used here: query, change data capture, reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from orchestration.errors import PermanentError
from orchestration.sources.core.http import HttpClient
from orchestration.sources.core.instants import parse_iso, utc_now
from orchestration.sources.core.limits import RateLimiter
from orchestration.sources.quickbooks.faults import objects

# The lowest version Intuit still serves; lower numbers are answered as this one.
MINOR_VERSION = "75"
PAGE_SIZE = 1000
# Large records take the server too long by the thousand; this many it has always been able to give.
SMALLEST_PAGE = 100
# Sizes that a server may keep to instead of the one asked for are multiples of this: a query that names none gets 100.
ROUND_SIZE = 50
CAPTURE_LIMIT = 1000

QUERY_DEADLINE = 90.0
REPORT_DEADLINE = 180.0


@dataclass(frozen=True)
class Clocks:
    """What a response says of the server's clock: the body's ``time`` and the Date header; None where it is silent."""

    body: datetime | None = None
    header: datetime | None = None

    @property
    def earliest(self) -> datetime | None:
        """For watermarks: one that is too early reads twice, one that is too late loses changes."""
        return min((at for at in (self.body, self.header) if at is not None), default=None)

    def today(self, zone: ZoneInfo, not_before: date) -> date:
        """The company's current date.

        A ``time`` before ``not_before`` is an example instead of a clock: then the header counts, and without one the
        clock here.
        """
        for at in (self.body, self.header):
            if at is not None and at.astimezone(zone).date() >= not_before:
                return at.astimezone(zone).date()
        return (self.header or self.body or utc_now()).astimezone(zone).date()


@dataclass(frozen=True)
class Answer:
    """A decoded response."""

    body: Mapping[str, Any]
    clocks: Clocks


@dataclass(frozen=True)
class Page:
    """Rows of one entity, and the instant by the server's clock at which they were read (None: it did not say)."""

    rows: list[Any]
    at: datetime | None


@dataclass
class CompanyApi:
    """Requests about one company."""

    client: HttpClient
    base_url: str
    realm_id: str
    report_limiter: RateLimiter
    clocks: Clocks = field(default_factory=Clocks)
    """Those of the last answer."""

    def query(self, entity: str, where: str = "", *, first: int = 1, size: int = PAGE_SIZE) -> Page:
        """Rows ``first`` to ``first + size - 1`` of an entity, least recently changed first.

        TooSlow at once where the server could not give as many in time, unless they are the fewest that are asked for.
        """
        order = f"ORDER BY Metadata.LastUpdatedTime ASC STARTPOSITION {first} MAXRESULTS {size}"
        answer = self._select("*", entity, where, order, patient=size <= SMALLEST_PAGE)
        return Page(_rows(answer.body.get("QueryResponse"), entity), answer.clocks.earliest)

    def settings(self, entity: str) -> Page:
        """The rows of an entity that has one record."""
        answer = self._select("*", entity)
        return Page(_rows(answer.body.get("QueryResponse"), entity), answer.clocks.earliest)

    def count(self, entity: str, where: str = "") -> int | None:
        """How many rows an entity has; None where the server does not say."""
        response = self._select("COUNT(*)", entity, where).body.get("QueryResponse")
        total = response.get("totalCount") if isinstance(response, Mapping) else None
        return total if isinstance(total, int) and not isinstance(total, bool) else None

    def _select(self, what: str, entity: str, where: str = "", order: str = "", *, patient: bool = True) -> Answer:
        # All parts are this package's own constants and numbers; the language knows no parameters.
        parts = ["SELECT", what, "FROM", entity, *(("WHERE", where) if where else ()), order]
        return self._get("query", {"query": " ".join(parts).strip()}, deadline=QUERY_DEADLINE, patient=patient)

    def changes(self, entities: Iterable[str], since: datetime) -> tuple[dict[str, list[Any]], datetime | None]:
        """What changed since an instant, by entity: live objects in full, deleted ones with ``status: Deleted``."""
        names = list(entities)
        params = {"entities": ",".join(names), "changedSince": since.isoformat(timespec="seconds")}
        answer = self._get("cdc", params, deadline=QUERY_DEADLINE)
        if "CDCResponse" not in answer.body:
            raise PermanentError("QuickBooks answered a request for changes without changes")
        changed: dict[str, list[Any]] = {name: [] for name in names}
        for capture in objects(answer.body["CDCResponse"]):
            for response in objects(capture.get("QueryResponse")):
                for name in names:
                    changed[name] += _rows(response, name)
        return changed, answer.clocks.earliest

    def report(self, name: str, params: Mapping[str, str], *, patient: bool = True) -> Answer:
        """A financial report. Not ``patient``: TooSlow at once where the server could not make it in time."""
        return self._get(
            f"reports/{name}", params, deadline=REPORT_DEADLINE, patient=patient, limiters=(self.report_limiter,)
        )

    def _get(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        deadline: float,
        patient: bool = True,
        limiters: tuple[RateLimiter, ...] = (),
    ) -> Answer:
        reply = self.client.call(
            "GET",
            f"{self.base_url}/v3/company/{quote(self.realm_id, safe='')}/{path}",
            params={**params, "minorversion": MINOR_VERSION},
            deadline=deadline,
            patient=patient,
            limiters=limiters,
        )
        self.clocks = Clocks(parse_iso(reply.json.get("time")), reply.date)
        return Answer(reply.json, self.clocks)


def _rows(response: object, entity: str) -> list[Any]:
    rows = response.get(entity) if isinstance(response, Mapping) else None
    if isinstance(rows, Mapping):
        return [rows]
    return rows if isinstance(rows, list) else []
