"""HTTP for extractors: one request at a time, authenticated, within limits, retried, read whole or not at all."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any, Protocol, Self

import httpx2

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.logs import redact
from orchestration.sources.core.decoding import Undecodable, decode_json
from orchestration.sources.core.instants import parse_http_date
from orchestration.sources.core.limits import RateLimiter, Watchdog
from orchestration.sources.core.records import RequestStats
from orchestration.sources.core.retry import RetryPolicy, TooSlow, TryAgain, with_retry

USER_AGENT = "aiop-warehouse"
_MEBIBYTE = 2**20


@cache
def _trusted() -> ssl.SSLContext:
    """Which certificates are trusted: reading them takes longer than a request, so all clients share them."""
    return httpx2.create_ssl_context()


class Unauthorized(Exception):
    """The credentials sent were refused: newer ones may be accepted. The text is the server's reason."""


class Auth(Protocol):
    """Puts credentials on requests."""

    def authorization(self) -> str:
        """Value of the Authorization header, valid now."""

    def renew(self, refused: str) -> bool:
        """After ``refused`` was refused: whether there is another value to try."""


@dataclass(frozen=True)
class Reply:
    """A response, read to its end. ``body`` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    what: str

    @cached_property
    def json(self) -> Any:
        """The decoded body; TryAgain where it is not JSON (an error page, half an answer): never a part of it."""
        try:
            return decode_json(self.body)
        except Undecodable as error:
            raise TryAgain(
                f"{self.what} answered {self.status} with something that is not JSON ({error}): {self.excerpt}",
                hint="the service or something in front of it sent a page instead of data; try again later.",
            ) from None

    @property
    def excerpt(self) -> str:
        """The first 200 characters, credentials taken out."""
        text = redact(self.body[:2000].decode("utf-8", "replace"))
        return " ".join(text.split())[:200] or "(empty)"

    @cached_property
    def date(self) -> datetime | None:
        """The server's clock when it answered, by its Date header."""
        return parse_http_date(self.headers.get("date"))


@dataclass(frozen=True)
class Request:
    """One request, before credentials."""

    method: str
    url: str
    params: Mapping[str, str] | None
    data: Mapping[str, str] | None
    json: Any
    headers: Mapping[str, str]
    deadline: float


Inspect = Callable[[Reply], None]
"""Looks at every response: raises Unauthorized, TryAgain or a SourceError where it is not an answer."""


@dataclass
class HttpClient:
    """Requests to one service for one organization.

    deadline
        Seconds one attempt may take in all: connecting, waiting, reading the last byte.
    read_timeout
        Seconds without a single byte after which an attempt has failed.
    """

    inspect: Inspect
    auth: Auth | None = None
    limiter: RateLimiter | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    stats: RequestStats = field(default_factory=RequestStats)
    headers: Mapping[str, str] = field(default_factory=dict)
    deadline: float = 150.0
    read_timeout: float = 120.0
    connect_timeout: float = 15.0
    largest_body: int = 256 * _MEBIBYTE
    transport: httpx2.BaseTransport | None = None

    def __post_init__(self) -> None:
        self._watchdog = Watchdog()
        self._turn = threading.Lock()
        self._gave_up = False
        self._client = httpx2.Client(
            transport=self.transport,
            verify=_trusted(),
            headers={"User-Agent": USER_AGENT, **self.headers},
            timeout=httpx2.Timeout(self.read_timeout, connect=self.connect_timeout),
            # One connection: requests of a session follow each other, and the watchdog knows which socket to end.
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the client can't be used afterwards."""
        self._client.close()

    def call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        limiters: Sequence[RateLimiter] = (),
        deadline: float | None = None,
        patient: bool = True,
    ) -> Reply:
        """Send one request until it is answered, within the policy.

        ``data``: a form; ``json``: a JSON body. ``limiters``: further limits that this kind of request counts against.
        ``deadline``: instead of the client's. Not ``patient``: see ``with_retry``.
        """
        request = Request(method, url, params, data, json, headers or {}, deadline or self.deadline)

        def attempt() -> Reply:
            for limiter in (*limiters, *([self.limiter] if self.limiter else [])):
                self.stats.waited_seconds += limiter.wait()
            return self._authenticated(request)

        # A service that is down need not be shown to be down at full length for every stream of the session.
        policy = replace(self.policy, attempts=min(2, self.policy.attempts)) if self._gave_up else self.policy
        try:
            reply = with_retry(attempt, policy=policy, stats=self.stats, patient=patient)
        except TooSlow:
            raise
        except TransientError:
            self._gave_up = True
            raise
        self._gave_up = False
        return reply

    def _authenticated(self, request: Request) -> Reply:
        if self.auth is None:
            return self._inspected(request)
        authorization = self.auth.authorization()
        try:
            return self._inspected(request, authorization)
        except Unauthorized as error:
            refusal = error
        if self.auth.renew(authorization):
            try:
                return self._inspected(request, self.auth.authorization())
            except Unauthorized as error:
                refusal = error
        raise ConfigurationError(
            f"the credentials are refused: {refusal}",
            hint="check that they belong to this account and environment (sandbox or production), or connect again.",
        ) from refusal

    def _inspected(self, request: Request, authorization: str | None = None) -> Reply:
        headers = dict(request.headers)
        if authorization is not None:
            headers["Authorization"] = authorization
        with self._turn:
            reply = self._send(request, headers)
        self.inspect(reply)
        if not 200 <= reply.status < 300:
            raise PermanentError(f"{reply.what} answered {reply.status}: {reply.excerpt}")
        return reply

    def _send(self, request: Request, headers: Mapping[str, str]) -> Reply:
        address = httpx2.URL(request.url)
        what = f"{address.host}{address.path}"
        self.stats.requests += 1
        too_late = TryAgain(f"{what} was still answering after {request.deadline:.0f} seconds", slow=True)
        ends = time.monotonic() + request.deadline
        try:
            with self._watchdog.watch(request.deadline):
                with self._client.stream(
                    request.method,
                    address,
                    params=request.params,
                    data=request.data,
                    json=request.json,
                    headers=headers,
                    extensions={"trace": self._watchdog.trace},
                ) as response:
                    body = bytearray()
                    for chunk in response.iter_bytes():
                        body += chunk
                        if time.monotonic() > ends:
                            raise too_late
                        if len(body) > self.largest_body:
                            raise PermanentError(
                                f"{what} answered with more than {self.largest_body // _MEBIBYTE} MiB",
                                hint="no page of this service is that large: check the address.",
                            )
        except httpx2.TimeoutException as error:
            slow = not isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout)
            raise TryAgain(f"{what} did not answer in time ({type(error).__name__})", slow=slow) from None
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            if self._watchdog.fired:
                raise too_late from None
            raise TryAgain(f"{what} could not be read: {type(error).__name__}: {redact(str(error))[:200]}") from None
        if self._watchdog.fired:
            # Shut down by us: without a length, the end of the stream looks like the end of the body.
            raise too_late
        self.stats.received_bytes += len(body)
        return Reply(response.status_code, response.headers, bytes(body), what)
