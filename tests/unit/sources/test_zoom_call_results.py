"""Which results make a call a missed one is written down three times, so that the three can be held to each other."""

from __future__ import annotations

import csv

from orchestration.demo.zoom import calling, truth
from orchestration.settings import PROJECT_ROOT
from orchestration.sources.zoom import verify

DOCUMENTED = {
    "answered", "accepted", "picked_up", "connected", "succeeded", "voicemail", "hang_up", "canceled", "call_failed",
    "unconnected", "rejected", "busy", "ring_timeout", "overflowed", "no_answer", "invalid_key", "invalid_operation",
    "abandoned", "system_blocked", "blocked", "service_unavailable",
}  # fmt: skip


def test_the_seed_lists_every_documented_result_once_and_agrees_with_its_checks() -> None:
    with (PROJECT_ROOT / "seeds/reference/zoom_call_results.csv").open(encoding="utf-8") as file:
        listed = [(row["call_result"], row["is_missed"] == "true") for row in csv.DictReader(file)]
    # A result listed twice would double the calls that ended with it.
    assert sorted(name for name, _ in listed) == sorted(DOCUMENTED)
    missed = {name for name, is_missed in listed if is_missed}
    assert missed == verify._MISSED == truth.MISSED == set(calling.UNANSWERED)
    assert not missed & set(calling.ANSWERED)
