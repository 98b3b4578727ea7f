"""The HTTP side of the stand-in: every request is logged, may meet a fault, and is answered by the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from email.utils import format_datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from orchestration.demo.crm.portals import DEMO_PORTALS, Portal
from orchestration.demo.hubspot import steering
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot.api import HubspotApi, encode
from orchestration.demo.hubspot.errors import EXPIRED, error_body, limit_body
from orchestration.demo.serving.clock import WorldClock
from orchestration.demo.serving.controls import control, fault_controls
from orchestration.demo.serving.faults import Faults
from orchestration.demo.serving.faulty import ErrorBodies, answer_with
from orchestration.demo.world import World

SERVICE = "aiop-demo-hubspot"
LOG_LENGTH = 20_000
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass
class Asked:
    """One request as the log shows it: no credential, only a fingerprint of the token."""

    number: int
    method: str
    path: str
    params: dict[str, str]
    body: str
    portal: str
    token: str
    status: int = 0
    fault: str = ""


@dataclass
class Service:
    """All state of a running stand-in. ``directory`` holds the world; None keeps it in memory."""

    portals: Iterable[Portal] = DEMO_PORTALS
    directory: Path | None = None
    fixed_world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.world = WorldClock(self.directory, self.fixed_world)
        self.api = HubspotApi(self.portals, self.world)
        self.faults = Faults()
        self.log: list[Asked] = []
        self._number = 0
        self._slugs = {f"Bearer {account.portal.token}": slug for slug, account in self.api.accounts.items()}

    def account(self, slug: str) -> Account:
        """A portal as of now. Raises KeyError where there is none."""
        account = self.api.accounts[slug]
        with account.lock:
            account.follow(self.world())
        return account

    def note(self, request: Request, body: bytes) -> Asked:
        """Enter a request in the log."""
        self._number += 1
        sent = request.headers.get("authorization", "")
        asked = Asked(
            number=self._number,
            method=request.method,
            path=request.url.path,
            params=dict(request.query_params),
            body=body.decode("utf-8", "replace"),
            portal=self._slugs.get(sent, ""),
            token=blake2b(sent.partition(" ")[2].encode(), digest_size=6).hexdigest() if sent else "",
        )
        self.log.append(asked)
        del self.log[:-LOG_LENGTH]
        return asked


def create_app(service: Service) -> Starlette:
    """The ASGI application of a service."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        asked = service.note(request, body)

        async def proceed() -> Response:
            target = request.scope["raw_path"].decode("latin-1")
            if request.scope["query_string"]:
                target += "?" + request.scope["query_string"].decode("latin-1")
            base_url = str(request.base_url).rstrip("/")
            headers = dict(request.headers)
            answer = await run_in_threadpool(service.api.answer, request.method, target, headers, body, base_url)
            return Response(answer.body, answer.status, answer.headers)

        text = " ".join((asked.path, asked.portal, *asked.params.values(), asked.body))
        fault = service.faults.take(asked.path, text)
        if fault is None:
            response = await proceed()
        else:
            asked.fault = fault.kind
            response = await answer_with(fault, _bodies(), request, proceed)
            response.headers.setdefault("date", format_datetime(service.world().now, usegmt=True))
        asked.status = response.status_code
        return response

    return Starlette(
        routes=[Mount("/_control", routes=_controls(service)), Route("/{path:path}", endpoint, methods=METHODS)]
    )


def _bodies() -> ErrorBodies:
    """Errors as HubSpot words them."""

    failed = encode(error_body("internal error"))

    def of_status(status: int) -> bytes:
        if status == 401:
            return encode(error_body(EXPIRED, "EXPIRED_AUTHENTICATION"))
        return failed if status >= 500 else encode(error_body("There was a problem with the request."))

    return ErrorBodies(
        of_status=of_status,
        throttled=lambda: encode(limit_body("TEN_SECONDLY_ROLLING", 0)),
        in_success=lambda: failed,
    )


def _controls(service: Service) -> list[Route]:
    """Routes below ``/_control``; those about a portal take its slug as ``portal``."""

    def about(act: Callable[[Account, dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def answer(given: dict[str, Any]) -> Any:
            account = service.account(given["portal"])
            with account.lock:
                return act(account, {key: value for key, value in given.items() if key != "portal"})

        return answer

    return [
        control("GET", "/state", lambda given: _state(service)),
        control("GET", "/log", lambda given: [asdict(asked) for asked in list(service.log)]),
        control("DELETE", "/log", lambda given: service.log.clear()),
        *fault_controls(service.faults),
        control("POST", "/behaviour", about(steering.behave)),
        control("POST", "/edit", about(steering.edit)),
        control("GET", "/truth", about(steering.truth)),
    ]


def _state(service: Service) -> dict[str, Any]:
    world = service.world()
    return {
        "service": SERVICE,
        "directory": str(service.directory) if service.directory else None,
        "now": world.now.isoformat(),
        "seed": world.seed,
        "days": world.days,
        "portals": {slug: account.portal.hub_id for slug, account in service.api.accounts.items()},
    }
