"""What goes over the wire: JSON, the XML that Intuit sends unless JSON is asked for, and its fault bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

import msgspec

PACIFIC = ZoneInfo("America/Los_Angeles")
XML_NAMESPACE = "http://schema.intuit.com/finance/v3"
_encoder = msgspec.json.Encoder(decimal_format="number")


def encode(value: Any) -> bytes:
    """JSON with ``Decimal`` as exact numbers."""
    return _encoder.encode(value)


def decode(body: bytes) -> Any:
    return msgspec.json.decode(body)


def instant(now: datetime) -> str:
    """The ``time`` of every response: Pacific, with milliseconds."""
    return now.astimezone(PACIFIC).isoformat(timespec="milliseconds")


FAULT_STYLES = ("plain", "lower", "padded")


@dataclass
class ApiError(Exception):
    """A fault to answer with."""

    status: int
    code: str
    message: str
    detail: str
    type: str = "ValidationFault"
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, now: datetime, style: str = "plain") -> dict[str, Any]:
        """The fault as an object to be encoded, in one of the spellings Intuit's layers use.

        ``lower``: keys in lower case and ``time`` in epoch milliseconds; ``padded``: codes with leading zeros.
        """
        code = self.code.zfill(6) if style == "padded" and self.code else self.code
        if style == "lower":
            errors = [{"message": self.message, "detail": self.detail, "code": code, "element": None}]
            fault = {"error": errors, "type": self.type}
            return {"warnings": None, "fault": fault, "requestId": None, "time": int(now.timestamp() * 1000)}
        errors = [{"Message": self.message, "Detail": self.detail, "code": code, "element": ""}]
        return {"Fault": {"Error": errors, "type": self.type}, "time": instant(now)}


def unauthorised(detail: str) -> ApiError:
    message = "message=AuthenticationFailed; errorCode=003200; statusCode=401"
    return ApiError(401, "3200", message, detail, "AUTHENTICATION")


def forbidden() -> ApiError:
    message = "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403"
    return ApiError(403, "3100", message, "The application is not connected to this company", "AuthorizationFault")


def throttled(headers: dict[str, str] | None = None) -> ApiError:
    message = "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    return ApiError(429, "3001", message, "The request limit was reached. Try again later", "SERVICE", headers or {})


def not_found(detail: str) -> ApiError:
    return ApiError(400, "610", "Object Not Found", f"Object Not Found : {detail}")


def parse_error(detail: str) -> ApiError:
    return ApiError(400, "4000", "Error parsing query", f"QueryParserError: {detail}")


def invalid_query(detail: str) -> ApiError:
    return ApiError(400, "4001", "Invalid query", f"QueryValidationError: {detail}")


def invalid_parameter(name: str, detail: str) -> ApiError:
    return ApiError(400, "2030", "Invalid ID", f"Invalid value for {name}: {detail}")


def to_xml(body: Mapping[str, Any], now: datetime) -> bytes:
    """The same content as Intuit's XML: one element a key, repeated for lists."""
    content = {key: value for key, value in body.items() if key != "time"}
    inner = "".join(_element(key, value) for key, value in content.items())
    stamp = quoteattr(instant(now))
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return f'{head}<IntuitResponse time={stamp} xmlns="{XML_NAMESPACE}">{inner}</IntuitResponse>'.encode()


def _element(key: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(key, part) for part in value)
    if isinstance(value, Mapping):
        return f"<{key}>{''.join(_element(k, v) for k, v in value.items())}</{key}>"
    text = {True: "true", False: "false", None: ""}.get(value) if isinstance(value, bool | None) else str(value)
    return f"<{key}>{escape(text or '')}</{key}>"
