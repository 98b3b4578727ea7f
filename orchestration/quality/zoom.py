"""What is expected of Zoom's landed streams. Names, addresses and telephone numbers are never looked at."""

from __future__ import annotations

from orchestration.quality.expectations import (
    EVERY_RECORD,
    Expectation,
    Suite,
    is_number,
    is_timestamp,
    number,
    one_of,
    readable,
    required,
)

SOURCE = "zoom"

# An instant with its offset, or a local time without one.
_BEGINS = "field.start_time"
_HAS_BEGIN = Expectation(
    "start_time_readable",
    "start time is a timestamp",
    f"coalesce({_BEGINS}, '') = '' or not ({is_timestamp(_BEGINS)} or {is_timestamp(f'{_BEGINS} || chr(90)')})",
    critical=True,
)


def _amount(name: str) -> tuple[Expectation, Expectation]:
    """A number that sums are made of. Without it they are unknown; below zero they would be wrong."""
    text, words = f"field.{name}", name.replace("_", " ")
    return (
        Expectation(f"{name}_counts", f"{words} is a number", f"{text} is null or not {is_number(text)}"),
        Expectation(f"{name}_not_negative", f"{words} is not negative", f"{number(text)} < 0", critical=True),
    )


def _amounts(*names: str) -> tuple[Expectation, ...]:
    return tuple(expectation for name in names for expectation in _amount(name))


SUITES = (
    Suite(
        SOURCE,
        "users",
        (
            *EVERY_RECORD,
            one_of("status", "field.status", ("active", "inactive", "pending")),
            required("status", "field.status", critical=True),
            Expectation(
                "id_is_key",
                "the record's id is the key it landed under; who is only invited has none",
                "field.id <> '' and field.id <> landed.record_id",
                critical=True,
            ),
        ),
        {"id": "text", "status": "text"},
        publishes=True,
    ),
    Suite(
        SOURCE,
        "phone_users",
        (
            *EVERY_RECORD,
            one_of("status", "field.status", ("activate", "deactivate", "pending")),
            required("status", "field.status", critical=True),
        ),
        {"status": "text"},
        publishes=True,
    ),
    Suite(
        SOURCE,
        "call_queues",
        (*EVERY_RECORD, one_of("status", "field.status", ("active", "inactive"))),
        {"status": "text"},
        publishes=True,
    ),
    Suite(
        SOURCE,
        "daily_report",
        (
            *EVERY_RECORD,
            required("date", 'field."date"', critical=True),
            readable("date", 'field."date"', "date", critical=True),
            *_amounts("meetings", "participants", "meeting_minutes"),
        ),
        {"date": "text", "meetings": "text", "participants": "text", "meeting_minutes": "text"},
        publishes=True,
    ),
    Suite(
        SOURCE,
        "meetings",
        (
            *EVERY_RECORD,
            required("uuid", "field.uuid"),
            _HAS_BEGIN,
            *_amounts("duration", "total_minutes", "participants_count"),
        ),
        {
            "uuid": "text",
            "start_time": "text",
            "duration": "text",
            "total_minutes": "text",
            "participants_count": "text",
        },
        publishes=True,
    ),
    Suite(
        SOURCE,
        "participants",
        (
            *EVERY_RECORD,
            required("meeting_uuid", "field.meeting_uuid"),
            readable("join_time", "field.join_time", "timestamp"),
            readable("duration", "field.duration", "number"),
        ),
        {"meeting_uuid": "text", "join_time": "text", "duration": "text"},
    ),
    Suite(
        SOURCE,
        "call_history",
        (
            *EVERY_RECORD,
            required("call_id", "field.call_id"),
            required("call_result", "field.call_result"),
            one_of("direction", "field.direction", ("inbound", "outbound")),
            _HAS_BEGIN,
            *_amount("duration"),
        ),
        {"call_id": "text", "call_result": "text", "direction": "text", "start_time": "text", "duration": "text"},
        publishes=True,
    ),
)
