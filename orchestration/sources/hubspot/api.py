"""The read operations of HubSpot's CRM used here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from orchestration.errors import PermanentError
from orchestration.sources.core.http import HttpClient, Reply
from orchestration.sources.core.instants import utc_now
from orchestration.sources.core.limits import RateLimiter
from orchestration.sources.hubspot.faults import DailyLimit, NotFound, TooLong, inspect

# The versions of the API that are asked, in one place: HubSpot also serves them by date ("/crm/objects/2026-03").
OBJECTS = "/crm/v3/objects"
PROPERTIES = "/crm/v3/properties"
PIPELINES = "/crm/v3/pipelines"
OWNERS = "/crm/v3/owners"
ASSOCIATIONS = "/crm/v4/associations"

# HubSpot documents both for object types, and deals by their number alone.
TYPE_IDS = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "tickets": "0-5",
    "products": "0-7",
    "line_items": "0-8",
    "quotes": "0-14",
    "feedback_submissions": "0-19",
    "tasks": "0-27",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "goal_targets": "0-74",
}

LIST_PAGE = 100
SEARCH_PAGE = 200
BATCH = 100
ASSOCIATION_BATCH = 1000
# HubSpot refuses addresses of about 16,000 characters; this leaves room for what is not properties. 8,000 were reported
# as well: what is refused below this goes the long way, too.
LONGEST_PROPERTIES = 14_500

# A tenth of every limit is left to the portal's clock and to requests on their way. 100 requests in ten seconds is the
# least that any plan allows; answers tell the portal's own limit.
SHARE = 0.9
REQUESTS, SECONDS = int(100 * SHARE), 10.0
# Searches have a limit of their own (5; before 2025: 4), of which no answer tells.
SEARCHES_PER_SECOND = 4

DEADLINE = 120.0

Row = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Rows of one answer. ``after`` asks for the next page and is None on the last; ``total`` is told by searches."""

    rows: list[Row]
    after: str | None
    total: int | None = None
    size: int = 0
    """Bytes of the answer."""
    strange: int = 0
    """Results that are no objects and therefore not among the rows."""
    live: int = 0
    """Records that say they are not archived where archived ones were asked for, and therefore not among the rows."""


@dataclass
class PortalApi:
    """Requests about one portal. ``zone``: where its day is taken to end."""

    base_url: str
    zone: ZoneInfo
    limiter: RateLimiter = field(default_factory=lambda: RateLimiter(REQUESTS, SECONDS))
    search_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(SEARCHES_PER_SECOND, 1.0))
    clock: datetime | None = None
    """The server's clock at the last answer; None before the first and where answers carry no date."""
    client: HttpClient = field(init=False)
    _used_up: DailyLimit | None = None
    _longest: int = LONGEST_PROPERTIES
    """Characters of properties in an address that were not refused yet."""
    _names: dict[str, str] = field(default_factory=dict)
    """What the server calls what it does not know by its name."""

    def inspect(self, reply: Reply) -> None:
        """See ``core.http.Inspect``; learns the clock and the limits from every answer."""
        self.clock = reply.date or self.clock
        self._learn_limit(reply.headers)
        try:
            inspect(reply)
        except DailyLimit as error:
            now = reply.date or utc_now()
            midnight = datetime.combine(now.astimezone(self.zone).date() + timedelta(days=1), time(), self.zone)
            error.hint = (
                f"HubSpot counts anew from midnight in the portal's time zone ({self.zone.key}: "
                f"{midnight.astimezone(UTC):%Y-%m-%d %H:%M} UTC); run the sync again after that."
            )
            self._used_up = error
            raise

    def property_names(self, kind: str) -> list[str]:
        """Names of all properties that records of a kind have, default and custom."""
        rows = self._get(f"{PROPERTIES}/{quote(kind)}", {"archived": "false"}).rows
        names = [str(row["name"]) for row in rows if row.get("name")]
        if not names:
            raise PermanentError(f"HubSpot lists no properties of {kind}", hint="check base_url.")
        return names

    def listed(self, kind: str, properties: Sequence[str], *, after: str | None, archived: bool = False) -> Page:
        """A page of live or archived records by id, with all ``properties``, however many these are."""
        params = {"limit": str(LIST_PAGE), "archived": _flag(archived), **({"after": after} if after else {})}
        length = sum(len(quote(name, safe="")) + len("%2C") for name in properties)
        if length <= self._longest:
            try:
                page = self._of_kind("GET", kind, "", {**params, "properties": ",".join(properties)})
                return _without_live(page, archived)
            except TooLong:
                self._longest = length - 1
        # They don't fit into an address, but into a body: the list then only tells which records there are.
        page = self._of_kind("GET", kind, "", params)
        full = self.records(kind, [row["id"] for row in page.rows if row.get("id")], properties, archived=archived)
        return _without_live(replace(full, after=page.after, strange=page.strange + full.strange), archived)

    def records(self, kind: str, ids: Sequence[str], properties: Sequence[str], *, archived: bool = False) -> Page:
        """Up to 100 records by id. Those not there are left out; for a merged one comes the record it went into."""
        if not ids:
            return Page([], None)
        body = {
            "inputs": [{"id": str(one)} for one in ids],
            "properties": list(properties),
            "propertiesWithHistory": [],
        }
        return self._of_kind("POST", kind, "/batch/read", {"archived": _flag(archived)}, body)

    def search(self, kind: str, filters: Iterable[tuple[str, str, str]], *, after: str = "0") -> Page:
        """Ids of live records that pass all ``filters`` (property, operator, value), in the index's order of ids."""
        listed = [{"propertyName": name, "operator": operator, "value": value} for name, operator, value in filters]
        body = {
            "filterGroups": [{"filters": listed}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": ["hs_object_id"],
            "limit": SEARCH_PAGE,
            "after": after,
        }
        return self._of_kind("POST", kind, "/search", None, body, (self.search_limiter,))

    def associations(self, kind: str, other: str, inputs: Sequence[Mapping[str, str]]) -> Page:
        """What up to 1000 records (``id``, and ``after`` to read on) are associated with."""
        path = f"{ASSOCIATIONS}/{quote(kind)}/{quote(other)}/batch/read"
        return self._call("POST", path, None, {"inputs": list(inputs)})

    def owners(self, *, after: str | None, archived: bool) -> Page:
        """A page of users, or of those who left."""
        params = {"limit": str(LIST_PAGE), "archived": _flag(archived), **({"after": after} if after else {})}
        # HubSpot's own descriptions have the address with a slash at its end and without; the API knows both.
        page = self._by_either(OWNERS, f"{OWNERS}/", lambda path: self._get(path, params))
        return _without_live(page, archived)

    def pipelines(self, kind: str) -> Page:
        """All pipelines of a kind with their stages."""
        return self._get(f"{PIPELINES}/{quote(kind)}", {})

    def _get(self, path: str, params: Mapping[str, str]) -> Page:
        return self._call("GET", path, params)

    def _of_kind(
        self,
        method: str,
        kind: str,
        operation: str,
        params: Mapping[str, str] | None,
        body: Row | None = None,
        limiters: tuple[RateLimiter, ...] = (),
    ) -> Page:
        """An operation on objects of a kind, by its name, or by its number where the server knows it by that alone."""

        def called(name: str) -> Page:
            return self._call(method, f"{OBJECTS}/{quote(name)}{operation}", params, body, limiters)

        return self._by_either(kind, TYPE_IDS.get(kind, kind), called)

    def _by_either(self, name: str, other: str, called: Callable[[str], Page]) -> Page:
        """What is called by its name, or by its other one where the server knows that alone."""
        known = self._names.get(name, name)
        try:
            return called(known)
        except NotFound:
            if known == other:
                raise
            try:
                page = called(other)
            except NotFound:
                # Neither is known: the error is that of the name, which tells a person more.
                pass
            else:
                self._names[name] = other
                return page
            raise

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Row | None = None,
        limiters: tuple[RateLimiter, ...] = (),
    ) -> Page:
        if self._used_up is not None:
            raise DailyLimit(self._used_up.message, hint=self._used_up.hint)
        reply = self.client.call(
            method, f"{self.base_url}{path}", params=params, json=body, limiters=limiters, deadline=DEADLINE
        )
        return _page(reply)

    def _learn_limit(self, headers: Mapping[str, str]) -> None:
        try:
            most = int(headers["x-hubspot-ratelimit-max"])
            seconds = int(headers["x-hubspot-ratelimit-interval-milliseconds"]) / 1000
        except (KeyError, ValueError):
            return
        if most > 0 and seconds > 0:
            self.limiter.permit(max(1, int(most * SHARE)), seconds)


def _page(reply: Reply) -> Page:
    results = reply.json["results"]
    rows = [row for row in results if isinstance(row, dict)]
    total = reply.json.get("total")
    return Page(
        rows,
        _next(reply.json.get("paging")),
        total if type(total) is int else None,
        len(reply.body),
        len(results) - len(rows),
    )


def _without_live(page: Page, archived: bool) -> Page:
    """A page without the records that say they are not archived, if archived ones were asked for.

    A server that does not know the parameter answers with all that are live: taken at its word, it deletes them.
    """
    if not archived:
        return page
    rows = [row for row in page.rows if row.get("archived") is not False]
    return replace(page, rows=rows, live=len(page.rows) - len(rows))


def _next(paging: object) -> str | None:
    """The cursor of the next page. Only its absence ends a list: pages may be short or empty before."""
    following = paging.get("next") if isinstance(paging, Mapping) else None
    after = following.get("after") if isinstance(following, Mapping) else None
    return None if after is None or after == "" else str(after)


def _flag(value: bool) -> str:
    return "true" if value else "false"
