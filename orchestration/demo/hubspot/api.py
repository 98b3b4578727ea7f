"""The API of all portals of one server: who may ask what, how often, and which function answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import format_datetime
from itertools import count
from urllib.parse import parse_qsl

import msgspec

from orchestration.demo.crm.kinds import find_kind
from orchestration.demo.crm.portals import Portal
from orchestration.demo.hubspot import associations, errors, metadata, reading, search
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot.asking import Call
from orchestration.demo.world import World

Handler = Callable[[Account, Call], tuple[int, dict]]
URL_MOST = 16_000
TOKEN = re.compile(r"Bearer pat-(na1|na2|na3|eu1|ap1)-[0-9A-Za-z_-]{10,}")
_OWNERS = ("crm.objects.owners.read",)


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Route:
    """A path of the API. ``scopes_by`` names the path's part whose kind decides the scopes; ``scopes`` are fixed."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    scopes_by: tuple[str, ...] = ("kind",)
    scopes: tuple[str, ...] = ()
    search: bool = False


class HubspotApi:
    """Answers requests as HubSpot would; ``world`` is asked at every request what time it is.

    longest_target
        Characters of a path with its query, beyond which the answer is 414: what stands before HubSpot may take less.
    """

    def __init__(self, portals: Iterable[Portal], world: Callable[[], World]) -> None:
        self.world = world
        self.longest_target = URL_MOST
        self.accounts = {portal.slug: Account(portal, world()) for portal in portals}
        # Years of life are lived before the first request, not while a client waits for it.
        for account in self.accounts.values():
            account.follow(world())
        self._by_token = {account.portal.token: account for account in self.accounts.values()}
        self._routes = _routes()
        self._failures = count(1)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes, base_url: str) -> Answer:
        """One request. ``target`` is the path with its query as sent; header names are lower case."""
        account: Account | None = None
        route: Route | None = None
        try:
            if len(target) > self.longest_target:
                raise errors.url_too_long()
            account = self._authenticate(headers.get("authorization", ""))
            path, _, query = target.partition("?")
            with account.lock:
                account.follow(self.world())
                route, parts = self._route(method, path)
                account.meter.count(account.today, search=route.search)
                _check_scopes(account, route, parts)
                pairs = parse_qsl(query, keep_blank_values=True)
                status, answered = route.handler(account, Call(path, parts, pairs, body, base_url))
            return self._wire(status, answered, account, route)
        except errors.ApiError as error:
            return self._wire(error.status, error.body, account, route, error.headers)

    def _authenticate(self, authorization: str) -> Account:
        if not authorization:
            raise errors.unauthenticated()
        if not TOKEN.fullmatch(authorization):
            raise errors.malformed_token()
        account = self._by_token.get(authorization.removeprefix("Bearer "))
        if account is None:
            raise errors.unauthenticated()
        if account.revoked:
            raise errors.expired()
        return account

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        allowed = False
        for route in self._routes:
            if match := route.pattern.fullmatch(path):
                allowed = True
                if route.method == method:
                    return route, match.groupdict()
        if allowed:
            raise errors.failure(405, "Method not allowed")
        raise errors.failure(404, f"No such resource: {path}")

    def _wire(
        self,
        status: int,
        body: dict | str,
        account: Account | None,
        route: Route | None,
        extra: dict[str, str] | None = None,
    ) -> Answer:
        now = account.instant if account is not None else self.world().now
        headers = {"Date": format_datetime(now, usegmt=True), **(extra or {})}
        if account is not None and route is not None and not route.search:
            headers |= account.meter.headers()
        if isinstance(body, str):
            return Answer(status, body.encode(), headers | {"Content-Type": "text/html; charset=UTF-8"})
        if status >= 400:
            body = body | {"correlationId": errors.correlation_id(next(self._failures))}
            headers["X-HubSpot-Correlation-Id"] = str(body["correlationId"])
        return Answer(status, encode(body), headers | {"Content-Type": "application/json;charset=utf-8"})


def encode(body: dict) -> bytes:
    """JSON; text that UTF-8 can't hold is escaped, as HubSpot passes on whatever somebody once stored."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body).encode()


def _check_scopes(account: Account, route: Route, parts: dict[str, str]) -> None:
    needed = list(route.scopes)
    for part in route.scopes_by:
        if (name := parts.get(part)) is not None:
            kind = find_kind(name)
            needed += kind.scopes if kind is not None else ()
    if missing := [scope for scope in needed if scope in account.missing_scopes]:
        raise errors.missing_scopes(tuple(missing))


def _routes() -> list[Route]:
    """Every path in the two spellings HubSpot serves: with the API's version and, newer, with a date."""
    objects = _either("/crm/v3/objects", "/crm/objects/{date}")
    linked = _either("/crm/v4/associations", "/crm/associations/{date}")
    of_record = _either("/crm/v4/objects", "/crm/objects/{date}")
    properties = _either("/crm/v3/properties", "/crm/properties/{date}")
    pipelines = _either("/crm/v3/pipelines", "/crm/pipelines/{date}")
    owners = _either("/crm/v3/owners", "/crm/owners/{date}")
    both = ("from", "to")
    return [
        Route("GET", _path(objects, "/{kind}"), reading.list_records),
        Route("POST", _path(objects, "/{kind}/search"), search.search, search=True),
        Route("POST", _path(objects, "/{kind}/batch/read"), reading.batch_read),
        Route("GET", _path(objects, "/{kind}/{id}"), reading.get_record),
        Route("POST", _path(linked, "/{from}/{to}/batch/read"), associations.batch_read_associations, both),
        Route("GET", _path(of_record, "/{from}/{id}/associations/{to}"), associations.list_associations, both),
        Route("GET", _path(properties, "/{kind}"), metadata.list_properties),
        Route("GET", _path(properties, "/{kind}/{name}"), metadata.get_property),
        Route("GET", _path(pipelines, "/{kind}"), metadata.list_pipelines),
        Route("GET", _path(pipelines, "/{kind}/{id}"), metadata.get_pipeline),
        Route("GET", _path(owners, "/?"), metadata.list_owners, scopes=_OWNERS),
        Route("GET", _path(owners, "/{id}"), metadata.get_owner, scopes=_OWNERS),
        Route("GET", _path("/account-info/v3/details", ""), metadata.account_details),
        Route("GET", _path("/account-info/v3/api-usage/daily/private-apps", ""), metadata.daily_usage),
    ]


def _either(by_version: str, by_date: str) -> str:
    return f"(?:{by_version}|{by_date.replace('{date}', '20[0-9][0-9]-[01][0-9]')})"


def _path(prefix: str, rest: str) -> re.Pattern[str]:
    return re.compile(prefix + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", rest))
