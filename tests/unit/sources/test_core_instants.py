from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestration.sources.core.instants import parse_http_date, parse_iso, parse_retry_after

NOON = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-08T04:00:00-08:00", NOON),
        ("2026-03-08T04:00:00-0800", NOON),
        ("2026-03-08T12:00:00Z", NOON),
        ("2026-03-08T12:00:00", NOON),
        ("2026-03-08T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
        ("2026-03-08", datetime(2026, 3, 8, tzinfo=UTC)),
    ],
)
def test_timestamps_are_read_with_every_offset_in_use(text: str, instant: datetime) -> None:
    assert parse_iso(text) == instant


@pytest.mark.parametrize("text", [None, "", "yesterday", 20260308, "0000-00-00T00:00:00Z", "2026-13-01T00:00:00Z"])
def test_what_is_no_timestamp_is_unknown(text: object) -> None:
    assert parse_iso(text) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("Sun, 08 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 08 Mar 2026 11:00:00 GMT", 0.0),
        ("2026-03-08T12:01:00Z", 60.0),
        ("2026-03-08T05:01:00-07:00", 60.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_understood_in_its_three_forms(header: str | None, seconds: float | None) -> None:
    assert parse_retry_after(header, NOON) == seconds


def test_a_malformed_date_header_tells_nothing() -> None:
    assert parse_http_date("Sun, 99 Foo 2026") is None
    assert parse_http_date(None) is None
