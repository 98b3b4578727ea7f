"""Instants as services write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Offsets come as -08:00, -0800 and Z; more than six digits of a second come from some servers.
_OFFSET = re.compile(r"([+-]\d{2})(\d{2})\Z")
_FRACTION = re.compile(r"(\.\d{6})\d+")


def utc_now() -> datetime:
    """The local clock, aware. Only for lifetimes of tokens and waits: never for a watermark."""
    return datetime.now(UTC)


def parse_iso(text: object) -> datetime | None:
    """An ISO 8601 timestamp as an aware UTC instant; one without offset counts as UTC. None: not a timestamp."""
    if not isinstance(text, str) or len(text) < 10:
        return None
    try:
        return _as_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    try:
        return _as_utc(datetime.fromisoformat(_FRACTION.sub(r"\1", _OFFSET.sub(r"\1:\2", text.strip()))))
    except (ValueError, OverflowError):
        return None


def parse_http_date(text: str | None) -> datetime | None:
    """The ``Date`` header (RFC 9110) as an aware UTC instant; None where absent or malformed."""
    if not text:
        return None
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return _as_utc(instant)


def _as_utc(instant: datetime) -> datetime:
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` header: a number, an HTTP date or an ISO timestamp. None: says nothing.

    ``now`` is the server's clock where the response tells it, so that a wrong clock here can't stretch the wait.
    """
    if text is None or not text.strip():
        return None
    text = text.strip()
    try:
        seconds = float(text)
        return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None
    except ValueError:
        pass
    until = parse_iso(text) or parse_http_date(text)
    return max(0.0, (until - now).total_seconds()) if until else None
