"""What QuickBooks' answers mean when they are not data.

A ``Fault`` comes with any status, 200 included, at the top or inside a query or change-capture response, in either
capitalisation, and its codes with or without leading zeros. Throttling and what fails ahead of the service is told in
XML, whatever was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from orchestration.errors import ConfigurationError, PermanentError
from orchestration.logs import redact
from orchestration.sources.core.http import Reply, Unauthorized
from orchestration.sources.core.instants import parse_retry_after, utc_now
from orchestration.sources.core.retry import TryAgain

TOKEN_EXPIRED = {"3200"}
NOT_AUTHORIZED = {"3100", "3201", "3202"}
LAPSED = {"7001", "6190"}
MAY_NOT = {"5020", "5030"}
THROTTLED = {"3001"}
SYSTEM_FAILURE = {"10000"}
TOO_LARGE = {"10100"}

# A throttled app that asks again sooner only prolongs it.
THROTTLE_PAUSE = 60.0

_LARGEST_XML_FAULT = 64 * 1024

_QUOTA_HINT = "if it goes on for hours, the app's monthly quota may be used up: see the Intuit developer dashboard."
_ACCESS_HINT = (
    "the app is not connected to this company: check that realm_id belongs to the refresh token, that base_url is that "
    "of the same environment (sandbox or production), that the app has the accounting scope, and that the user who "
    "connected it still has access to the company; then connect again."
)
_OUTAGE_HINT = f"an outage at Intuit looks like this: run the sync again later. If it stays, {_ACCESS_HINT}"
_REFUSED_HINT = (
    "what was loaded before is untouched. If it goes on, ask Intuit's support: it finds the request by its intuit_tid."
)
_LAPSED_HINT = f"the company's subscription may have lapsed: see its billing in QuickBooks. If not, {_ACCESS_HINT}"


class Forbidden(PermanentError):
    """The company is connected, and this one thing of it may not be read: other streams may be."""

    kind = "configuration"

    def __init__(self, said: str) -> None:
        super().__init__(
            f"QuickBooks does not let this be read: {said}",
            hint="the user who connected the company has no right to it: connect again as an administrator of the "
            "company. Or its plan does not have it: then name the stream under skip_streams in organizations.yml. What "
            "was loaded before is untouched.",
        )


class TooLarge(PermanentError):
    """The answer would be too large: one to a narrower question may not be."""

    def __init__(self, said: str) -> None:
        super().__init__(f"QuickBooks has more to say than it puts into one answer: {said}", hint=_REFUSED_HINT)


@dataclass(frozen=True)
class Fault:
    """An error QuickBooks reports. ``code`` without leading zeros."""

    code: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.text} (code {self.code})" if self.code else self.text


def inspect(reply: Reply) -> None:
    """Raise what a response means unless it is data; see ``core.http.Inspect``."""
    fault = _fault_of(reply)
    if fault is None and 200 <= reply.status < 300:
        _inspect_success(reply)
        return
    code = fault.code if fault else ""
    kind = fault.kind.lower() if fault else ""
    said = f"{fault or reply.excerpt}{_trace_id(reply)}"
    if reply.status == 429 or code in THROTTLED or "throttl" in kind:
        after = parse_retry_after(reply.headers.get("retry-after"), reply.date or utc_now())
        raise TryAgain(f"QuickBooks throttles: {said}", after=after, at_least=THROTTLE_PAUSE, hint=_QUOTA_HINT)
    if code in TOO_LARGE:
        raise TooLarge(said)
    if reply.status < 500:
        _inspect_access(reply, code, kind, said)
    if reply.status >= 500 or reply.status == 408 or code in SYSTEM_FAILURE or kind.startswith("system"):
        after = parse_retry_after(reply.headers.get("retry-after"), reply.date or utc_now())
        slow = reply.status in (408, 504)
        hint = _OUTAGE_HINT if code in NOT_AUTHORIZED else ""
        raise TryAgain(f"QuickBooks failed with {reply.status}: {said}", after=after, slow=slow, hint=hint)
    elsewhere = reply.status == 404 or 300 <= reply.status < 400
    hint = "check base_url and realm_id." if elsewhere else _REFUSED_HINT
    raise PermanentError(f"QuickBooks refuses the request with {reply.status}: {said}", hint=hint)


def _inspect_access(reply: Reply, code: str, kind: str, said: str) -> None:
    """Whose data may be read. With 5xx the same codes tell of an outage, and of nobody's rights."""
    if code in MAY_NOT:
        raise Forbidden(said)
    if code in LAPSED:
        raise ConfigurationError(f"QuickBooks does not serve this company: {said}", hint=_LAPSED_HINT)
    if code in NOT_AUTHORIZED:
        raise ConfigurationError(f"QuickBooks denies access: {said}", hint=_ACCESS_HINT)
    if reply.status == 401 or code in TOKEN_EXPIRED or kind.startswith("authentication"):
        raise Unauthorized(said)
    if reply.status == 403 or kind.startswith("authorization"):
        raise ConfigurationError(f"QuickBooks denies access: {said}", hint=_ACCESS_HINT)


def _inspect_success(reply: Reply) -> None:
    """A query that finds nothing is answered with an empty object: one without any must not be taken for no records."""
    if reply.what.endswith("/query") and "QueryResponse" not in reply.json:
        raise TryAgain(
            f"{reply.what} answered {reply.status} without a QueryResponse: {reply.excerpt}",
            hint="the service or something in front of it sent something else instead; check base_url if it goes on.",
        )


def _fault_of(reply: Reply) -> Fault | None:
    ok = 200 <= reply.status < 300
    if reply.body.lstrip()[:1] == b"<" and (fault := _in_xml(reply.body)):
        return fault
    try:
        body = reply.json
    except TryAgain:
        # Half an answer or a page instead of one. With an error status, the status says enough.
        if ok:
            raise
        return None
    if not isinstance(body, dict):
        if ok:
            raise TryAgain(f"QuickBooks answered with something that is not an object: {reply.excerpt}")
        return None
    for place in _places(body):
        for key in ("Fault", "fault"):
            if place.get(key):
                return _parsed(place[key])
    return None


def _places(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Where a fault may stand: at the top, in a query's response, in each part of change capture's."""
    yield body
    yield from objects(body.get("QueryResponse"))
    for capture in objects(body.get("CDCResponse")):
        yield capture
        yield from objects(capture.get("QueryResponse"))


def objects(value: object) -> list[dict[str, Any]]:
    """What should be a list of objects as one: a lone object counts as a list of one, anything else is left out."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _parsed(fault: object) -> Fault:
    if not isinstance(fault, dict):
        return Fault("", "", redact(str(fault))[:300])
    lower = {str(key).lower(): value for key, value in fault.items()}
    errors = [{str(key).lower(): value for key, value in one.items()} for one in objects(lower.get("error"))]
    texts = [": ".join(str(one[key]) for key in ("message", "detail") if one.get(key)) for one in errors]
    code = next((str(one["code"]) for one in errors if one.get("code")), "")
    text = redact("; ".join(text for text in texts if text) or "no reason given")[:300]
    return Fault(code.lstrip("0"), str(lower.get("type") or ""), text)


def _in_xml(body: bytes) -> Fault | None:
    """The fault of an XML answer; None where it has none, or is a page instead."""
    if len(body) > _LARGEST_XML_FAULT:
        return None
    try:
        fault = ElementTree.fromstring(body).find(".//{*}Fault")
    except ElementTree.ParseError:
        return None
    if fault is None:
        return None
    errors = [
        {"code": one.get("code"), "message": one.findtext("{*}Message"), "detail": one.findtext("{*}Detail")}
        for one in fault.iterfind("{*}Error")
    ]
    return _parsed({"type": fault.get("type"), "error": errors})


def _trace_id(reply: Reply) -> str:
    trace_id = reply.headers.get("intuit_tid")
    return f" [intuit_tid {trace_id}]" if trace_id else ""
