"""The warehouse's state as Prometheus reads it: text exposition format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import get_args

from orchestration.status import SourceStatus, State, StreamStatus

Labels = Mapping[str, str]


# Name, help, and the value; None where there is nothing to say, which is no sample: 0 would say something.
SourceMetric = tuple[str, str, Callable[[SourceStatus], float | None]]
StreamMetric = tuple[str, str, Callable[[StreamStatus], float | None]]

_OF_A_SOURCE: tuple[SourceMetric, ...] = (
    (
        "aiop_source_wrong",
        "1 while somebody should look: failing, held back or late.",
        lambda one: one.is_wrong,
    ),
    (
        "aiop_source_rows",
        "Landed rows of records that the source still has.",
        lambda one: one.rows,
    ),
    (
        "aiop_source_last_success_timestamp_seconds",
        "Last success of the stream that waits longest; absent while one has never been read.",
        lambda one: _seconds(one.last_success_at),
    ),
    (
        "aiop_source_held_back_since_timestamp_seconds",
        "Since when what lands is not published; absent where it is.",
        lambda one: _seconds(one.held_back_since),
    ),
    (
        "aiop_source_next_run_timestamp_seconds",
        "When a schedule reads the source next; absent where none does.",
        lambda one: _seconds(one.next_run_at),
    ),
)


def _of_a_stream(now: datetime) -> tuple[StreamMetric, ...]:
    return (
        (
            "aiop_stream_failed",
            "1 where the last attempt failed.",
            lambda one: one.state == "failing",
        ),
        (
            "aiop_stream_rows",
            "Landed rows of records that the source still has.",
            lambda one: one.rows,
        ),
        (
            "aiop_stream_last_success_timestamp_seconds",
            "Last success; absent where there was none.",
            lambda one: _seconds(one.last_success_at),
        ),
        (
            "aiop_stream_last_success_age_seconds",
            "Age of the last success when this was written; absent where there was none.",
            lambda one: (now - one.last_success_at).total_seconds() if one.last_success_at else None,
        ),
        (
            "aiop_stream_failing_since_timestamp_seconds",
            "First failure since the last success; absent where the last attempt succeeded.",
            lambda one: _seconds(one.failing_since),
        ),
    )


def exposition(found: Iterable[SourceStatus], now: datetime) -> str:
    """All metrics of these organizations and sources, at ``now`` (aware), each after its HELP and TYPE lines.

    Seconds since 1970 in what ends with ``_timestamp_seconds``; 0 or 1 in what is a state.
    """
    sources = list(found)
    of_sources = [(_labels(one), one) for one in sources]
    of_streams = [(_labels(one) | {"stream": stream.stream}, stream) for one in sources for stream in one.streams]
    states = [
        (_labels(one) | {"state": state}, float(one.state == state)) for one in sources for state in get_args(State)
    ]
    lines = [
        *_family("aiop_status_timestamp_seconds", "When this was written.", [({}, now.timestamp())]),
        *_family("aiop_source_state", "1 for the state that an organization's source is in.", states),
    ]
    for name, about, of_source in _OF_A_SOURCE:
        lines += _family(name, about, ((labels, of_source(one)) for labels, one in of_sources))
    for name, about, of_stream in _of_a_stream(now):
        lines += _family(name, about, ((labels, of_stream(one)) for labels, one in of_streams))
    return "".join(f"{line}\n" for line in lines)


def _seconds(instant: datetime | None) -> float | None:
    return instant.timestamp() if instant else None


def _labels(one: SourceStatus) -> dict[str, str]:
    return {"organization": one.organization, "source": one.source}


def _family(name: str, about: str, samples: Iterable[tuple[Labels, float | None]]) -> list[str]:
    """One metric's lines; none where it has no sample."""
    said = [f"{name}{_in_braces(labels)} {_number(value)}" for labels, value in samples if value is not None]
    return [f"# HELP {name} {about}", f"# TYPE {name} gauge", *said] if said else []


def _in_braces(labels: Labels) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 3))
