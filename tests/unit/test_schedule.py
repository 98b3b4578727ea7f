"""Crons without the scheduler's own library: the next time, across months, weekdays and clock changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml

from orchestration.defs.sources import NIGHTLY
from orchestration.schedule import CRONS, SCHEDULES, Schedule, next_run
from orchestration.settings import PROJECT_ROOT
from orchestration.sources import SOURCES
from orchestration.status import LATE_AFTER


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 2 * * *", "2025-06-01T01:59-05:00", "2025-06-01T02:00-05:00"),
        ("0 2 * * *", "2025-06-01T02:00-05:00", "2025-06-02T02:00-05:00"),
        ("*/20 9-17 * * 1-5", "2025-06-06T17:40-05:00", "2025-06-09T09:00-05:00"),
        ("0 3 1 * *", "2025-12-01T04:00-06:00", "2026-01-01T03:00-06:00"),
        ("0 3 29 2 *", "2025-01-01T00:00-06:00", "2028-02-29T03:00-06:00"),
        ("0 3 * * 7", "2025-06-01T03:00-05:00", "2025-06-08T03:00-05:00"),
        # Both restricted: either day will do.
        ("0 3 13 * 5", "2025-06-01T00:00-05:00", "2025-06-06T03:00-05:00"),
        # 02:30 does not exist on the day clocks go forward, and happens once on the day they go back.
        ("30 2 * * *", "2025-03-09T01:00-06:00", "2025-03-09T03:30-05:00"),
        ("30 1 * * *", "2025-11-02T01:30-05:00", "2025-11-03T01:30-06:00"),
    ],
)
def test_the_next_time_of_a_cron(cron: str, after: str, expected: str) -> None:
    zone = ZoneInfo("America/Chicago")
    found = Schedule("job", cron, None).next_after(datetime.fromisoformat(after), zone)
    assert found == datetime.fromisoformat(expected)


@pytest.mark.parametrize("cron", ["0 2 * *", "61 2 * * *", "a b c d e", "0 3 31 2 *"])
def test_what_is_no_cron_is_refused(cron: str) -> None:
    with pytest.raises(ValueError):
        Schedule("job", cron, None).next_after(datetime.fromisoformat("2025-01-01T00:00+00:00"), ZoneInfo("UTC"))


def test_every_schedule_is_a_job_and_every_source_has_one() -> None:
    from orchestration.defs.jobs import JOBS

    jobs = {job.name for job in JOBS}
    assert {schedule.job for schedule in SCHEDULES} == jobs == CRONS.keys()
    for schedule in SCHEDULES:
        assert set(schedule.sources or ()) <= SOURCES.keys()
    assert all(next_run(source, datetime.fromisoformat("2025-01-01T00:00+00:00")) for source in SOURCES)


def test_late_is_the_same_to_the_command_to_the_assets_and_to_the_mart() -> None:
    project = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert timedelta(hours=project["vars"]["late_after_hours"]) == LATE_AFTER
    assert NIGHTLY.fail_window.to_timedelta() == LATE_AFTER
