"""Days that are read again every night: what no longer comes of them is found though nothing landed, and no more."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from quality_world import QualityWorld

from orchestration.errors import UsageError
from orchestration.quality.check import QualityReport
from orchestration.quality.holding import release
from orchestration.sources.core.records import Extract, Record
from orchestration.warehouse.connections import write_connection
from orchestration.warehouse.loader import load

FIRST = datetime(2026, 11, 2, 7, tzinfo=UTC)
REGISTER, CALLS = 45, 6


class Nights(QualityWorld):
    """Softbase's invoice register, read night by night, as its runs tell."""

    def __init__(self, organizations: int = 2) -> None:
        super().__init__(organizations)
        self.connection.execute(
            "insert into ops.connections (org_id, source, settings) select id, 'softbase', '{}' from ops.organizations"
        )

    def run(
        self,
        night: int,
        received: int,
        *,
        days: int | None = REGISTER,
        org_id: int = 1,
        status: str = "succeeded",
        hours: int = 0,
    ) -> None:
        self.connection.execute(
            "insert into ops.sync_runs (batch_id, org_id, source, stream, mode, status, started_at, rows_received,"
            " rows_inserted, rows_updated, rows_deleted, rows_unchanged, reread_days, reread_rows)"
            " values (%s, %s, 'softbase', 'invoice_reg', 'incremental', %s, %s, %s, 0, 0, 0, 0, %s, %s)",
            [
                *(uuid.uuid4(), org_id, status, FIRST + timedelta(days=night, hours=hours)),
                *(received, days, None if days is None else received),
            ],
        )

    def look(self) -> str:
        """hold, warn or nothing, of organization 1."""
        return verdict(self.check(source="softbase"))

    def nights(self, received: Sequence[int], days: int = REGISTER) -> list[str]:
        found = []
        for night, count in enumerate(received):
            self.run(night, count, days=days)
            found.append(self.look())
        return found


def verdict(checked: QualityReport, organization: str = "org_1") -> str:
    if any(one.organization == organization for one in checked.held):
        return "hold"
    return "warn" if any(one.organization == organization for one in checked.collapsed) else ""


@pytest.fixture
def nights(database: str) -> Nights:
    return Nights()


# 800 a night of 45 days; Zoom's six days hold between three and five of work.
WEEK = [800, 805, 790, 810, 820, 815, 800]
WORK = [100, 100, 80, 60, 60, 80, 100]


# What each organization's nights brought, of how many days, and what is said of the last.
CASES = {
    "all of it gone on the second night": ([812, 0], REGISTER, "hold"),
    "all of it gone after a week": ([*WEEK, 0], REGISTER, "hold"),
    "no call where there were a hundred": ([100, 0], CALLS, "hold"),
    # The floor: 20 rows.
    "twenty in six days": ([20, 0], CALLS, "hold"),
    "a few in a few days come and go": ([19, 0], CALLS, ""),
    "twenty in 45 days": ([20, 0], REGISTER, "hold"),
    "a few of long days do not all go by themselves": ([19, 0], REGISTER, "warn"),
    # Half: once a whole week is known, of its lowest night. 790 / 2 = 395.
    "half of the lowest night": ([*WEEK, 395], REGISTER, "warn"),
    "more than half of the lowest night": ([*WEEK, 396], REGISTER, ""),
    "six nights are no week": ([800] * 6 + [1], REGISTER, ""),
    "half of 38": ([38] * 7 + [19], REGISTER, "warn"),
    "half of fewer than twenty says nothing": ([19] * 7 + [1], REGISTER, ""),
    # Weekends and holidays. A Monday off: two days of work instead of three. 40 > 60 / 2.
    "a holiday after a weekend": ([*WORK, 40], CALLS, ""),
    # Days off one after the other let six days run out: lowest 33 < 0.34 * 100, though 33 is above the floor.
    "running out over the holidays": ([100, 100, 100, 80, 60, 40, 33, 0], CALLS, "warn"),
    "not yet running out": ([100, 100, 100, 80, 60, 40, 34, 0], CALLS, "hold"),
    # One night of many is not what others are held to.
    "after a night of many": ([*WEEK[:6], 90000, 810], REGISTER, ""),
    "after a night of many that was the first": ([90000, 810], REGISTER, ""),
    # Nothing that comes of nothing.
    "the first read without any": ([0], REGISTER, ""),
    "never any": ([0, 0], REGISTER, ""),
    "back again": ([30, 0, 0, 31], REGISTER, ""),
    "none within the week before, so none again": ([0, 500, 0], CALLS, ""),
}


def test_what_days_that_are_read_again_bring_is_held_to_the_nights_before(database: str) -> None:
    nights = Nights(len(CASES))
    for night in range(max(len(received) for received, _, _ in CASES.values())):
        for org_id, (received, days, _) in enumerate(CASES.values(), start=1):
            # All end on the same night.
            at = night - (8 - len(received))
            if at >= 0:
                nights.run(night, received[at], days=days, org_id=org_id)
        checked = nights.check(source="softbase")
    found = {name: verdict(checked, f"org_{org_id}") for org_id, name in enumerate(CASES, start=1)}
    assert found == {name: last for name, (_, _, last) in CASES.items()}


def test_a_night_without_rows_is_named_and_stays_until_they_are_back(nights: Nights) -> None:
    assert nights.nights([812, 798]) == ["", ""]
    nights.run(2, 0)
    nights.run(2, 640, org_id=2)
    (held,) = nights.check(source="softbase").held
    assert held.reason == "invoice_reg: 0 rows came of the days read again, 798 the nights before"
    assert held.organization == "org_1", "nobody else"
    # Not normal by lasting, and nights that failed say nothing.
    for night in range(3, 12):
        nights.run(night, 0)
        nights.run(night, 0, status="failed", hours=1)
        assert nights.look() == "hold"
    nights.run(12, 790)
    checked = nights.check(source="softbase")
    assert (verdict(checked), checked.change.released) == ("", ("org_1",))


def test_only_reads_of_the_same_days_are_compared(nights: Nights) -> None:
    # Changes alone, as of HubSpot and of change capture: nothing is a quiet night.
    nights.run(0, 500, days=None)
    nights.run(1, 0, days=None)
    assert nights.look() == ""
    nights.run(2, 800)
    nights.look()
    # A backfill of a quiet month, and one that brings everything.
    nights.run(3, 0, days=None)
    nights.run(3, 100000, days=None, hours=1)
    assert nights.look() == ""
    nights.run(4, 0)
    assert nights.look() == "hold"


def test_of_more_days_more_is_expected(nights: Nights) -> None:
    # Ten a day for a week; after a gap, twelve days: 120 expected, of which half is 60.
    assert nights.nights([60] * 7, CALLS)[-1] == ""
    nights.run(7, 61, days=12)
    assert nights.look() == ""
    nights.run(8, 60, days=12)
    # The lowest is now 61 / 12 = 5.08 a day: 61 expected.
    assert nights.look() == ""
    nights.run(9, 15, days=6)
    assert nights.look() == "warn", "15 <= 30 / 2"


def test_accepted_by_name_no_rows_are_what_is_compared_with(nights: Nights) -> None:
    assert nights.nights([812, 0]) == ["", "hold"]
    release(nights.connection, "org_1", "softbase")
    assert nights.look() == ""
    nights.run(2, 0)
    assert nights.look() == ""
    for night in range(3, 11):
        nights.run(night, 40)
        assert nights.look() == ""
    nights.run(11, 0)
    assert nights.look() == "hold"


def test_what_only_warns_is_accepted_as_well(nights: Nights) -> None:
    assert nights.nights([*WEEK, 300])[-1] == "warn"
    nights.run(8, 310)
    assert nights.look() == "warn"
    release(nights.connection, "org_1", "softbase")
    assert nights.look() == ""
    nights.run(9, 300)
    assert nights.look() == ""
    with pytest.raises(UsageError, match="not held back"):
        release(nights.connection, "org_1", "softbase")


def test_of_another_account_nothing_is_expected(nights: Nights) -> None:
    nights.nights([812])
    before, after = {"url": "mssql+pymssql://a@one/x"}, {"url": "mssql+pymssql://a@two/x"}
    write_connection(nights.connection, "org_1", 1, "softbase", before, after)
    nights.run(1, 0)
    assert nights.look() == ""


def test_a_load_keeps_what_came_of_the_days_read_again_but_for_a_backfill(nights: Nights) -> None:
    for backfill, of_those_days in ((False, None), (False, 1), (True, 1)):
        load(
            nights.connection,
            org_id=1,
            source="quickbooks",
            stream="invoice",
            extract=Extract(
                [Record(str(number), {}) for number in range(3)],
                "incremental",
                reread_days=REGISTER,
                reread_records=of_those_days,
            ),
            batch_id=uuid.uuid4(),
            backfill=backfill,
        )
    kept = nights.query("select reread_days, reread_rows from ops.sync_runs order by run_id")
    assert kept == [(REGISTER, 3), (REGISTER, 1), (None, None)]
