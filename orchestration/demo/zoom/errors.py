"""Zoom's error answers: a status, and a code of their own with a message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime


class ApiError(Exception):
    """An answer other than success: status, JSON body, extra headers."""

    def __init__(self, status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def failure(status: int, code: int, message: str, headers: dict[str, str] | None = None) -> ApiError:
    return ApiError(status, {"code": code, "message": message}, headers)


def invalid_token() -> ApiError:
    return failure(401, 124, "Invalid access token.")


def not_valid(message: str) -> ApiError:
    return failure(400, 300, message)


def page_token_refused() -> ApiError:
    return not_valid("The next page token is invalid or expired.")


def missing_scope(scope: str) -> ApiError:
    return failure(400, 4711, f"Invalid access token, does not contain scopes:[{scope}].")


def token_error(error: str, reason: str) -> ApiError:
    return ApiError(400, {"reason": reason, "error": error})


PER_SECOND = "You have reached the maximum per-second rate limit for this API. Try again later."
PER_DAY = (
    "You have reached the maximum daily rate limit for this API. Refer to the response header for details on when you "
    "can make another request."
)


def throttled(weight: str, most: int | None, style: str, now: datetime, daily: bool = False) -> ApiError:
    """A 429. ``style``: how its Retry-After is written (seconds, date, iso), or none for no such headers at all."""
    message = PER_DAY if daily else PER_SECOND
    if style == "none":
        return failure(429, 429, message)
    until = now.replace(microsecond=0) + timedelta(seconds=1)
    if daily:
        until = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
    seconds = str(int((until - now).total_seconds()) or 1)
    written = {"seconds": seconds, "date": format_datetime(until, usegmt=True), "iso": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
    headers = {"X-RateLimit-Category": weight.capitalize(), "X-RateLimit-Type": "Daily-limit" if daily else "QPS"}
    headers |= {"X-RateLimit-Remaining": "0", "Retry-After": written[style]}
    return failure(429, 429, message, headers | ({"X-RateLimit-Limit": str(most)} if most else {}))
