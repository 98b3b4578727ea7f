"""The HTTP side of the stand-in: routes, authorisation, throttles, faults and the log of what was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from orchestration.demo.books.company import Company
from orchestration.demo.quickbooks import control
from orchestration.demo.quickbooks.limits import Limits
from orchestration.demo.quickbooks.oauth import Reply, TokenServer, fingerprint
from orchestration.demo.quickbooks.realm import Realm
from orchestration.demo.quickbooks.wire import ApiError, encode, forbidden, throttled, to_xml, unauthorised
from orchestration.demo.serving.clock import WorldClock
from orchestration.demo.serving.faults import Faults
from orchestration.demo.serving.faulty import ErrorBodies, answer_with
from orchestration.demo.world import World

LOG_LENGTH = 20_000
_decimal_decoder = msgspec.json.Decoder(float_hook=str)


@dataclass
class Asked:
    """One request as the log shows it: no credential, only fingerprints of tokens."""

    number: int
    method: str
    path: str
    params: dict[str, str]
    realm: str
    status: int = 0
    fault: str = ""
    token: str = ""


@dataclass
class Service:
    """All state of a running stand-in. ``directory`` holds the world and the tokens; None keeps both in memory."""

    companies: Iterable[Company]
    directory: Path | None
    fixed_world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.world = WorldClock(self.directory, self.fixed_world)
        self.realms = {company.realm_id: Realm(company, self.world()) for company in self.companies}
        self.limits = {realm: Limits() for realm in self.realms}
        tokens = self.directory / "quickbooks_tokens.json" if self.directory else None
        self.tokens = TokenServer(self.realms, tokens, lambda: self.world().now.timestamp())
        self.faults = Faults()
        self.log: list[Asked] = []
        self._number = 0

    def note(self, request: Request, form: dict[str, str]) -> Asked:
        """Enter a request in the log."""
        self._number += 1
        sent = form.get("refresh_token") or request.headers.get("authorization", "").partition(" ")[2]
        shown = {key: value for key, value in form.items() if "token" not in key}
        asked = Asked(
            number=self._number,
            method=request.method,
            path=request.url.path,
            params=dict(request.query_params) | shown,
            realm=request.path_params.get("realm", ""),
            token=fingerprint(sent) if sent else "",
        )
        self.log.append(asked)
        del self.log[:-LOG_LENGTH]
        return asked


def create_app(service: Service) -> Starlette:
    """The ASGI application of a service."""

    def endpoint(handle: Callable[[Service, Request, dict[str, str]], Awaitable[Response]]) -> Callable:
        async def answer(request: Request) -> Response:
            body = (await request.body()).decode("utf-8", "replace") if request.method == "POST" else ""
            form = _form(request, body)
            asked = service.note(request, form)
            text = " ".join((request.url.path, *request.query_params.values(), *form.values()))
            fault = service.faults.take(request.url.path, text)
            if fault is not None:
                asked.fault = fault.kind
                response = await answer_with(fault, _bodies(service), request, lambda: handle(service, request, form))
            else:
                response = await handle(service, request, form)
            asked.status = response.status_code
            # Clients keep watermarks by the server's clock: it must be the world's, in every place it shows.
            response.headers["date"] = format_datetime(service.world().now, usegmt=True)
            response.headers["intuit_tid"] = f"1-{asked.number:08x}"
            return response

        return answer

    company = "/v3/company/{realm}"
    return Starlette(
        routes=[
            Route("/oauth2/v1/tokens/bearer", endpoint(_token), methods=["POST"]),
            Route("/v2/oauth2/tokens/revoke", endpoint(_revoke), methods=["POST"]),
            Route(f"{company}/query", endpoint(_company(_query)), methods=["GET", "POST"]),
            Route(f"{company}/cdc", endpoint(_company(_capture))),
            Route(f"{company}/reports/{{name}}", endpoint(_company(_report))),
            Route(f"{company}/{{entity}}", endpoint(_company(_read))),
            Route(f"{company}/{{entity}}/{{number}}", endpoint(_company(_read))),
            Mount("/_control", routes=control.routes(service)),
        ]
    )


def _bodies(service: Service) -> ErrorBodies:
    """Errors as Intuit words them."""

    def failed(status: int, code: str, detail: str = "") -> bytes:
        error = ApiError(status, code, "An application error has occurred", detail, "SystemFault")
        return encode(error.body(service.world().now))

    return ErrorBodies(
        of_status=lambda status: failed(status, str(status)),
        throttled=lambda: encode(throttled().body(service.world().now)),
        in_success=lambda: failed(200, "10000", "System Failure Error"),
    )


async def _token(service: Service, request: Request, form: dict[str, str]) -> Response:
    return _reply(await run_in_threadpool(service.tokens.token, request.headers.get("authorization", ""), form))


async def _revoke(service: Service, request: Request, form: dict[str, str]) -> Response:
    authorization = request.headers.get("authorization", "")
    return _reply(await run_in_threadpool(service.tokens.revoke, authorization, form.get("token", "")))


def _company(ask: Callable[[Realm, Request, dict[str, str]], bytes]) -> Callable[..., Awaitable[Response]]:
    """A handler about one company: who asks, how often, and its answer in the format that was asked for."""

    async def handle(service: Service, request: Request, form: dict[str, str]) -> Response:
        world = service.world()
        try:
            realm = _authorised(service, request)
            with service.limits[realm.company.realm_id].admit(report="/reports/" in request.url.path):

                def work() -> bytes:
                    with realm.lock:
                        realm.follow(world)
                        return ask(realm, request, form)

                return render(request, 200, await run_in_threadpool(work), world)
        except ApiError as error:
            asked = service.realms.get(request.path_params["realm"])
            style = asked.behaviour.fault_style if asked else "plain"
            return render(request, error.status, encode(error.body(world.now, style)), world, error.headers)

    return handle


def _authorised(service: Service, request: Request) -> Realm:
    authorization = request.headers.get("authorization", "")
    if not authorization:
        raise unauthorised("Missing authorization header")
    granted = service.tokens.realm_of(authorization)
    if granted is None:
        raise unauthorised("Token expired")
    if granted != request.path_params["realm"]:
        raise forbidden()
    return service.realms[granted]


def _query(realm: Realm, request: Request, form: dict[str, str]) -> bytes:
    return realm.query(request.query_params.get("query") or form.get("query", ""))


def _capture(realm: Realm, request: Request, form: dict[str, str]) -> bytes:
    return realm.capture(request.query_params.get("entities", ""), request.query_params.get("changedSince", ""))


def _report(realm: Realm, request: Request, form: dict[str, str]) -> bytes:
    return realm.report(request.path_params["name"], request.query_params)


def _read(realm: Realm, request: Request, form: dict[str, str]) -> bytes:
    return realm.read(request.path_params["entity"], request.path_params.get("number", "1"))


def render(request: Request, status: int, body: bytes, world: World, headers: dict[str, str] | None = None) -> Response:
    """JSON for those who ask for it; XML for all others, as the real service does."""
    if "application/json" in request.headers.get("accept", ""):
        return Response(body, status, headers, media_type="application/json;charset=UTF-8")
    return Response(to_xml(_decimal_decoder.decode(body), world.now), status, headers, media_type="application/xml")


def _reply(reply: Reply) -> Response:
    return Response(encode(reply.body), reply.status, media_type="application/json;charset=UTF-8")


def _form(request: Request, body: str) -> dict[str, str]:
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/text"):
        return {"query": body}
    if kind.startswith("application/json"):
        decoded = msgspec.json.decode(body) if body else {}
        return {key: str(value) for key, value in decoded.items()} if isinstance(decoded, dict) else {}
    return dict(parse_qsl(body, keep_blank_values=True))
