"""Carrying out a fault: answers that are wrong, cut, slow or missing."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from orchestration.demo.serving.faults import Fault

# Open connections by the client's address; the server's protocol keeps it, resets are made through it.
TRANSPORTS: dict[tuple[str, int], asyncio.Transport] = {}
PAGE = "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body>Please try again.</body></html>"


@dataclass(frozen=True)
class ErrorBodies:
    """What a service's own errors look like: those of a status, that of a throttle, one inside a 200."""

    of_status: Callable[[int], bytes]
    throttled: Callable[[], bytes]
    in_success: Callable[[], bytes]


async def answer_with(
    fault: Fault, bodies: ErrorBodies, request: Request, proceed: Callable[[], Awaitable[Response]]
) -> Response:
    """The response of a request that a fault applies to; ``proceed`` gives the right one."""
    headers = dict(fault.headers)
    match fault.kind:
        case "status":
            return _sent(fault, fault.status, fault.body.encode() or bodies.of_status(fault.status), headers)
        case "throttle":
            headers |= {"Retry-After": fault.retry_after} if fault.retry_after else {}
            return _sent(fault, 429, bodies.throttled(), headers)
        case "fault":
            return _sent(fault, 200, fault.body.encode() or bodies.in_success(), headers)
        case "html":
            return Response(PAGE, 200, headers, media_type="text/html")
        case "body":
            return _sent(fault, fault.status, fault.body.encode(), headers)
        case "bad_gzip":
            return _sent(fault, 200, b"\x1f\x8b\x08this is no gzip", headers | {"Content-Encoding": "gzip"})
        case "delay":
            await asyncio.sleep(fault.seconds)
            return await proceed()
        case "reset":
            if fault.after:
                await proceed()
            return _Broken(request)
    right = await proceed()
    body = bytes(right.body)
    match fault.kind:
        case "truncated":
            return Response(body[: len(body) // 2], right.status_code, media_type=right.media_type)
        case "cut":
            return _Broken(request, body, dict(right.headers))
        case _:
            return StreamingResponse(_drip(body, fault.seconds), right.status_code, media_type=right.media_type)


def _sent(fault: Fault, status: int, body: bytes, headers: dict[str, str]) -> Response:
    return Response(body, status, headers, media_type=fault.content_type)


async def _drip(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    for index in range(len(body)):
        yield body[index : index + 1]
        await asyncio.sleep(seconds)


class _Broken(Response):
    """Sends the start of ``body``, if any, and then resets the connection."""

    def __init__(self, request: Request, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        super().__init__(b"", 200, headers)
        self.client = (request.client.host, request.client.port) if request.client else ("", 0)
        self.whole = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.whole:
            headers = [(key, value) for key, value in self.raw_headers if key != b"content-length"]
            headers.append((b"content-length", str(len(self.whole)).encode()))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            half = self.whole[: len(self.whole) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
        reset(self.client)
        # The server learns of the lost connection in its next turns; returning earlier would make it answer 500.
        await asyncio.sleep(0.05)


def reset(client: tuple[str, int]) -> None:
    """Close a client's connection with a reset instead of a proper end."""
    transport = TRANSPORTS.pop(client, None)
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
