"""Credentials on requests: a fixed bearer token, OAuth 2 with refresh tokens that change, or a client's own grant."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from orchestration.errors import ConfigurationError, PermanentError
from orchestration.logs import redact, register_secret
from orchestration.sources.core.http import HttpClient, Reply
from orchestration.sources.core.instants import utc_now
from orchestration.sources.core.records import OAuthTokens, TokenCell, TokenStore
from orchestration.sources.core.retry import TryAgain

log = structlog.get_logger(__name__)

# An access token this close to its end is not worth starting a request with: seconds, or a share of a short life.
_MARGIN = 120.0
_MARGIN_SHARE = 0.1
_DEFAULT_LIFETIME = 3600.0


@dataclass(frozen=True)
class Bearer:
    """A token that does not change."""

    token: str = field(repr=False)

    def authorization(self) -> str:
        """See ``http.Auth``."""
        return f"Bearer {self.token}"

    def renew(self, refused: str) -> bool:
        """There is no other token."""
        return False


def fingerprint(secret: str) -> str:
    """Names a secret without giving it away; equal secrets have equal names."""
    return hashlib.blake2b(secret.encode(), digest_size=12, person=b"aiop-seed").hexdigest()


class InvalidGrant(Exception):
    """The token endpoint refused the refresh token. The text is its reason."""


def inspect_token_reply(reply: Reply) -> None:
    """What a token endpoint's answers mean (RFC 6749, section 5.2)."""
    if reply.status == 429 or reply.status >= 500 or reply.status == 408:
        raise TryAgain(f"{reply.what} answered {reply.status}: {reply.excerpt}", at_least=5.0)
    if 200 <= reply.status < 300:
        if not isinstance(reply.json, dict) or not isinstance(reply.json.get("access_token"), str):
            raise PermanentError(f"{reply.what} answered without an access token")
        return
    error, reason = _oauth_error(reply)
    if error == "invalid_grant":
        raise InvalidGrant(reason)
    if error == "invalid_client" or reply.status in (401, 403):
        raise ConfigurationError(
            f"{reply.what} refuses the client's id or secret ({error or reply.status})",
            hint="copy client id and secret again from the app's keys, those of the same environment.",
        )
    raise ConfigurationError(
        f"{reply.what} refuses to give a token: {reply.status} {error} {reason}".rstrip(),
        hint="check token_url, client id and secret.",
    )


def _oauth_error(reply: Reply) -> tuple[str, str]:
    try:
        body = reply.json
    except TryAgain:
        return "", reply.excerpt
    body = body if isinstance(body, dict) else {}
    reason = body.get("error_description") or body.get("reason") or ""
    return str(body.get("error", "")), redact(str(reason))[:200]


@dataclass
class OAuthRefresh:
    """Access tokens by refresh token, where the refresh token itself changes.

    Only one thread or process at a time talks to the token endpoint (``store.locked``), and what it gets is stored
    before it is used: whoever dies at any point leaves a token that works.

    configured
        The refresh token a person configured. Another one than last time replaces what is stored.
    lifetimes
        Names of the reply's fields that say in how many seconds the refresh token expires.
    """

    client: HttpClient
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    configured: str = field(repr=False)
    store: TokenStore
    lifetimes: tuple[str, ...] = ("refresh_token_expires_in",)
    reconnect: str = "authorize the app again and configure the new refresh token."
    now: Callable[[], datetime] = utc_now
    _tokens: OAuthTokens | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        self._basic = f"Basic {basic}"
        for secret in (basic, self.client_secret, self.configured):
            register_secret(secret)

    @property
    def refresh_expires_at(self) -> datetime | None:
        """When the refresh token ends unless it is used before; None where the service has not said."""
        return self._tokens.refresh_expires_at if self._tokens else None

    def authorization(self) -> str:
        """See ``http.Auth``. ConfigurationError where the connection has been revoked."""
        if self._tokens is None or not self._usable(self._tokens):
            self._obtain(refused=None)
        assert self._tokens is not None
        return f"Bearer {self._tokens.access_token}"

    def renew(self, refused: str) -> bool:
        """See ``http.Auth``: one refresh, unless somebody else already has a newer token."""
        self._obtain(refused=refused.removeprefix("Bearer "))
        return True

    def _usable(self, tokens: OAuthTokens) -> bool:
        ends = tokens.access_expires_at
        return tokens.access_token is not None and ends is not None and ends > self.now()

    def _obtain(self, refused: str | None) -> None:
        with self.store.locked() as cell:
            stored = cell.tokens
            seed = fingerprint(self.configured)
            if stored is None or stored.seed_fingerprint != seed:
                stored = OAuthTokens(refresh_token=self.configured, seed_fingerprint=seed)
            if stored.revoked_reason:
                raise self._revoked(stored.revoked_reason)
            if not self._usable(stored) or stored.access_token == refused:
                stored = self._refresh(cell, stored)
            self._tokens = stored
            register_secret(stored.access_token or "")
            register_secret(stored.refresh_token)

    def _refresh(self, cell: TokenCell, stored: OAuthTokens) -> OAuthTokens:
        # Where a reply was lost, the token before may be the one that the service still knows.
        candidates = [stored.refresh_token]
        if stored.previous_refresh_token not in (None, stored.refresh_token):
            candidates.append(str(stored.previous_refresh_token))
        reason = ""
        for candidate in candidates:
            try:
                body = self._request(candidate)
            except InvalidGrant as error:
                reason = reason or str(error) or "invalid_grant"
                continue
            tokens = self._parsed(body, stored, candidate)
            cell.save(tokens)
            log.debug("token_refreshed", rotated=tokens.refresh_token != candidate)
            return tokens
        cell.save(replace(stored, access_token=None, access_expires_at=None, revoked_reason=reason))
        raise self._revoked(reason)

    def _request(self, refresh_token: str) -> Mapping[str, Any]:
        reply = self.client.call(
            "POST",
            self.token_url,
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
            headers={"Authorization": self._basic, "Accept": "application/json"},
        )
        body: Mapping[str, Any] = reply.json
        return body

    def _parsed(self, body: Mapping[str, Any], stored: OAuthTokens, used: str) -> OAuthTokens:
        now = self.now()
        fresh = body.get("refresh_token")
        refresh_token = fresh if isinstance(fresh, str) and fresh else used
        register_secret(body["access_token"])
        register_secret(refresh_token)
        lifetimes = [seconds for name in self.lifetimes if (seconds := _seconds(body.get(name))) is not None]
        return OAuthTokens(
            refresh_token=refresh_token,
            seed_fingerprint=stored.seed_fingerprint,
            access_token=body["access_token"],
            access_expires_at=now + timedelta(seconds=_useful(body.get("expires_in"))),
            refresh_expires_at=now + timedelta(seconds=min(lifetimes)) if lifetimes else None,
            previous_refresh_token=used if refresh_token != used else stored.previous_refresh_token,
        )

    def _revoked(self, reason: str) -> ConfigurationError:
        return ConfigurationError(f"the connection is no longer authorized: {reason}", hint=self.reconnect)


@dataclass
class ClientGrant:
    """Access tokens for the client's own id and secret: there is no refresh token, so nothing is stored.

    One token serves a session until it is about to end or is refused; then another one is asked for.

    params
        The grant as the service's token endpoint takes it in the address, ``grant_type`` among them.
    reconnect
        The way out where the client is refused.
    """

    client: HttpClient
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    params: Mapping[str, str]
    reconnect: str = "copy client id and secret again."
    now: Callable[[], datetime] = utc_now
    _token: str | None = field(default=None, repr=False)
    _ends: datetime | None = None

    def __post_init__(self) -> None:
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        self._basic = f"Basic {basic}"
        for secret in (basic, self.client_secret):
            register_secret(secret)

    def authorization(self) -> str:
        """See ``http.Auth``. ConfigurationError where the client is refused."""
        if self._token is None or self._ends is None or self._ends <= self.now():
            self._obtain()
        return f"Bearer {self._token}"

    def renew(self, refused: str) -> bool:
        """See ``http.Auth``: another token, unless there is one already."""
        if refused == f"Bearer {self._token}":
            self._obtain()
        return True

    def _obtain(self) -> None:
        headers = {"Authorization": self._basic, "Accept": "application/json"}
        try:
            reply = self.client.call("POST", self.token_url, params=self.params, headers=headers)
        except InvalidGrant as error:
            raise ConfigurationError(f"the token endpoint refuses the grant: {error}", hint=self.reconnect) from error
        except ConfigurationError as error:
            error.hint = self.reconnect
            raise
        token = reply.json["access_token"]
        register_secret(token)
        self._token, self._ends = token, self.now() + timedelta(seconds=_useful(reply.json.get("expires_in")))


def _useful(expires_in: object) -> float:
    """For how many seconds a new token is worth starting a request with."""
    lifetime = _seconds(expires_in) or _DEFAULT_LIFETIME
    return lifetime - min(_MARGIN, lifetime * _MARGIN_SHARE)


def _seconds(value: object) -> float | None:
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    # Past ten years: nonsense, or a word for never.
    return seconds if 0 < seconds < 10 * 366 * 86400 else None


class MemoryTokenStore:
    """Tokens that live as long as the process: for checks and tests. Threads take turns as they do on a stored one."""

    def __init__(self, tokens: OAuthTokens | None = None) -> None:
        self.tokens = tokens
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def locked(self) -> Iterator[TokenCell]:
        """See ``records.TokenStore``."""
        with self._lock:
            yield self

    def save(self, tokens: OAuthTokens) -> None:
        """See ``records.TokenCell``."""
        self.tokens = tokens
