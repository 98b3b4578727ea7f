"""Throttles are waited out, trouble is retried within bounds, and what stays broken is an error with a name."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime

import pytest
from cases import proves
from conformance_world import Warehouse
from standin import StandIn, in_seconds

from orchestration.errors import SourceError, TransientError


@proves("6a")
@pytest.mark.parametrize("form", ["seconds", "HTTP date", "ISO instant"])
def test_retry_after_is_waited_for(standin: StandIn, form: str) -> None:
    def written(until: datetime) -> str:
        return {"seconds": "7", "HTTP date": format_datetime(until, usegmt=True)}.get(form, until.isoformat())

    standin.make(3)
    standin.fault("throttle", retry_after=written(in_seconds(standin.now, 7)))
    read = standin.read()
    assert set(read.keys) == standin.keys()
    assert read.session.stats.retries == 1
    # The Date header has no fractions, so that of a date's seven seconds one may be gone when it is read.
    assert 6 <= read.session.stats.waited_seconds <= 9


@proves("6b")
def test_a_throttle_without_a_time_is_waited_out_and_the_same_page_asked_again(standin: StandIn) -> None:
    standin.make(standin.page + 1)
    standin.fault("throttle", page=2, count=2)
    read = standin.read()
    assert set(read.keys) == standin.keys()
    assert read.session.stats.retries == 2
    assert 2 <= read.session.stats.waited_seconds <= 150
    assert standin.pages_asked() == (6 if standin.starts_over else 4)


@proves("6c")
def test_a_wait_longer_than_a_run_ends_the_stream_at_once(standin: StandIn) -> None:
    standin.fault("throttle", retry_after="86400", count=None)
    with pytest.raises(TransientError, match="would have to wait until 20") as refused:
        standin.read()
    assert standin.pages_asked() == 1
    assert (refused.value.organization, refused.value.stream) == ("one", standin.stream)


@proves("6d")
def test_a_daily_quota_that_is_used_up_stops_the_run(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(3)
    standin.use_up_quota()
    report = warehouse.sync()
    assert {failure.error.kind for failure in report.failures} == {"transient"}
    assert len(report.failures) == len(warehouse.streams)
    assert "midnight" in str(report.failures[0].error)
    # A token may have had to be asked for first. What is counted on its own is asked for once, too.
    assert len([asked for asked in standin.asked() if "oauth" not in asked.path]) == standin.quotas


@proves("7a")
def test_trouble_that_passes_costs_no_record(standin: StandIn, kind: str) -> None:
    standin.make(standin.page + 1)
    standin.trouble(kind, page=2)
    read = standin.read()
    assert set(read.keys) == standin.keys()
    assert read.session.stats.retries == 1


@proves("7b")
def test_trouble_that_stays_is_an_error_after_a_few_attempts(standin: StandIn, kind: str, page: int) -> None:
    standin.make(standin.page + 1)
    standin.trouble(kind, page=page, count=None)
    with pytest.raises(SourceError) as failed:
        standin.read()
    assert failed.value.kind == "transient"
    assert (failed.value.organization, failed.value.source, failed.value.stream) == (
        "one",
        standin.source,
        standin.stream,
    )
    assert failed.value.hint
    assert page < standin.pages_asked() <= (page * 9 if standin.starts_over else page + 9)


@proves("F14")
def test_an_answer_that_drips_is_cut_off_and_asked_again(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standin.deadline, 0.4)
    standin.make(3)
    standin.fault("drip", seconds=0.02)
    read = standin.read()
    assert set(read.keys) == standin.keys()
    assert read.session.stats.retries == 1


@proves("8")
def test_a_failed_stream_keeps_its_rows_and_the_others_load(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.make(standin.page + 1)
    warehouse.night()
    warehouse.read_in_full_next()
    rows, watermark = warehouse.versions()[standin.stream], warehouse.watermark()
    began = warehouse.query("select now()")[0][0]
    for key in sorted(standin.keys())[:5]:
        standin.edit(key)
    standin.fault("status", status=500, page=2, count=None)

    report = warehouse.sync()
    assert [(failure.organization, failure.stream) for failure in report.failures] == [("one", standin.stream)]
    assert warehouse.versions()[standin.stream] == rows
    assert warehouse.watermark() == watermark
    fresh = warehouse.query("select stream from ops.watermarks where org_id = 1 and last_success_at >= %s", began)
    assert {row[0] for row in fresh} == set(warehouse.streams) - {standin.stream}
    assert warehouse.query(
        "select status, error_kind from ops.sync_runs where stream = %s order by run_id desc limit 1", standin.stream
    ) == [("failed", "transient")]

    standin.heal()
    again = warehouse.sync(only_failed=True)
    assert (again.failures, again.rows_received >= standin.page + 1) == ([], True)
    assert again.rows_changed == 5 * standin.writes_per_edit
