"""The calendar against Python's own, and every organization's fiscal year against a slow, plain reckoning."""

from __future__ import annotations

import calendar as python_calendar
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from bi_world import BiWorld
from dbt_runs import Dbt
from psycopg.rows import dict_row

from orchestration.settings import PROJECT_ROOT

START, END = date(1990, 1, 1), date(2039, 12, 31)
ONE_DAY = timedelta(days=1)


def last_of_month(day: date) -> date:
    return day.replace(day=python_calendar.monthrange(day.year, day.month)[1])


def expected_day(day: date) -> dict[str, Any]:
    """What the calendar says of a day, by Python's datetime and calendar modules."""
    iso = day.isocalendar()
    first_month = 3 * ((day.month - 1) // 3) + 1
    periods = {
        "month": (day.replace(day=1), last_of_month(day)),
        "quarter": (date(day.year, first_month, 1), last_of_month(date(day.year, first_month + 2, 1))),
        "year": (date(day.year, 1, 1), date(day.year, 12, 31)),
    }
    expected: dict[str, Any] = {
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "day_of_month": day.day,
        "day_of_year": day.timetuple().tm_yday,
        "day_of_week": int(day.strftime("%w")),
        "month_name": python_calendar.month_name[day.month],
        "day_name": python_calendar.day_name[day.weekday()],
        "year_month": f"{day:%Y-%m}",
        "is_weekend": day.weekday() >= 5,
        "iso_year": iso.year,
        "iso_week": iso.week,
        "iso_day_of_week": iso.weekday,
        "iso_week_start_date": date.fromisocalendar(iso.year, iso.week, 1),
        "iso_week_end_date": date.fromisocalendar(iso.year, iso.week, 7),
    }
    for name, (first, last) in periods.items():
        expected |= {f"{name}_start_date": first, f"{name}_end_date": last}
        expected |= {f"is_{name}_start": day == first, f"is_{name}_end": day == last}
    return expected


def fiscal_days(start_month: int, begin: date, end: date) -> dict[date, dict[str, Any]]:
    """Fiscal columns of every day, found by walking: a counter of months that is set back where a year begins."""
    day = date(begin.year - 1, start_month, 1)
    found: dict[date, dict[str, Any]] = {}
    month = 0
    opened: dict[str, date] = {}
    while day <= end + timedelta(days=400):
        if day.day == 1:
            month = 1 if day.month == start_month else month + 1
            if month == 1:
                opened["year"] = day
            if month in (1, 4, 7, 10):
                opened["quarter"] = day
        found[day] = {
            "fiscal_month": month,
            "fiscal_quarter": 1 + (month > 3) + (month > 6) + (month > 9),
            "fiscal_year_start_date": opened["year"],
            "fiscal_quarter_start_date": opened["quarter"],
            "day_of_fiscal_year": (day - opened["year"]).days + 1,
            "is_fiscal_year_start": day == opened["year"],
            "is_fiscal_quarter_start": day == opened["quarter"],
        }
        day += ONE_DAY
    # A period ends on the day before the next one begins.
    for name in ("year", "quarter"):
        first_of_next = None
        for day in sorted(found, reverse=True):
            one = found[day]
            one[f"is_fiscal_{name}_end"] = first_of_next is not None and day + ONE_DAY == first_of_next
            one[f"fiscal_{name}_end_date"] = first_of_next and first_of_next - ONE_DAY
            if one[f"is_fiscal_{name}_start"]:
                first_of_next = day
    for one in found.values():
        if one["fiscal_year_end_date"]:
            one["fiscal_year"] = one["fiscal_year_end_date"].year
            one["fiscal_quarter_name"] = f"FY{one['fiscal_year']}-Q{one['fiscal_quarter']}"
            one["fiscal_period"] = f"FY{one['fiscal_year']}-P{one['fiscal_month']:02}"
    return {day: one for day, one in found.items() if begin <= day <= end}


@pytest.mark.xdist_group("bi")
def test_every_day_of_the_range_is_there_once_and_as_python_has_it(bi: BiWorld) -> None:
    with bi.everyone.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("select * from marts.calendar order by calendar_date").fetchall()
    assert [row["calendar_date"] for row in rows] == [START + n * ONE_DAY for n in range((END - START).days + 1)]
    for row in rows:
        day = row.pop("calendar_date")
        assert row == expected_day(day), day
    assert sum(row["month"] == 2 and row["day_of_month"] == 29 for row in rows) == len(range(1992, 2040, 4))


@pytest.mark.xdist_group("bi")
@pytest.mark.parametrize("start_month", range(1, 13))
def test_a_fiscal_year_begins_in_its_month_whichever_that_is(bi: BiWorld, start_month: int) -> None:
    # Both ends of the range, a leap year's February and the turns of years between them.
    for begin, end in ((START, date(1990, 12, 31)), (date(2023, 12, 1), date(2025, 3, 31)), (date(2039, 1, 1), END)):
        with bi.owner.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(
                "select distinct on (calendar_date) * from marts.organization_calendar"
                " where fiscal_year_start_month = %s and calendar_date between %s and %s order by calendar_date",
                [start_month, begin, end],
            ).fetchall()
        expected = fiscal_days(start_month, begin, end)
        assert len(rows) == len(expected) == (end - begin).days + 1
        for row in rows:
            fiscal = expected[row["calendar_date"]]
            assert {name: row[name] for name in fiscal} == fiscal, row["calendar_date"]


@pytest.mark.xdist_group("bi")
def test_a_fiscal_year_is_named_after_the_year_it_ends_in_and_days_carry_both_calendars(bi: BiWorld) -> None:
    asked = (
        "select fiscal_year, fiscal_period, fiscal_quarter_name, fiscal_year_end_date, year, iso_week"
        " from marts.organization_calendar where org_id = {} and calendar_date = '2025-11-01'"
    )
    november, january = (bi.rows(bi.owner, asked.format(number))[0] for number in (1, 13))
    assert november == (2026, "FY2026-P01", "FY2026-Q1", date(2026, 10, 31), 2025, 44)
    assert january == (2025, "FY2025-P11", "FY2025-Q4", date(2025, 12, 31), 2025, 44)


@pytest.mark.xdist_group("bi")
def test_a_tenant_has_its_own_days_and_may_read_the_calendar_of_all(bi: BiWorld) -> None:
    days = (END - START).days + 1
    asked = "select array_agg(distinct org_id), count(*) from marts.organization_calendar"
    assert bi.rows(bi.tenants[2], asked) == [([2], days)]
    assert bi.rows(bi.everyone, asked) == [(list(range(1, 14)), 13 * days)]
    assert bi.rows(bi.tenants[2], "select count(*) from marts.calendar") == [(days,)]
    assert bi.rows(bi.owner, "select * from ops.tenancy_violations") == []
    comments = bi.rows(
        bi.tenants[2],
        "select bool_and(col_description(attrelid, attnum) is not null)"
        " from pg_attribute where attrelid = 'marts.organization_calendar'::regclass and attnum >= 0",
    )
    assert comments == [(True,)]


def write_project(directory: Path, start: str, end: str) -> Path:
    """The calendar's models and what they stand on alone: a change of variables parses all of a project again."""
    project = yaml.safe_load((PROJECT_ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    project |= {"macro-paths": [str(PROJECT_ROOT / "macros")], "test-paths": ["tests"]}
    project["vars"] |= {"calendar_start": start, "calendar_end": end}
    core = directory / "models" / "marts" / "core"
    core.mkdir(parents=True, exist_ok=True)
    for name in ("calendar", "organizations", "organization_calendar"):
        for suffix in (".sql", ".yml"):
            shutil.copy(PROJECT_ROOT / "models" / "marts" / "core" / f"{name}{suffix}", core)
    for name in ("_groups.yml", "_ops__sources.yml"):
        shutil.copy(PROJECT_ROOT / "models" / name, directory / "models")
    shutil.copytree(PROJECT_ROOT / "tests" / "dbt" / "generic", directory / "tests" / "generic", dirs_exist_ok=True)
    shutil.copy(PROJECT_ROOT / "tests" / "dbt" / "calendar_complete.sql", directory / "tests")
    (directory / "dbt_project.yml").write_text(yaml.safe_dump(project), encoding="utf-8")
    return directory


@pytest.mark.slow
def test_the_range_follows_its_variables_in_place_and_a_second_build_writes_nothing(
    database: str, tmp_path: Path
) -> None:
    dbt = Dbt(write_project(tmp_path / "project", "1899-12-30", "1900-03-02"), database, tmp_path / "state")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency,"
            " fiscal_year_start_month) values (1, 'one', 'One', gen_random_uuid(), 'UTC', 'USD', 3)"
        )
        dbt.build()

        def stored() -> list[tuple[Any, ...]]:
            return connection.execute(
                "select calendar_date, xmin::text from marts.calendar union all"
                " select null, xmin::text from pg_class where oid = 'marts.organization_calendar'::regclass order by 1"
            ).fetchall()

        first = stored()
        # 1900 is no leap year.
        assert [day for day, _ in first if day and day.month == 2][-1] == date(1900, 2, 28)
        assert (first[0][0], len(first) - 1) == (date(1899, 12, 30), 2 + 31 + 28 + 2)
        connection.execute(
            "create view public.users_view as select calendar_date, fiscal_year from marts.organization_calendar"
        )

        dbt.build()
        assert stored() == first, "neither a row nor the view was written"

        write_project(dbt.project, "1899-12-31", "1900-03-03")
        dbt.build()
        moved = stored()
        assert [day for day, _ in moved[:-1]] == [date(1899, 12, 31) + n * ONE_DAY for n in range(63)]
        assert set(moved) & set(first) == {row for row in first if row[0] != date(1899, 12, 30)}

        # A fiscal year that moves does so at once, also for what users made of the view.
        asked = "select fiscal_year from public.users_view where calendar_date = '1900-03-01'"
        assert connection.execute(asked).fetchall() == [(1901,)]
        connection.execute("update ops.organizations set fiscal_year_start_month = 4")
        dbt.build("--select", "organizations")
        assert connection.execute(asked).fetchall() == [(1900,)]

        connection.execute("delete from marts.calendar where calendar_date = '1900-01-01'")
        outcome = dbt.run("test", "--select", "calendar_complete")
        assert not outcome.success
        assert len(connection.execute(outcome.compiled["calendar_complete"]).fetchall()) == 1
