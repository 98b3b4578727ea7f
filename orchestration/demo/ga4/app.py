"""The HTTP side of the stand-in: every request is logged, may meet a fault, and is answered by the API."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from email.utils import format_datetime
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from orchestration.demo.ga4.api import Answer, Api, error
from orchestration.demo.ga4.properties import DEMO_PROPERTIES, Property
from orchestration.demo.ga4.tokens import Tokens
from orchestration.demo.serving.clock import WorldClock
from orchestration.demo.serving.controls import control, fault_controls
from orchestration.demo.serving.faults import Faults
from orchestration.demo.serving.faulty import ErrorBodies, answer_with
from orchestration.demo.world import World

SERVICE = "aiop-demo-ga4"
API = "/bigquery/v2"
LOG_LENGTH = 20_000


@dataclass
class Asked:
    """One request as the log shows it: no credential."""

    method: str
    path: str
    params: dict[str, str]
    body: str
    status: int = 0
    fault: str = ""


@dataclass
class Service:
    """All state of a running stand-in. ``directory`` holds the world; None keeps it in memory.

    Tokens are asked for where ``tokens`` has keys; without, as an emulator, nobody is asked who he is.
    """

    properties: Iterable[Property] = DEMO_PROPERTIES
    directory: Path | None = None
    fixed_world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.world = WorldClock(self.directory, self.fixed_world)
        self.api = Api(tuple(self.properties), self.world)
        self.tokens = Tokens()
        self.faults = Faults()
        self.log: list[Asked] = []
        self.lock = RLock()

    def answer(self, asked: Asked, authorization: str, base_url: str) -> Answer:
        """Status and body of one request."""
        with self.lock:
            if asked.path == "/token":
                return self.tokens.exchange(dict(parse_qsl(asked.body)), f"{base_url}/token")
            if self.tokens.keys and authorization.removeprefix("Bearer ") not in self.tokens.issued:
                return error(401, "Request had invalid authentication credentials.", "authError")
            body = json.loads(asked.body) if asked.body else {}
            return self.api.answer(asked.method, asked.path.removeprefix(API), asked.params, body)


def create_app(service: Service) -> Starlette:
    """The ASGI application of a service."""

    async def endpoint(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        token = request.url.path == "/token"
        asked = Asked(request.method, request.url.path, dict(request.query_params), "" if token else body)
        service.log.append(asked)
        del service.log[:-LOG_LENGTH]

        async def proceed() -> Response:
            base_url = str(request.base_url).rstrip("/")
            sent = request.headers.get("authorization", "")
            whole = Asked(asked.method, asked.path, asked.params, body)
            status, found = await run_in_threadpool(service.answer, whole, sent, base_url)
            return Response(json.dumps(found), status, media_type="application/json")

        text = " ".join((asked.path, *asked.params.values(), asked.body))
        fault = service.faults.take(asked.path, text)
        if fault is None:
            response = await proceed()
        else:
            asked.fault = fault.kind
            response = await answer_with(fault, _bodies(), request, proceed)
        asked.status = response.status_code
        response.headers["date"] = format_datetime(service.world().now, usegmt=True)
        return response

    return Starlette(
        routes=[
            Mount("/_control", routes=_controls(service)),
            Route("/{path:path}", endpoint, methods=["GET", "POST"]),
        ]
    )


def _bodies() -> ErrorBodies:
    """Errors as BigQuery words them."""

    def body(status: int, message: str, reason: str) -> bytes:
        return json.dumps(error(status, message, reason)[1]).encode()

    def of_status(status: int) -> bytes:
        if status == 403:
            return body(403, "Exceeded rate limits: too many api requests per user per method", "rateLimitExceeded")
        return body(status, "An internal error occurred and the request could not be completed.", "backendError")

    return ErrorBodies(
        of_status=of_status,
        throttled=lambda: body(429, "Exceeded rate limits", "rateLimitExceeded"),
        in_success=lambda: body(500, "An internal error occurred", "internalError"),
    )


def _controls(service: Service) -> list[Route]:
    def state(_: Any) -> dict[str, Any]:
        world = service.world()
        return {
            "service": SERVICE,
            "directory": str(service.directory) if service.directory else None,
            "now": world.now.isoformat(),
            "seed": world.seed,
            "days": world.days,
            "properties": {given.slug: f"{given.project}.{given.dataset}" for given in service.api.properties},
        }

    return [
        control("GET", "/state", state),
        control("GET", "/log", lambda given: [asdict(asked) for asked in list(service.log)]),
        control("DELETE", "/log", lambda given: service.log.clear()),
        *fault_controls(service.faults),
    ]
