"""Control endpoints: how tests and demos steer a stand-in. Bad requests are answered 400 with ``{"error": …}``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestration.demo.serving.faults import Fault, Faults

_encoder = msgspec.json.Encoder(decimal_format="number")


def control(method: str, path: str, act: Callable[[Any], Any]) -> Route:
    """A route that calls ``act`` with the decoded body or, without one, the query's parameters."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        try:
            given = msgspec.json.decode(body) if body else dict(request.query_params)
            result = await run_in_threadpool(act, given)
        except (ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
            return Response(_encoder.encode({"error": f"{type(error).__name__}: {error}"}), 400)
        return Response(_encoder.encode(result), media_type="application/json")

    return Route(path, answer, methods=[method])


def fault_controls(faults: Faults) -> list[Route]:
    """GET, POST and DELETE ``/faults``."""

    def add(given: Any) -> dict[str, int]:
        added = [Fault.of(one) for one in (given if isinstance(given, list) else [given])]
        for fault in added:
            faults.add(fault)
        return {"added": len(added)}

    return [
        control("GET", "/faults", lambda given: faults.listed()),
        control("POST", "/faults", add),
        control("DELETE", "/faults", lambda given: faults.clear()),
    ]
