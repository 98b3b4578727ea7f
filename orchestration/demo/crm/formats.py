"""How HubSpot writes values. Instants inside the CRM are whole milliseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

SECOND = 1000
DAY = 86_400 * SECOND


def to_ms(instant: datetime) -> int:
    """Milliseconds of an aware instant."""
    return round(instant.timestamp() * 1000)


def to_datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def iso(ms: int) -> str:
    """ISO 8601 in UTC; the fraction is left out where it is zero, as Java's instants print."""
    seconds, millis = divmod(ms, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"


def parse_instant(text: str) -> int:
    """Milliseconds of an ISO instant, an ISO date (midnight UTC) or digits that already are milliseconds.

    Raises ValueError for anything else.
    """
    stripped = text.strip()
    if stripped.lstrip("-").isdigit():
        return int(stripped)
    parsed = datetime.fromisoformat(stripped)
    return to_ms(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


def plain(number: Decimal) -> str:
    """A number without trailing zeros or exponent, as the record's own fields are written."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def calculated(number: Decimal) -> str:
    """A number as HubSpot's calculated properties are written: from ten million up with an exponent."""
    if abs(number) < 10_000_000:
        return plain(number)
    sign, digits, _ = number.normalize().as_tuple()
    mantissa = "".join(map(str, digits))
    return f"{'-' if sign else ''}{mantissa[0]}.{mantissa[1:] or '0'}E{number.adjusted()}"


def local_date(ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(ms / 1000, zone).date()


def local_instant(day: date, hour: int, minute: int, zone: ZoneInfo) -> int:
    return to_ms(datetime.combine(day, time(hour, minute), tzinfo=zone))
