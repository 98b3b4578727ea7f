"""What a snapshot of cases must show, counted straight from the cases.

The rules are those of the mart, written down a second time on purpose: nothing here is shared with what extracts, loads
or builds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.demo.cases.caseload import Caseload
from orchestration.demo.cases.life import Row, rows
from orchestration.demo.world import World


@dataclass(frozen=True)
class Snapshot:
    """Cases at one instant, by column of mart_case_metrics."""

    snapshot_date: date
    figures: dict[str, Any]


def snapshot(caseload: Caseload, world: World, zone: ZoneInfo | None = None) -> Snapshot:
    """The truth about a database that nobody but its own life has changed. ``zone``: whose dates count."""
    return snapshot_of(rows(caseload, world), world.now, zone or caseload.zone)


def snapshot_of(table: Iterable[Row], instant: datetime, zone: ZoneInfo) -> Snapshot:
    """The truth about these rows, read at an instant."""
    held, day = list(table), instant.astimezone(zone).date()
    days = {day - timedelta(days=ago) for ago in range(30)}
    figures: dict[str, Any] = {
        "total_cases": len(held),
        "new_cases_30d": sum(1 for row in held if _day(row["Case Create Date"]) in days),
        "closed_cases_30d": sum(1 for row in held if _day(row["Date Closed"]) in days),
    }
    for name, column in (
        ("cases_by_type", "Case Type"),
        ("cases_by_status", "Workflow Status"),
        ("cases_by_category", "Primary Presenting Problem"),
    ):
        counts: dict[str, int] = {}
        for row in held:
            label = (row[column] or "").strip() or "unknown"
            counts[label] = counts.get(label, 0) + 1
        figures[name] = counts
    return Snapshot(day, figures)


def _day(value: date | None) -> date | None:
    return value.date() if isinstance(value, datetime) else value
