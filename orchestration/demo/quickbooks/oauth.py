"""Intuit's token endpoint for the demo's companies: rotation, expiry, rejection, kept across restarts."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

CLIENT_ID = "ABdemoQuickBooksClient"
ACCESS_SECONDS = 3600
REFRESH_SECONDS = 8_726_400
ROTATES_AFTER = 86_400
Rotation = Literal["daily", "next", "always"]


def client_secret() -> str:
    """Secret of the demo's one app; as good as public, it opens nothing but the stand-in on loopback."""
    return _derived("client secret")


def first_refresh_token(realm_id: str) -> str:
    """The refresh token a company's connection starts with, as if a person had just connected it."""
    return f"AB11{_derived('refresh token', realm_id)}"


def _derived(*words: str) -> str:
    return blake2b("|".join(("aiop demo", *words)).encode(), digest_size=18).hexdigest()


def fingerprint(token: str) -> str:
    """Names a token in logs without showing it."""
    return blake2b(token.encode(), digest_size=6).hexdigest()


@dataclass
class Grant:
    """One company's connection. ``previous`` is the token before the last rotation; ``issued`` counts both clocks:
    the world's and this machine's, whichever has seen a day go by rotates the token."""

    refresh_token: str
    previous: str = ""
    issued_world: float = 0.0
    issued_here: float = 0.0
    revoked: bool = False
    rotation: Rotation = "daily"
    access: dict[str, float] = field(default_factory=dict)
    """Access tokens and when they expire by this machine's clock."""


@dataclass(frozen=True)
class Reply:
    status: int
    body: dict[str, Any]


class TokenServer:
    """Grants of all companies. ``path`` keeps them: what a client stored is still good after a restart.

    previous_accepted
        Whether the token before the last rotation still works. Intuit's no longer does; crash recovery of a client
        is tried with both.
    """

    def __init__(self, realms: Iterable[str], path: Path | None, world_seconds: Callable[[], float]) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.world_seconds = world_seconds
        self.previous_accepted = False
        self.access_seconds = ACCESS_SECONDS
        self.refreshes: dict[str, int] = {}
        kept = self._load()
        self.grants: dict[str, Grant] = {}
        for realm in realms:
            fresh = Grant(first_refresh_token(realm), issued_world=world_seconds(), issued_here=time.time())
            self.grants[realm] = kept.get(realm, fresh)

    def token(self, authorization: str, form: dict[str, str]) -> Reply:
        """The token endpoint: a refresh token for an access token and a refresh token, the same or a new one."""
        if not _is_client(authorization):
            return Reply(401, {"error": "invalid_client"})
        if form.get("grant_type") != "refresh_token":
            return Reply(400, {"error": "unsupported_grant_type"})
        with self.lock:
            found = self._grant_of(form.get("refresh_token", ""))
            if found is None:
                description = "Incorrect or invalid refresh token"
                return Reply(400, {"error": "invalid_grant", "error_description": description})
            realm, grant = found
            self.refreshes[realm] = self.refreshes.get(realm, 0) + 1
            if self._rotates(grant):
                grant.previous, grant.refresh_token = grant.refresh_token, f"AB11{secrets.token_hex(18)}"
                grant.issued_world, grant.issued_here = self.world_seconds(), time.time()
                if grant.rotation == "next":
                    grant.rotation = "daily"
            access = f"eyJ{secrets.token_hex(24)}"
            now = time.time()
            grant.access = {token: until for token, until in grant.access.items() if until > now}
            grant.access[access] = now + self.access_seconds
            self._keep()
            return Reply(
                200,
                {
                    "token_type": "bearer",
                    "expires_in": self.access_seconds,
                    "access_token": access,
                    "refresh_token": grant.refresh_token,
                    "x_refresh_token_expires_in": REFRESH_SECONDS,
                },
            )

    def revoke(self, authorization: str, token: str) -> Reply:
        """The revocation endpoint: ends the connection a refresh or access token belongs to."""
        if not _is_client(authorization):
            return Reply(401, {"error": "invalid_client"})
        with self.lock:
            for grant in self.grants.values():
                if token == grant.refresh_token or token in grant.access:
                    grant.revoked = True
                    grant.access.clear()
                    self._keep()
                    return Reply(200, {})
        return Reply(400, {"error": "invalid_request"})

    def realm_of(self, authorization: str) -> str | None:
        """The company a request's bearer token was issued for; None where it is unknown or has expired."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        now = time.time()
        for realm, grant in self.grants.items():
            if grant.access.get(token, 0) > now:
                return realm
        return None

    def rotate(self, realm: str, rotation: Rotation) -> None:
        with self.lock:
            self.grants[realm].rotation = rotation
            self._keep()

    def expire(self, realm: str, what: str) -> None:
        """End a company's access tokens, or the whole connection as 101 idle days would."""
        with self.lock:
            self.grants[realm].access.clear()
            if what == "refresh":
                self.grants[realm].revoked = True
            self._keep()

    def reconnect(self, realm: str) -> str:
        """What a person does after a connection ended: a new refresh token, to be put where the client reads it."""
        with self.lock:
            token = f"AB11{secrets.token_hex(18)}"
            self.grants[realm] = Grant(token, issued_world=self.world_seconds(), issued_here=time.time())
            self._keep()
            return token

    def _grant_of(self, token: str) -> tuple[str, Grant] | None:
        for realm, grant in self.grants.items():
            accepted = {grant.refresh_token} | (
                {grant.previous} if self.previous_accepted and grant.previous else set()
            )
            if not grant.revoked and token in accepted:
                return realm, grant
        return None

    def _rotates(self, grant: Grant) -> bool:
        age = max(self.world_seconds() - grant.issued_world, time.time() - grant.issued_here)
        return grant.rotation != "daily" or age >= ROTATES_AFTER

    def _load(self) -> dict[str, Grant]:
        if self.path is None or not self.path.is_file():
            return {}
        kept = json.loads(self.path.read_text(encoding="utf-8"))
        return {realm: Grant(**grant) for realm, grant in kept.items()}

    def _keep(self) -> None:
        """Durable before the answer leaves: a client that stored a token finds it known after a crash of this side."""
        if self.path is None:
            return
        scratch = self.path.with_suffix(".tmp")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({realm: asdict(grant) for realm, grant in self.grants.items()}, file)
        scratch.replace(self.path)


def _is_client(authorization: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and given == f"{CLIENT_ID}:{client_secret()}"
