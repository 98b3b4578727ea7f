"""A client for the stand-in's tests: it knows a base address and a token, and nothing about extracting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2

from orchestration.demo.hubspot_server import RunningHubspot


class Client:
    """Requests as one portal's private app."""

    def __init__(self, server: RunningHubspot, slug: str) -> None:
        connection = server.connection(slug)
        self.http = httpx2.Client(
            base_url=connection["base_url"], headers={"Authorization": f"Bearer {connection['access_token']}"}
        )

    def get(self, path: str, **params: Any) -> httpx2.Response:
        return self.http.get(path, params=params)

    def post(self, path: str, body: dict | None = None) -> httpx2.Response:
        return self.http.post(path, json=body or {})

    def search(self, kind: str, *filters: tuple, **more: Any) -> httpx2.Response:
        """A search with one group of (property, operator, value) filters."""
        listed = [{"propertyName": name, "operator": operator, "value": value} for name, operator, value in filters]
        groups = {"filterGroups": [{"filters": listed}]} if listed else {}
        return self.post(f"/crm/v3/objects/{kind}/search", {**groups, **more})

    def pages(self, kind: str, **params: Any) -> Iterator[list[dict]]:
        """Every page of a list, following ``after`` until it is missing."""
        after: dict[str, str] = {}
        for _ in range(500):
            answer = self.get(f"/crm/v3/objects/{kind}", **params, **after).json()
            yield answer["results"]
            if "paging" not in answer:
                return
            after = {"after": answer["paging"]["next"]["after"]}
        raise AssertionError("a list without end")

    def ids(self, kind: str, **params: Any) -> list[str]:
        return [record["id"] for page in self.pages(kind, **params) for record in page]


def behave(server: RunningHubspot, slug: str, **settings: Any) -> httpx2.Response:
    return httpx2.post(f"{server.base_url}/_control/behaviour", json={"portal": slug, **settings})


def fault(server: RunningHubspot, **rule: Any) -> None:
    httpx2.post(f"{server.base_url}/_control/faults", json=rule).raise_for_status()
