"""Status as Prometheus' text format, read back by the format's own rules."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from orchestration.status import SourceStatus, StreamStatus
from orchestration.status_metrics import exposition

NOW = datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
_UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def parse(text: str) -> Samples:
    """Samples of an exposition. HELP, then TYPE, then all samples of a name, each once, and a line feed at the end."""
    assert text.endswith("\n")
    found: Samples = {}
    described: list[str] = []
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines):
        if line.startswith("# HELP "):
            name, _, words = line.removeprefix("# HELP ").partition(" ")
            assert re.fullmatch(_NAME, name)
            assert words
            assert "\\" not in words
            assert name not in described, f"{name} comes in two groups"
            described.append(name)
            assert lines[number + 1] == f"# TYPE {name} gauge"
        elif not line.startswith("# TYPE "):
            sample = _SAMPLE.fullmatch(line)
            assert sample, line
            assert sample[1] == described[-1], "samples stand under their own help"
            labels = frozenset(
                (name, re.sub(r"\\.", lambda escape: _UNESCAPED[escape[0]], value))
                for name, value in re.findall(_LABEL, sample[2] or "")
            )
            assert (sample[1], labels) not in found, f"twice: {line}"
            found[sample[1], labels] = float(sample[sample.lastindex or 0])
    return found


def labelled(samples: Samples, name: str) -> dict[tuple[str, ...], float]:
    """Samples of one metric by the values of their labels, in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(labels)): value
        for (metric, labels), value in samples.items()
        if metric == name
    }


def at(hours_ago: float) -> datetime:
    return NOW - timedelta(hours=hours_ago)


def test_what_status_knows_and_nothing_where_it_knows_nothing() -> None:
    failing = StreamStatus("bill", "failing", at(31), 812, at(1), at(7), "down: Bearer x", "again")
    never = StreamStatus("invoice", "failing", None, None, at(1), at(1), "down", "again")
    well = StreamStatus("deals", "ok", at(1.5), 0, at(1.5))
    samples = parse(
        exposition(
            [
                SourceStatus("vital", "quickbooks", "failing", None, 812, None, None, [failing, never]),
                SourceStatus("vital", "hubspot", "ok", at(1.5), 0, at(-19.5), "nightly", [well]),
                SourceStatus("acme", "hubspot", "held back", at(2), 5, None, None, [well], at(3), "deals: 0 rows"),
            ],
            NOW,
        )
    )

    # 2026-03-08T07:30Z is 20520 days and 7.5 hours after 1970: 20520 * 86400 + 27000.
    now = 1_772_955_000
    assert labelled(samples, "aiop_status_timestamp_seconds") == {(): now}
    assert labelled(samples, "aiop_stream_failed") == {
        ("vital", "quickbooks", "bill"): 1,
        ("vital", "quickbooks", "invoice"): 1,
        ("vital", "hubspot", "deals"): 0,
        ("acme", "hubspot", "deals"): 0,
    }
    assert labelled(samples, "aiop_stream_rows") == {
        ("vital", "quickbooks", "bill"): 812,
        ("vital", "hubspot", "deals"): 0,
        ("acme", "hubspot", "deals"): 0,
    }
    assert labelled(samples, "aiop_stream_last_success_timestamp_seconds")["vital", "quickbooks", "bill"] == (
        now - 31 * 3600
    )
    assert labelled(samples, "aiop_stream_last_success_age_seconds") == {
        ("vital", "quickbooks", "bill"): 111_600,
        ("vital", "hubspot", "deals"): 5_400,
        ("acme", "hubspot", "deals"): 5_400,
    }
    assert labelled(samples, "aiop_stream_failing_since_timestamp_seconds") == {
        ("vital", "quickbooks", "bill"): now - 7 * 3600,
        ("vital", "quickbooks", "invoice"): now - 3600,
    }
    assert labelled(samples, "aiop_source_last_success_timestamp_seconds") == {
        ("vital", "hubspot"): now - 5400,
        ("acme", "hubspot"): now - 7200,
    }
    assert labelled(samples, "aiop_source_wrong") == {
        ("vital", "quickbooks"): 1,
        ("vital", "hubspot"): 0,
        ("acme", "hubspot"): 1,
    }
    states = labelled(samples, "aiop_source_state")
    assert {labels for labels, value in states.items() if value} == {
        ("vital", "quickbooks", "failing"),
        ("vital", "hubspot", "ok"),
        ("acme", "hubspot", "held back"),
    }
    assert len(states) == 3 * 6
    assert labelled(samples, "aiop_source_held_back_since_timestamp_seconds") == {("acme", "hubspot"): now - 3 * 3600}
    assert labelled(samples, "aiop_source_next_run_timestamp_seconds") == {("vital", "hubspot"): now + 70_200}


def test_values_of_labels_come_back_as_they_were() -> None:
    odd = 'a "quoted" \\n name\\\nof two lines, {x="y"} é'
    stream = StreamStatus(odd, "ok", at(1), 3)
    samples = parse(exposition([SourceStatus("one", odd, "ok", at(1), 3, None, None, [stream])], NOW))
    assert labelled(samples, "aiop_stream_rows") == {("one", odd, odd): 3}


def test_parts_of_a_second_are_kept_and_large_numbers_written_out() -> None:
    stream = StreamStatus("invoice", "ok", NOW - timedelta(milliseconds=250), 12_345_678_901_234)
    text = exposition([SourceStatus("one", "quickbooks", "ok", None, 0, None, None, [stream])], NOW)
    samples = parse(text)
    assert labelled(samples, "aiop_stream_last_success_age_seconds") == {("one", "quickbooks", "invoice"): 0.25}
    assert " 12345678901234\n" in text


def test_a_warehouse_without_connections_is_a_time_and_nothing_more() -> None:
    assert set(parse(exposition([], NOW))) == {("aiop_status_timestamp_seconds", frozenset())}
