"""The HTTP side of the stand-in: tokens, scopes, limits; every request is logged and may meet a fault."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from datetime import timedelta
from email.utils import format_datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote
from zoneinfo import ZoneInfo

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from orchestration.demo.serving.clock import WorldClock
from orchestration.demo.serving.controls import control, fault_controls
from orchestration.demo.serving.faults import Faults
from orchestration.demo.serving.faulty import ErrorBodies, answer_with
from orchestration.demo.world import World
from orchestration.demo.zoom import answers, truth
from orchestration.demo.zoom.account import TOKEN_SECONDS, Account, Quirks
from orchestration.demo.zoom.accounts import DEMO_ACCOUNTS, ZoomAccount
from orchestration.demo.zoom.errors import PER_SECOND, ApiError, failure, invalid_token, missing_scope, token_error

SERVICE = "aiop-demo-zoom"
LOG_LENGTH = 20_000
TOKEN_PATH = "/oauth/token"  # noqa: S105 - an address


@dataclass(frozen=True)
class Operation:
    """An address with its weight and the scope it takes. ``uuid``: its variable part may be encoded twice."""

    pattern: re.Pattern[str]
    weight: str
    scope: str
    answer: answers.Answer
    phone: bool = False
    uuid: bool = False


OPERATIONS = (
    Operation(re.compile(r"/v2/users"), "medium", "user:read:list_users:admin", answers.users),
    Operation(re.compile(r"/v2/phone/users"), "medium", "phone:read:list_users:admin", answers.phone_users, True),
    Operation(
        re.compile(r"/v2/phone/call_queues"), "medium", "phone:read:list_call_queues:admin", answers.call_queues, True
    ),
    Operation(
        re.compile(r"/v2/phone/call_history"), "heavy", "phone:read:list_call_logs:admin", answers.call_history, True
    ),
    Operation(re.compile(r"/v2/report/daily"), "heavy", "report:read:admin", answers.daily_report),
    Operation(
        re.compile(r"/v2/report/users/([^/]+)/meetings"), "heavy", "report:read:list_meetings:admin",
        answers.user_meetings,
    ),
    Operation(
        re.compile(r"/v2/report/meetings/([^/]+)/participants"), "heavy",
        "report:read:list_meeting_participants:admin", answers.participants, uuid=True,
    ),
)  # fmt: skip


@dataclass
class Asked:
    """One request as the log shows it: no credential, only a fingerprint of the token."""

    number: int
    method: str
    path: str
    params: dict[str, str]
    account: str
    token: str
    status: int = 0
    fault: str = ""


@dataclass
class Service:
    """All state of a running stand-in. ``directory`` holds the world; None keeps it in memory."""

    facts: Iterable[ZoomAccount] = DEMO_ACCOUNTS
    directory: Path | None = None
    fixed_world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.world = WorldClock(self.directory, self.fixed_world)
        self.accounts = {facts.slug: Account(facts, self.world()) for facts in self.facts}
        self.faults = Faults()
        self.log: list[Asked] = []
        self._number = 0
        for account in self.accounts.values():
            account.follow(self.world())

    def account(self, slug: str) -> Account:
        """An account as of now. Raises KeyError where there is none."""
        account = self.accounts[slug]
        with account.lock:
            account.follow(self.world())
        return account

    def of_token(self, authorization: str) -> Account | None:
        token = authorization.removeprefix("Bearer ")
        now = self.world().now
        return next((one for one in self.accounts.values() if one.knows(token, now + one.ahead)), None)

    def note(self, request: Request, account: Account | None) -> Asked:
        """Enter a request in the log."""
        self._number += 1
        sent = request.headers.get("authorization", "")
        asked = Asked(
            self._number,
            request.method,
            request.url.path,
            dict(request.query_params),
            account.facts.slug if account else "",
            blake2b(sent.partition(" ")[2].encode(), digest_size=6).hexdigest() if sent else "",
        )
        self.log.append(asked)
        del self.log[:-LOG_LENGTH]
        return asked

    def token(self, authorization: str, params: dict[str, str]) -> dict[str, Any]:
        """POST /oauth/token: an access token for the app's own id and secret."""
        if params.get("grant_type") != "account_credentials":
            raise token_error("unsupported_grant_type", "unsupported grant type")
        try:
            client_id, _, secret = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            client_id = secret = ""
        account = next((one for one in self.accounts.values() if one.facts.client_id == client_id), None)
        if account is None or account.facts.client_secret != secret or account.refused:
            raise token_error("invalid_client", "Invalid client_id or client_secret")
        if params.get("account_id") != account.facts.account_id:
            raise token_error("invalid_request", "Invalid account_id")
        with account.lock:
            account.follow(self.world())
            return {
                "access_token": account.issue(),
                "token_type": "bearer",
                "expires_in": TOKEN_SECONDS,
                "scope": " ".join(sorted({one.scope for one in OPERATIONS} - account.missing_scopes)),
                "api_url": "https://api.zoom.us",
            }

    def answer(
        self, account: Account | None, path: str, query: dict[str, str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """One request about an account: its answer and the headers that tell of limits."""
        if account is None:
            raise invalid_token()
        with account.lock:
            account.follow(self.world())
            for operation in OPERATIONS:
                if match := operation.pattern.fullmatch(path):
                    break
            else:
                raise failure(404, 2300, "This API endpoint is not recognized.")
            account.count(operation.phone, operation.weight)
            if operation.scope in account.missing_scopes:
                raise missing_scope(operation.scope)
            if operation.phone and not account.has_phone:
                raise failure(403, 403, "No permission: the account has no Zoom Phone licence.")
            part = unquote(match.group(1)) if match.groups() else ""
            if operation.uuid and "%" in part:
                part = unquote(part)
            elif operation.uuid and (part.startswith("/") or "//" in part):
                # Encoded once, its slashes are the path's for Zoom's gateway.
                raise failure(404, 2300, "This API endpoint is not recognized.")
            headers = {}
            most = account.limit(operation.phone, operation.weight)
            if account.quirks.tells_limits and most:
                headers = {"X-RateLimit-Category": operation.weight.capitalize(), "X-RateLimit-Type": "QPS"}
                headers["X-RateLimit-Limit"] = str(most)
            return operation.answer(account, answers.Call(part, query)), headers


def create_app(service: Service) -> Starlette:
    """The ASGI application of a service."""

    async def endpoint(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        authorization = request.headers.get("authorization", "")
        account = service.of_token(authorization)
        asked = service.note(request, account)

        def answered() -> Response:
            try:
                if asked.path == TOKEN_PATH and request.method == "POST":
                    return _sent(200, service.token(authorization, asked.params | dict(parse_qsl(body))))
                raw_path = request.scope["raw_path"].decode("latin-1")
                found, headers = service.answer(account, raw_path, asked.params)
                return _sent(200, found, headers)
            except ApiError as error:
                return _sent(error.status, error.body, error.headers)

        async def proceed() -> Response:
            return await run_in_threadpool(answered)

        text = " ".join((asked.path, asked.account, *asked.params.values()))
        fault = service.faults.take(asked.path, text)
        if fault is None:
            response = await proceed()
        else:
            asked.fault = fault.kind
            response = await answer_with(fault, _bodies(), request, proceed)
        now = service.world().now + (account.ahead if account else timedelta())
        response.headers["date"] = format_datetime(now, usegmt=True)
        asked.status = response.status_code
        return response

    return Starlette(
        routes=[
            Mount("/_control", routes=_controls(service)),
            Route("/{path:path}", endpoint, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]
    )


def _sent(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    if "\0raw" in body:
        listed = ",".join(next(value for value in body.values() if isinstance(value, list)))
        name = next(key for key, value in body.items() if isinstance(value, list))
        text = f'{{"{name}":[{listed}],"next_page_token":"","total_records":{1 if listed else 0}}}'.encode()
    else:
        text = msgspec.json.encode(body)
    return Response(text, status, {**(headers or {}), "Content-Type": "application/json;charset=UTF-8"})


def _bodies() -> ErrorBodies:
    """Errors as Zoom words them."""

    def of_status(status: int) -> bytes:
        code = 124 if status == 401 else 300 if status == 400 else status
        return msgspec.json.encode({"code": code, "message": "Invalid access token." if code == 124 else "No."})

    return ErrorBodies(
        of_status=of_status,
        throttled=lambda: msgspec.json.encode({"code": 429, "message": PER_SECOND}),
        in_success=lambda: msgspec.json.encode({"code": 5000, "message": "Internal error."}),
    )


def _controls(service: Service) -> list[Route]:
    """Routes below ``/_control``; those about an account take its slug as ``account``."""

    def about(act: Callable[[Account, dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def answer(given: dict[str, Any]) -> Any:
            account = service.account(given["account"])
            with account.lock:
                return act(account, {key: value for key, value in given.items() if key != "account"})

        return answer

    return [
        control("GET", "/state", lambda given: _state(service)),
        control("GET", "/log", lambda given: [asdict(asked) for asked in list(service.log)]),
        control("DELETE", "/log", lambda given: service.log.clear()),
        *fault_controls(service.faults),
        control("POST", "/behaviour", about(_behave)),
        control("GET", "/truth", about(_truth)),
    ]


def _behave(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """Set quirks by their names, and ``missing_scopes``, ``has_phone``, ``refused``, ``ahead_seconds``."""
    plain = {one.name for one in fields(Quirks)} - {"shapes", "raw"}
    for name, value in given.items():
        if name == "missing_scopes":
            account.missing_scopes = set(value)
        elif name in ("has_phone", "refused"):
            setattr(account, name, bool(value))
        elif name == "ahead_seconds":
            account.ahead = timedelta(seconds=value)
        elif name in plain:
            setattr(account.quirks, name, set(value) if name == "repeats" else value)
        else:
            raise ValueError(f"unknown: {name}")
    return {"account": account.facts.slug}


def _truth(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """What the mart must show of the account now, and of ``date`` where one is given; dates of ``timezone``."""
    zone = ZoneInfo(given.get("timezone", account.facts.timezone))
    snapshot = truth.counts(account.life, account.now, zone)
    found: dict[str, Any] = {"snapshot_date": snapshot.day.isoformat(), "counts": snapshot.figures}
    if "date" in given:
        day = truth.date.fromisoformat(given["date"])
        found["figures"] = truth.figures_of_day(account.life, day, account.now, zone)
    return found


def _state(service: Service) -> dict[str, Any]:
    world = service.world()
    return {
        "service": SERVICE,
        "directory": str(service.directory) if service.directory else None,
        "now": world.now.isoformat(),
        "seed": world.seed,
        "days": world.days,
        "accounts": list(service.accounts),
    }
