"""A token endpoint that rotates refresh tokens at every refresh, and an API that accepts its access tokens only."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx2

CLIENT = "Basic " + base64.b64encode(b"client-id:client-secret").decode()


@dataclass
class TokenServer:
    """``events`` tells in order what happened: refreshes with the token used, and calls with the token shown."""

    valid_refresh: str = "seed-token-0"
    expires_in: float = 3600
    rotates: bool = True
    events: list[str] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    extra: dict[str, object] = field(default_factory=dict)
    refreshes: int = 0

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/token":
            return self._refresh(request)
        shown = request.headers["authorization"].removeprefix("Bearer ")
        self.events.append(f"call {shown}")
        return httpx2.Response(200 if shown in self.accepted else 401, json={"shown": shown})

    def _refresh(self, request: httpx2.Request) -> httpx2.Response:
        if request.headers["authorization"] != CLIENT:
            return httpx2.Response(401, json={"error": "invalid_client"})
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        assert form["grant_type"] == "refresh_token"
        used = form["refresh_token"]
        self.events.append(f"refresh {used}")
        if used != self.valid_refresh:
            refusal = {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}
            return httpx2.Response(400, json=refusal)
        self.refreshes += 1
        if self.rotates:
            self.valid_refresh = f"rotated-token-{self.refreshes}"
        access = f"access-token-{self.refreshes}"
        self.accepted = {access}
        return httpx2.Response(
            200,
            json={
                "token_type": "bearer",
                "access_token": access,
                "refresh_token": self.valid_refresh,
                "expires_in": self.expires_in,
                **self.extra,
            },
        )
