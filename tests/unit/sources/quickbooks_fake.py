"""A company's records and reports as QuickBooks would serve them, small enough to read and to bend."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2

from orchestration.sources.core.auth import MemoryTokenStore, OAuthRefresh, inspect_token_reply
from orchestration.sources.core.http import HttpClient
from orchestration.sources.core.limits import RateLimiter
from orchestration.sources.core.records import RequestStats
from orchestration.sources.core.retry import RetryPolicy
from orchestration.sources.quickbooks.api import CompanyApi
from orchestration.sources.quickbooks.connection import QuickBooksConnection
from orchestration.sources.quickbooks.faults import inspect
from orchestration.sources.quickbooks.session import LIFETIMES, Company

NAME_LISTS = {"Account", "Customer", "Vendor", "Item"}
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

SETTINGS = {
    "realm_id": "9130",
    "client_id": "client-id",
    "client_secret": "client-secret",
    "refresh_token": "seed-token-0",
    "start_date": "2025-01-01",
    "base_url": "http://127.0.0.1:1",
    "token_url": "http://127.0.0.1:1/token",
}

Respond = Callable[["FakeBooks", httpx2.Request, dict[str, str]], httpx2.Response | None]


@dataclass
class FakeBooks:
    """``records`` by entity; ``deleted`` as (instant, entity, id).

    before
        Called with every request, to change the books under the reader or to answer in the server's place.
    page_limit
        The most rows of a page, whatever is asked.
    page_excess
        Rows of a page beyond those asked for, where there are any.
    """

    now: datetime = START
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    deleted: list[tuple[datetime, str, str]] = field(default_factory=list)
    before: list[Respond] = field(default_factory=list)
    reports: Callable[[str, dict[str, str]], dict[str, Any]] | None = None
    counts: bool = True
    tells_time: bool = True
    page_limit: int = 1000
    page_excess: int = 0
    company: dict[str, Any] = field(default_factory=lambda: {"Id": "1", "CompanyName": "Test"})
    preferences: dict[str, Any] = field(default_factory=lambda: {"Id": "1", "ReportPrefs": {"ReportBasis": "Accrual"}})
    statements: list[str] = field(default_factory=list)
    captures: list[dict[str, str]] = field(default_factory=list)
    asked_reports: list[dict[str, str]] = field(default_factory=list)

    def add(self, entity: str, count: int = 1, *, at: datetime | None = None, **values: Any) -> None:
        rows = self.records.setdefault(entity, [])
        for _ in range(count):
            number = str(len(rows) + 1)
            rows.append({"Id": number, "SyncToken": "0", "MetaData": _meta(at or self.now), **values})

    def touch(self, entity: str, record_id: str) -> None:
        for row in self.records[entity]:
            if row["Id"] == record_id:
                row["MetaData"] = _meta(self.now)

    def delete(self, entity: str, record_id: str) -> None:
        self.records[entity] = [row for row in self.records[entity] if row["Id"] != record_id]
        self.deleted.append((self.now, entity, record_id))

    def pass_time(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/token":
            return httpx2.Response(200, json={"access_token": "access", "refresh_token": "seed-token-0"})
        params = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        if request.headers.get("accept") != "application/json":
            return httpx2.Response(200, text='<?xml version="1.0"?><IntuitResponse/>')
        assert params["minorversion"] == "75"
        for respond in self.before:
            response = respond(self, request, params)
            if response is not None:
                return response
        operation = request.url.path.removeprefix("/v3/company/9130/")
        if operation == "query":
            return self._reply({"QueryResponse": self._query(params["query"])})
        if operation == "cdc":
            return self._reply({"CDCResponse": [{"QueryResponse": self._capture(params)}]})
        assert operation.startswith("reports/")
        assert self.reports is not None
        self.asked_reports.append({"report": operation.removeprefix("reports/"), **params})
        return self._reply(self.reports(operation.removeprefix("reports/"), params))

    def _reply(self, body: dict[str, Any]) -> httpx2.Response:
        return httpx2.Response(200, json={**body, **({"time": _iso(self.now)} if self.tells_time else {})})

    def _query(self, statement: str) -> dict[str, Any]:
        self.statements.append(statement)
        if match := re.fullmatch(r"SELECT \* FROM (CompanyInfo|Preferences)", statement):
            return {match[1]: [self.company if match[1] == "CompanyInfo" else self.preferences]}
        match = re.fullmatch(
            r"SELECT (?P<what>\*|COUNT\(\*\)) FROM (?P<entity>\w+)(?P<all> WHERE Active IN \(true,false\))?"
            r"( ORDER BY Metadata\.LastUpdatedTime ASC STARTPOSITION (?P<first>\d+) MAXRESULTS (?P<size>\d+))?",
            statement,
        )
        assert match, statement
        rows = [
            row
            for row in self.records.get(match["entity"], [])
            if match["all"] or match["entity"] not in NAME_LISTS or row.get("Active", True)
        ]
        if match["what"] != "*":
            return {"totalCount": len(rows)} if self.counts else {}
        rows.sort(key=lambda row: (row["MetaData"]["LastUpdatedTime"], int(row["Id"])))
        first, size = int(match["first"]), min(int(match["size"]), self.page_limit)
        page = rows[first - 1 : first - 1 + size + self.page_excess]
        return {match["entity"]: page, "startPosition": first, "maxResults": len(page)} if page else {}

    def _capture(self, params: dict[str, str]) -> list[dict[str, Any]]:
        self.captures.append(params)
        since = datetime.fromisoformat(params["changedSince"])
        found: list[tuple[str, dict[str, Any]]] = []
        for entity in params["entities"].split(","):
            for row in self.records.get(entity, []):
                if datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"]) >= since:
                    found.append((entity, row))
            for at, deleted_entity, record_id in self.deleted:
                if deleted_entity == entity and at >= since:
                    stub = {"domain": "QBO", "status": "Deleted", "Id": record_id, "MetaData": _meta(at)}
                    found.append((entity, stub))
        by_entity: dict[str, list[dict[str, Any]]] = {}
        for entity, row in found[:1000]:
            by_entity.setdefault(entity, []).append(row)
        return [{entity: rows, "startPosition": 1, "maxResults": len(rows)} for entity, rows in by_entity.items()]


def open_fake(books: FakeBooks, *, timezone: str = "America/Chicago", attempts: int = 3, **settings: Any) -> Company:
    """A session on the fake, put together as ``open_company`` does."""
    connection = QuickBooksConnection.resolved({**SETTINGS, **settings})
    transport = httpx2.MockTransport(books.handle)
    policy = RetryPolicy(attempts=attempts)
    stats = RequestStats()
    auth = OAuthRefresh(
        client=HttpClient(inspect=inspect_token_reply, transport=transport),
        token_url=connection.token_url,
        client_id=connection.client_id,
        client_secret=connection.client_secret,
        configured=connection.refresh_token,
        store=MemoryTokenStore(),
        lifetimes=LIFETIMES,
    )
    client = HttpClient(
        inspect=inspect,
        auth=auth,
        policy=policy,
        stats=stats,
        headers={"Accept": "application/json"},
        transport=transport,
    )
    api = CompanyApi(client, connection.base_url, connection.realm_id, RateLimiter(10_000))
    return Company(api, auth, connection, "bennett", timezone, stats)


def _meta(at: datetime) -> dict[str, str]:
    return {"CreateTime": _iso(START), "LastUpdatedTime": _iso(at)}


def _iso(at: datetime) -> str:
    # QuickBooks writes the company's offset.
    return (at - timedelta(hours=8)).replace(tzinfo=None).isoformat(timespec="seconds") + "-08:00"
