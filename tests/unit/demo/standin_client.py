"""A plain client of the QuickBooks stand-in: what the tests here ask with. Knows nothing of the extractor."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx2

from orchestration.demo.quickbooks_server import RunningServer

JSON = {"Accept": "application/json"}


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


@dataclass
class Client:
    """Requests about one company, with an access token of its own."""

    server: RunningServer
    slug: str

    def __post_init__(self) -> None:
        self.connection = self.server.connection(self.slug)
        self.refresh_token = self.connection["refresh_token"]
        self.http = httpx2.Client(timeout=30)
        self.access_token = ""

    @property
    def realm(self) -> str:
        return self.connection["realm_id"]

    def token(self, refresh_token: str | None = None) -> httpx2.Response:
        """Ask for an access token; a good answer is kept and used."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token or self.refresh_token}
        headers = basic(self.connection["client_id"], self.connection["client_secret"])
        response = self.http.post(self.connection["token_url"], data=form, headers=headers)
        if response.status_code == 200:
            self.access_token = response.json()["access_token"]
            self.refresh_token = response.json()["refresh_token"]
        return response

    def get(self, path: str, headers: dict[str, str] | None = None, **params: str) -> httpx2.Response:
        """GET below the company's address."""
        if not self.access_token:
            assert self.token().status_code == 200
        sent = {"Authorization": f"Bearer {self.access_token}"} | (JSON if headers is None else headers)
        return self.http.get(f"{self.server.base_url}/v3/company/{self.realm}/{path}", params=params, headers=sent)

    def json(self, path: str, **params: str) -> Any:
        """A good answer, numbers exact."""
        response = self.get(path, **params)
        assert response.status_code == 200, response.text
        return json.loads(response.text, parse_float=Decimal)

    def query(self, text: str) -> list[dict[str, Any]]:
        """The records of one page."""
        response = self.json("query", query=text)["QueryResponse"]
        return next((value for value in response.values() if isinstance(value, list)), [])

    def everything(self, entity: str, where: str = "") -> list[dict[str, Any]]:
        """All records of an entity, page by page."""
        records: list[dict[str, Any]] = []
        while True:
            page = self.query(f"SELECT * FROM {entity} {where} STARTPOSITION {len(records) + 1} MAXRESULTS 1000")
            records += page
            if len(page) < 1000:
                return records

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control request; its answer."""
        response = self.http.request(method, f"{self.server.base_url}/_control/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()
