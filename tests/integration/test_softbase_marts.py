"""Softbase's marts from hand-written rows: every figure below can be counted by eye.

Nine organizations in one warehouse and three builds of it; the tests look at what stood in the marts after each.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt_runs import Dbt, Outcome, warehouse
from landed_softbase import STREAMS, Landing, account, balance, invoice, order, prepare, rental_line, unit
from psycopg import sql
from psycopg.types.json import Jsonb
from servers import EMBEDDED
from softbase_books import (
    BREAKDOWN,
    CALENDAR,
    CHART,
    DECEMBER,
    FISCAL,
    MONTHS,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    ledger,
)
from tenancy_world import TEMPLATE

from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.embedded_bootstrap import create_database

# One database for all of them, so one worker runs them.
pytestmark = pytest.mark.xdist_group("softbase-marts")

SALES, FLEET, FISCAL_BOOKS, CALENDAR_BOOKS, HELD, NEVER_READ, HOSTILE, UNKNOWN, BROKEN = range(1, 10)
MARTS = ("mart_sales_daily", "mart_rental_fleet", "mart_cash_flow")
BUILD = ("build", "--exclude-resource-type", "unit_test", "--select", "organizations", *(f"+{mart}" for mart in MARTS))
# Keys and readability were looked at by the first build.
AGAIN = (*BUILD, "--exclude", "path:models/staging", "path:seeds", "test_name:readable", "test_name:unique_key")

# As the data mart document has it, on this database's names.
BEGIN = "id serial primary key, org_id integer not null references ops.organizations(id)"
END = "created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp"
DEPARTMENTS = ("service", "parts", "rental", "sales", "total")
DOCUMENT = f"""
    create schema document;
    create table document.mart_sales_daily (
        {BEGIN}, sales_date date not null, year integer not null, month integer not null, day_of_week integer,
        {", ".join(f"{name}_revenue numeric(18,2) default 0" for name in DEPARTMENTS)},
        {", ".join(f"{name}_invoices integer default 0" for name in DEPARTMENTS)},
        open_work_orders integer default 0, closed_work_orders integer default 0,
        source_system varchar(50) default 'softbase', {END}, unique(org_id, sales_date)
    );
    create table document.mart_rental_fleet (
        {BEGIN}, snapshot_date date not null, year integer not null, month integer not null,
        total_units integer default 0, available_units integer default 0, rented_units integer default 0,
        maintenance_units integer default 0, utilization_rate numeric(5,2) default 0,
        rental_revenue_mtd numeric(18,2) default 0, rental_revenue_ytd numeric(18,2) default 0,
        units_by_type jsonb default '{{}}', revenue_by_type jsonb default '{{}}',
        active_rental_customers integer default 0,
        source_system varchar(50) default 'softbase', {END}, unique(org_id, snapshot_date)
    );
    create table document.mart_cash_flow (
        {BEGIN}, year integer not null, month integer not null, period_end date not null,
        cash_balance numeric(18,2) default 0, cash_change_mtd numeric(18,2) default 0,
        operating_cash_flow numeric(18,2) default 0, ar_change numeric(18,2) default 0,
        inventory_change numeric(18,2) default 0, ap_change numeric(18,2) default 0,
        investing_cash_flow numeric(18,2) default 0, financing_cash_flow numeric(18,2) default 0,
        health_status varchar(20) default 'unknown', non_operating_breakdown jsonb default '{{}}',
        source_system varchar(50) default 'softbase_gl', {END}, unique(org_id, year, month)
    );
"""
COLUMNS = """
    select attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = %s::regclass and attnum > 0 order by attnum
"""
CONSTRAINTS = """
    select contype::text, pg_get_constraintdef(oid) from pg_constraint
    where conrelid = %s::regclass and contype in ('p', 'u', 'f') order by 1
"""
INDEXES = (
    "idx_mart_sales_org_date",
    "idx_mart_sales_org_year_month",
    "idx_mart_rental_org_date",
    "idx_mart_cash_org_period",
)

DEPTS = [
    {"Branch": 1, "Dept": 60, "Title": "Rental", "SaleGroup": None},
    {"Branch": 2, "Dept": 6, "Title": "RENTALS - North"},
    {"Branch": 1, "Dept": 50, "Title": "Parts"},
    {"Branch": 1, "Dept": 40, "Title": "Field Service"},
    {"Branch": 1, "Dept": 10, "Title": "New Equipment"},
    {"Branch": 1, "Dept": 90, "Title": "Administration"},
]
HOSTILE_ROWS: list[Any] = [
    None,
    [],
    "text",
    7,
    {},
    {"InvoiceNo": {"a": 1}, "WONo": [], "SerialNo": {}, "AccountNo": 7, "Branch": "x", "Number": None},
    *(
        dict.fromkeys(
            (
                *("InvoiceNo", "InvoiceDate", "SaleBranch", "SaleDept", "SaleCode", "LaborTaxable", "IsDeleted"),
                *("WONo", "Disposition", "Type", "OpenDate", "ClosedDate", "BillTo", "SerialNo", "SwapEndDate"),
                *("Customer", "InventoryBranch", "InventoryDept", "RentalStatus", "DealerSaleDate", "RentAmount"),
                *("AccountNo", "AccountField", "Year", "Month", "YTD", "MTD", "LastEffectiveDate", "CashAccount"),
                *("Section", "Branch", "Dept", "Title", "Code", "Number", "Id", "UnitNo"),
            ),
            value,
        )
        for value in (
            *("", "x", "Actual", 1, -1, 13, 1.5, True, "1e99", "1e999", 10**25, [], {"a": []}),
            *("9999-12-31T23:59:59.9999999", "2026-02-30T00:00:00", "0000-00-00", "2026-01-01T00:00:00Z"),
        )
    ),
]


@dataclass
class Built:
    """What stood in the marts after a build: rows by organization and date, with xmin; and what the build said."""

    outcome: Outcome
    rows: dict[str, dict[tuple[int, str], dict[str, Any]]]
    found: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def sales(self, org_id: int) -> dict[str, dict[str, Any]]:
        return self._of("mart_sales_daily", org_id)

    def fleet(self, org_id: int) -> dict[str, dict[str, Any]]:
        return self._of("mart_rental_fleet", org_id)

    def cash(self, org_id: int) -> dict[str, dict[str, Any]]:
        """By month, such as 2025-10."""
        return {day[:7]: row for day, row in self._of("mart_cash_flow", org_id).items()}

    def _of(self, mart: str, org_id: int) -> dict[str, dict[str, Any]]:
        return {day: row for (of, day), row in self.rows[mart].items() if of == org_id}


@dataclass
class World:
    connection: psycopg.Connection
    landing: Landing
    dbt: Dbt

    def build(self, arguments: tuple[str, ...] = AGAIN) -> Built:
        """Build the three marts and look at them. Checks may fail, models may not."""
        outcome = self.dbt.run(*arguments)
        broken = {name for name, status in outcome.statuses.items() if status in ("error", "skipped", "runtime error")}
        assert not broken, outcome.messages
        dates = {"mart_sales_daily": "sales_date", "mart_rental_fleet": "snapshot_date", "mart_cash_flow": "period_end"}
        rows = {}
        for mart, day in dates.items():
            fetched = self.connection.execute(
                sql.SQL("select org_id, {day}::text, to_jsonb(m), xmin::text from {mart} as m").format(
                    day=sql.Identifier(day), mart=sql.Identifier("marts", mart)
                )
            ).fetchall()
            rows[mart] = {(org_id, on): row | {"xmin": xmin} for org_id, on, row, xmin in fetched}
        checks = {name for name, status in outcome.statuses.items() if status in ("warn", "fail")}
        found = {name: self.connection.execute(outcome.compiled[name]).fetchall() for name in checks}
        return Built(outcome, rows, found)


@pytest.fixture(scope="module")
def world(
    postgres_server: Callable[[str], EmbeddedPostgres], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    server = postgres_server(EMBEDDED)
    name, home = f"test_{uuid.uuid4().hex[:16]}", tmp_path_factory.mktemp("softbase")
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as administrator:
        create_database(administrator, name, template=TEMPLATE)
    url = server.builder_url(name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AIOP_HOME", str(home))
        environment.setenv("DATABASE_URL", url)
        with psycopg.connect(url, autocommit=True) as connection:
            yield World(connection, Landing(connection), warehouse(url, Path(home) / "dbt"))
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as administrator:
        administrator.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def first(world: World) -> Built:
    """Everything lands for the first time. Softbase is read at 23:30 in Chicago, a day after clocks went forward."""
    fiscal = {"fiscal_year_start_month": 11}
    prepare(world.connection, [{}, fiscal, fiscal, fiscal, {}, {}, {}, {}, {}])
    land = world.landing.land
    land_sales(world.landing)
    land_fleet(world.landing)
    for org_id, labels in ((FISCAL_BOOKS, FISCAL), (CALENDAR_BOOKS, CALENDAR)):
        land(org_id, "chart_of_accounts", *CHART)
        land(org_id, "gl", *ledger(labels))
        # A month that has not begun, and one that is none.
        land(org_id, "gl", balance("110100", (2027, 6), 1, 1), balance("110100", (2026, 13), 1, 1))
    for org_id in (HELD, NEVER_READ):
        land(org_id, "invoice_reg", invoice(1, "2026-03-08"))
    for stream in STREAMS:
        land(HOSTILE, stream, *HOSTILE_ROWS)
    land(UNKNOWN, "gl", balance("110100", (2026, 1), 100, 0), balance("300100", (2026, 1), -100, 0))
    land(UNKNOWN, "gl", balance("110100", (2026, 2), 150, 50), balance("X90000", (2026, 2), -50, -50))
    land(BROKEN, "gl", balance("110100", (2026, 1), 100, 0), balance("300100", (2026, 1), -100, 0))
    land(BROKEN, "gl", balance("110100", (2026, 2), 130, 30))
    # A chart that flags nothing: then the number says what is cash.
    land(BROKEN, "chart_of_accounts", account("110100"), account("300100"))
    for org_id in (SALES, FLEET, FISCAL_BOOKS, CALENDAR_BOOKS, HELD, HOSTILE, UNKNOWN, BROKEN):
        world.landing.was_read(org_id, "2026-03-10T04:30:00+00:00")
    return world.build(BUILD)


def land_sales(landing: Landing) -> None:
    """A week of an organization in March 2026."""
    no_labor = {"LaborNonTax": 0.0000}
    landing.land(SALES, "dept", *DEPTS)
    landing.land(
        SALES,
        "invoice_reg",
        # Friday the 6th.
        invoice(1, "2026-03-06", PartsTaxable=20.5000, TotalTax=8.2900, GrandTotal=128.7900),
        invoice(2, "2026-03-06", " parts ", **no_labor, PartsTaxable=40),
        invoice(3, "2026-03-06", "RENTAL", **no_labor, RentalNonTax="75.2500", MiscTaxable=None),
        # A unit of the fleet is sold by the rental department, and is a sale.
        invoice(4, "2026-03-06", "RNTSALE", **no_labor, SaleDept=60, EquipmentTaxable=1000),
        invoice(5, "2026-03-06", LaborNonTax=-30.0000),
        invoice(6, "2026-03-06", "TRNG", **no_labor, SaleDept=90, MiscNonTax=10),
        # Codes that nobody mapped go by the department's title; a branch it doesn't have, by that of all branches.
        invoice(7, "2026-03-06", "XYZ", LaborNonTax=5, SaleDept=50),
        invoice(8, "2026-03-06", None, LaborNonTax=2, SaleDept=50, SaleBranch=7),
        invoice(9, "2026-03-06", IsDeleted=True),
        invoice(10, "2026-03-06", IsDeleted=None, DeletionTime="2026-03-07T10:00:00.123"),
        invoice(910000001, "2026-03-06"),
        # Saturday: an amount that nobody can read.
        invoice(11, "2026-03-07", LaborTaxable="a lot"),
        invoice(12, "2026-03-07", LaborNonTax=9),
        # Sunday the 8th, when clocks go forward, late; and half past midnight.
        invoice(13, None, InvoiceDate="2026-03-08T23:30:00"),
        invoice(14, None, InvoiceDate="2026-03-09T00:30:00.9999999"),
        # Not yet; never; in 1900, which is never.
        invoice(15, "2026-03-11"),
        invoice(16, None),
        invoice(17, "1900-01-01"),
    )
    landing.land(SALES, "invoice_reg", invoice(18, "2026-03-06"), deleted=True)
    landing.land(
        SALES,
        "wo",
        order(101, "2026-03-01", "2026-03-06"),
        order(102, "2026-03-05"),
        order(103, "2026-03-07T23:30:00", "2026-03-09T00:30:00"),
        order(104, "2026-03-05", Disposition=11),
        order(105, "2026-03-05", IsDeleted=1),
        # Closed before it was opened.
        order(106, "2026-03-08", "2026-03-06"),
        # Quotes: an open one that has an invoice by mistake, and one that was accepted and is an order elsewhere.
        order(910000001, "2026-03-05", "2026-03-06", Disposition=11),
        order(910000002, "2026-03-05", Disposition=1),
        # Something was done under a quote's number: a quote all the same.
        order(910000003, "2026-03-08", CompletedDate="2026-03-08T09:00:00"),
    )


def land_fleet(landing: Landing) -> None:
    """A fleet of eleven units and machines that are none of it."""
    landing.land(FLEET, "dept", *DEPTS)
    landing.land(
        FLEET,
        "equipment",
        unit("A"),
        unit("B", status="On Rent"),
        unit("C", status=" HOLD - parts"),
        unit("D", status="Hold"),
        unit("E", status="In Stock", Customer=None),
        unit("F", status="sold "),
        unit("G", DealerSaleDate="2026-03-01T00:00:00"),
        unit("H", Customer=1),
        unit("I", InventoryDept=10),
        unit("J", IsDeleted=True),
        unit("K-1", group=" ", Model="C25", InventoryBranch=2, InventoryDept=6),
        unit("L", group=None, Model=None, Make="Yale"),
        unit("M", group=None, Model=None, Make=None),
        unit("N", status="In Repair"),
        unit("O", status="Lost in space"),
        unit("P-9", status=None),
        unit("Q", status="Rented", InventoryDept=90),
    )
    landing.land(
        FLEET,
        "wo",
        order(201, "2026-02-01", kind="R"),
        order(202, "2026-03-01", kind="r ", BillTo=" 10002"),
        order(203, "2026-03-09T23:30:00", kind="R", BillTo="10002"),
        order(204, "2026-02-01", "2026-03-01", kind="R", BillTo="10003"),
        order(205, "2026-02-01", kind="R", BillTo="10004", Disposition=11),
        order(206, "2026-02-01", kind="S", BillTo="10005"),
        order(207, "2026-02-01", kind="R", BillTo="10006", DeletionTime="2026-02-02T00:00:00"),
        # Nothing of the fleet is on it.
        order(208, "2026-02-01", kind="R", BillTo="10007"),
    )
    landing.land(
        FLEET,
        "wo_rental",
        rental_line(1, 201, "A"),
        # One unit on two lines is one unit.
        rental_line(2, 201, "B"),
        rental_line(3, 202, "B"),
        rental_line(4, 202, "D"),
        # Without a serial number; as a database that tells no case and no blanks apart would join it.
        rental_line(5, 203, None, UnitNo="U-P-9"),
        rental_line(6, 203, "a "),
        # Closed, a quote, no rental, deleted; swapped for another; sold; no unit of the fleet.
        rental_line(7, 204, "K-1"),
        rental_line(8, 205, "L"),
        rental_line(9, 206, "M"),
        rental_line(10, 207, "E"),
        rental_line(11, 201, "M", DeletionTime="2026-03-02T00:00:00"),
        rental_line(12, 201, "N", SwapEndDate="2026-03-05T00:00:00"),
        rental_line(13, 201, "F"),
        rental_line(14, 208, "ATT-1"),
    )
    rents = {"LaborNonTax": 0, "SaleDept": 60}
    landing.land(
        FLEET,
        "invoice_reg",
        invoice(1, "2026-03-09", "RENTAL", **rents, RentalTaxable=70),
        invoice(2, "2026-03-01", "RENTR", **rents, RentalTaxable=5.25),
        invoice(3, "2026-02-28", "RENTAL", **rents, RentalTaxable=50),
        invoice(4, "2025-11-01", "RENTAL", **rents, RentalTaxable=20),
        # Before the fiscal year, within twelve months; and after the snapshot's day.
        invoice(5, "2025-10-31", "RENTAL", **rents, RentalTaxable=1000),
        invoice(6, "2026-03-10", "RENTAL", **rents, RentalTaxable=3000),
        # Sold by the rental department, and no rent.
        invoice(7, "2026-03-09", "RNTSALE", **rents, EquipmentTaxable=9000),
    )
    amounts = (("A", 2026, 3, 30), ("A", 2025, 11, 10), ("A", 2025, 10, 500), ("G", 2026, 1, 7), ("ZZZ", 2026, 2, 3))
    history = [
        {"SerialNo": serial, "Year": year, "Month": month, "DaysRented": 3, "RentAmount": amount}
        for serial, year, month, amount in (*amounts, ("A", 2026, 4, 900))
    ]
    landing.land(FLEET, "rental_history", *history)


@pytest.fixture(scope="module")
def second(world: World, first: Built) -> Built:
    """The next night, read at 00:30: invoices move, orders are opened again, a month is restated, one is held back."""
    land = world.landing.land
    land(SALES, "invoice_reg", invoice(2, "2026-03-08", " parts ", LaborNonTax=0, PartsTaxable=40))
    land(SALES, "invoice_reg", invoice(3, "2026-03-06", "RENTAL"), deleted=True)
    # Nothing else happens on the day it leaves.
    land(SALES, "invoice_reg", invoice(14, None, InvoiceDate="2026-03-08T00:30:00"))
    land(SALES, "wo", order(101, "2026-03-01"), order(1, "2026-03-02", "2026-03-06", Disposition=13))
    land(HELD, "invoice_reg", invoice(1, "2026-03-08", LaborNonTax=7))
    world.connection.execute("insert into ops.held_back (org_id, source, reason) values (%s, 'softbase', 'x')", [HELD])
    land(FLEET, "wo", order(202, "2026-03-01", "2026-03-10", kind="R", BillTo=" 10002"))
    # October sold 10 more, on account; what follows from it in the balances since.
    restated = (balance("410100", (2025, 10), -2310, -310), balance("120100", (2025, 10), 470, 70))
    carried = (balance("120100", (2025, 11), 370, -100), balance("310100", (2025, 11), -710, 0))
    land(CALENDAR_BOOKS, "gl", *restated, *carried)
    for org_id in (SALES, FLEET, CALENDAR_BOOKS, HELD):
        world.landing.was_read(org_id, "2026-03-10T05:30:00+00:00")
    return world.build()


@pytest.fixture(scope="module")
def third(world: World, second: Built) -> Built:
    """A night later: a late invoice of a day before all others, who was held back is released, one is read at last."""
    world.landing.land(SALES, "invoice_reg", invoice(19, "2026-03-04", LaborNonTax=1))
    world.connection.execute("update ops.held_back set released_at = now()")
    # The fleet's orders could not be read: no new day begins from last night's.
    streams = [stream for stream in STREAMS if stream != "wo"]
    world.landing.was_read(FLEET, "2026-03-12T05:30:00+00:00", *streams)
    world.landing.was_read(NEVER_READ, "2026-03-10T05:30:00+00:00")
    return world.build()


def figures(row: dict[str, Any], *kinds: str) -> tuple[Any, ...]:
    """A day's figures of service, parts, rental, sales and in total, as (revenue, invoices)."""
    names = kinds or DEPARTMENTS
    return tuple((row[f"{name}_revenue"], row[f"{name}_invoices"]) for name in names)


def orders(days: dict[str, dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """(open at the day's end, closed on it) by day."""
    return {day[5:]: (row["open_work_orders"], row["closed_work_orders"]) for day, row in sorted(days.items())}


def test_marts_are_as_the_document_has_them(world: World, first: Built) -> None:
    world.connection.execute(DOCUMENT)
    for mart in MARTS:
        names = (f"marts.{mart}", f"document.{mart}")
        ours, theirs = (world.connection.execute(COLUMNS, [name]).fetchall() for name in names)
        assert ours[1:] == theirs[1:]
        assert ours[0][:3] == theirs[0][:3] == ("id", "integer", True)
        ours, theirs = (world.connection.execute(CONSTRAINTS, [name]).fetchall() for name in names)
        assert ours == theirs
    found = world.connection.execute("select indexname from pg_indexes where schemaname = 'marts'").fetchall()
    assert {(name,) for name in INDEXES} <= set(found)


def test_revenue_is_the_departments_sales_without_tax_and_whoever_nobody_mapped(first: Built) -> None:
    friday = first.sales(SALES)["2026-03-06"]
    # Service 100 + 20.50 - 30; parts 40 + 5 + 2; total with 10 under a code of nobody's. GrandTotal would be far more.
    assert figures(friday) == ((90.5, 2), (47.0, 3), (75.25, 1), (1000.0, 1), (1222.75, 8))
    assert (friday["year"], friday["month"], friday["day_of_week"]) == (2026, 3, 5)
    unmapped = {row[:6] for row in first.found["softbase_unmapped_codes"] if row[0] == "org_1"}
    assert unmapped == {("org_1", "TRNG", "1", "90", 1, 10)}


def test_dates_are_the_dealerships_own_and_no_day_is_missing(first: Built) -> None:
    days = first.sales(SALES)
    # To the day of the read in Chicago, where it is still the 9th; the 11th has not been read yet.
    assert sorted(days) == ["2026-03-06", "2026-03-07", "2026-03-08", "2026-03-09"]
    assert [days[day]["total_invoices"] for day in ("2026-03-08", "2026-03-09")] == [1, 1]
    assert [days[day]["day_of_week"] for day in sorted(days)] == [5, 6, 0, 1]
    undated = {row[1:] for row in first.found["softbase_undated_invoices"] if row[0] == "org_1"}
    assert {(number, problem) for number, _, problem in undated} == {
        ("16", "has no date"),
        ("17", "has no date"),
        ("11", "has an amount that is not readable"),
    }


def test_an_amount_nobody_can_read_leaves_its_sums_unknown(first: Built) -> None:
    saturday = first.sales(SALES)["2026-03-07"]
    assert figures(saturday) == ((None, 2), (0.0, 0), (0.0, 0), (0.0, 0), (None, 2))


def test_work_orders_are_open_as_of_each_days_end(first: Built) -> None:
    # 101 and 106 close on the 6th; 102 stays; 103 is open over two midnights.
    assert orders(first.sales(SALES)) == {"03-06": (1, 2), "03-07": (2, 0), "03-08": (2, 0), "03-09": (1, 1)}


def test_what_changed_moves_its_days_old_and_new(first: Built, second: Built) -> None:
    days = second.sales(SALES)
    # 1 belongs to a quote now, 2 moved to Sunday, 3 is deleted.
    assert figures(days["2026-03-06"]) == ((-30.0, 1), (7.0, 2), (0.0, 0), (1000.0, 1), (987.0, 5))
    assert figures(days["2026-03-08"], "parts", "total") == ((40.0, 1), (240.0, 3))
    assert figures(days["2026-03-09"], "service", "total") == ((0.0, 0), (0.0, 0))
    # 101 is open again: on all days since it was opened.
    assert orders(days) == {
        **{"03-06": (2, 1), "03-07": (3, 0), "03-08": (3, 0), "03-09": (2, 1)},
        # Read, half an hour into a day on which nothing was sold.
        "03-10": (2, 0),
    }
    assert figures(days["2026-03-10"]) == ((0.0, 0),) * 5
    assert {day: days[day]["id"] for day in first.sales(SALES)} == {
        day: row["id"] for day, row in first.sales(SALES).items()
    }


def test_a_late_invoice_begins_the_days_earlier(third: Built) -> None:
    days = third.sales(SALES)
    assert min(days) == "2026-03-04"
    assert figures(days["2026-03-04"], "service", "total") == ((1.0, 1), (1.0, 1))
    assert orders(days)["03-04"] == (1, 0)
    assert orders(days)["03-05"] == (2, 0)
    assert third.sales(NEVER_READ)["2026-03-08"]["total_revenue"] == 100


def test_rows_nobody_touched_are_not_written(first: Built, second: Built, third: Built) -> None:
    for mart, same in (
        ("mart_sales_daily", (FISCAL_BOOKS, UNKNOWN, BROKEN)),
        ("mart_rental_fleet", (SALES,)),
        ("mart_cash_flow", (FISCAL_BOOKS, UNKNOWN, BROKEN)),
    ):
        for key, row in first.rows[mart].items():
            if key[0] in same and (mart, key[0]) != ("mart_rental_fleet", SALES):
                assert second.rows[mart][key] == row
    for key, row in second.rows["mart_sales_daily"].items():
        if key[0] in (SALES, FLEET) and key[1] >= "2026-03-06":
            assert third.rows["mart_sales_daily"][key] == row
    for month in (SEPTEMBER, NOVEMBER, DECEMBER):
        assert second.cash(CALENDAR_BOOKS)[month] == first.cash(CALENDAR_BOOKS)[month]


def test_who_is_held_back_keeps_the_rows_it_had_until_released(first: Built, second: Built, third: Built) -> None:
    assert first.sales(HELD)["2026-03-08"]["total_revenue"] == 100
    assert second.sales(HELD) == first.sales(HELD)
    assert third.sales(HELD)["2026-03-08"]["total_revenue"] == 7


def test_who_was_never_read_has_no_rows(first: Built) -> None:
    assert first.sales(NEVER_READ) == first.fleet(NEVER_READ) == first.cash(NEVER_READ) == {}
    # Read, and without any business: one day of zeros; no department that rents: no fleet of zero units.
    assert figures(first.sales(UNKNOWN)["2026-03-09"]) == ((0.0, 0),) * 5
    assert first.fleet(UNKNOWN) == {}


def test_a_fleet_is_counted_by_departments_and_open_rental_orders(first: Built) -> None:
    (row,) = first.fleet(FLEET).values()
    assert row["snapshot_date"] == "2026-03-09"
    # A B C D E K L M N O P; A B D P on rent, though D is said to be on hold; C and N held back.
    names = ("total_units", "rented_units", "maintenance_units", "available_units", "utilization_rate")
    assert [row[name] for name in names] == [11, 4, 2, 5, 36.36]
    assert row["units_by_type"] == {"Forklift": 8, "C25": 1, "Yale": 1, "unknown": 1}
    # 10001 and 10002, who has two orders.
    assert row["active_rental_customers"] == 2
    unknown = {row for row in first.found["softbase_unknown_rentals"] if row[0] == "org_2"}
    assert unknown == {("org_2", "status of a unit", "lost in space", 1)}


def test_rental_revenue_to_date_begins_with_the_fiscal_year(first: Built) -> None:
    (row,) = first.fleet(FLEET).values()
    # 70 + 5.25 in March; + 50 in February + 20 on the first of November. Twelve months would have 1,000 more.
    assert (row["rental_revenue_mtd"], row["rental_revenue_ytd"]) == (75.25, 145.25)
    assert row["revenue_by_type"] == {"Forklift": 47.0, "unknown": 3.0}


def test_a_days_fleet_stays_while_the_next_is_another(first: Built, second: Built, third: Built) -> None:
    fleet = second.fleet(FLEET)
    assert fleet["2026-03-09"] == first.fleet(FLEET)["2026-03-09"]
    # 202 was closed: D is what its status says, B is still on 201.
    assert (fleet["2026-03-10"]["rented_units"], fleet["2026-03-10"]["maintenance_units"]) == (3, 3)
    assert (fleet["2026-03-10"]["rental_revenue_mtd"], fleet["2026-03-10"]["rental_revenue_ytd"]) == (3075.25, 3145.25)
    assert third.fleet(FLEET) == fleet


@pytest.mark.parametrize("org_id", [FISCAL_BOOKS, CALENDAR_BOOKS])
def test_cash_flow_follows_from_the_ledger_whichever_way_it_counts_months(first: Built, org_id: int) -> None:
    months = first.cash(org_id)
    names = (
        *("cash_balance", "cash_change_mtd", "operating_cash_flow", "ar_change", "inventory_change", "ap_change"),
        *("investing_cash_flow", "financing_cash_flow"),
    )
    shown = {
        month: (*(row[name] if row[name] is None else f"{row[name]:.2f}" for name in names), row["health_status"])
        for month, row in months.items()
    }
    assert shown == MONTHS
    assert {month: row["non_operating_breakdown"] for month, row in months.items()} == BREAKDOWN
    assert [row["period_end"] for row in months.values()] == ["2025-09-30", "2025-10-31", "2025-11-30", "2025-12-31"]


def test_a_restated_month_is_overwritten_and_what_follows_is_as_it_was(first: Built, second: Built) -> None:
    before, after = first.cash(CALENDAR_BOOKS), second.cash(CALENDAR_BOOKS)
    changed = {name for name in after[OCTOBER] if after[OCTOBER][name] != before[OCTOBER][name]}
    # 10 more sold, 10 more owed by customers: neither cash nor what operations gave is another.
    assert changed == {"ar_change", "updated_at", "xmin"}
    assert after[OCTOBER]["ar_change"] == 70


def test_an_account_nobody_knows_leaves_the_months_flows_unknown_and_is_named(first: Built) -> None:
    february = first.cash(UNKNOWN)["2026-02"]
    assert (february["cash_balance"], february["cash_change_mtd"]) == (150, 50)
    unknown = (
        "operating_cash_flow",
        "investing_cash_flow",
        "financing_cash_flow",
        "ar_change",
        "non_operating_breakdown",
    )
    assert [february[name] for name in unknown] == [None] * 5
    assert february["health_status"] == "unknown"
    assert ("org_8", "X90000", None, 1, 202602, 202602) in first.found["softbase_unknown_accounts"]
    # 990100 of the books has no amount, so nobody has to know it; a thirteenth month is named.
    named = {row[:3] for row in first.found["softbase_unknown_accounts"] if row[0] == "org_4"}
    assert named == {("org_4", "110100", "balance of no month of a year")}


def test_books_that_do_not_add_up_are_reported_not_made_up_for(first: Built) -> None:
    found = [row for row in first.found["cash_flow_identities"] if row[0] == "org_9"]
    assert [(str(row[1]), row[3], row[4]) for row in found] == [("2026-02-28", 30, 0)]
    february = first.cash(BROKEN)["2026-02"]
    flows = [february[name] for name in ("operating_cash_flow", "investing_cash_flow", "financing_cash_flow")]
    assert (february["cash_change_mtd"], flows) == (30, [0, 0, 0])


def test_nothing_but_what_was_put_there_is_found(first: Built, second: Built, third: Built) -> None:
    expected = {
        *("softbase_unmapped_codes", "softbase_undated_invoices"),
        *("softbase_unknown_accounts", "cash_flow_identities"),
    }
    for built in (first, second, third):
        found = {name for name in built.found if not name.startswith("readable_")}
        # This one looks at staging, which only the first build had in it.
        assert found == (expected | {"softbase_unknown_rentals"} if built is first else expected)
        assert {row[0] for row in built.found["cash_flow_identities"]} == {"org_9"}
        rules = ("sales_daily_identities", "rental_fleet_identities")
        assert [built.outcome.statuses[name] for name in rules] == ["pass"] * 2
    # So does this one at landed rows.
    assert first.outcome.statuses["sales_daily_of_landed_invoices"] == "pass"


def test_no_payload_stops_a_build_and_what_cant_be_read_is_named(first: Built) -> None:
    assert first.sales(HOSTILE)
    unreadable = {name for name in first.found if name.startswith("readable_")}
    assert {f"readable_stg_softbase__{stream}_" for stream in ("invoice_reg", "wo", "gl", "equipment")} <= unreadable


def test_rules_hold_in_the_projects_unit_tests(world: World, third: Built) -> None:
    models = ("stg_softbase__wo", "int_softbase__*", *MARTS)
    outcome = world.dbt.run("test", "--select", *(f"{model},test_type:unit" for model in models))
    assert outcome.success, outcome.messages
    assert len(outcome.statuses) >= 8


def test_days_and_fleets_that_contradict_themselves_or_what_landed_fail_by_name(world: World, third: Built) -> None:
    # After invoices moved, came late and were released.
    assert world.dbt.run("test", "--select", "sales_daily_of_landed_invoices").success
    change = world.connection.execute
    change(
        "update marts.mart_sales_daily set total_invoices = total_invoices + 1, service_revenue = service_revenue + 1,"
        " open_work_orders = open_work_orders + 1 where org_id = %s and sales_date = '2026-03-09'",
        [SALES],
    )
    change("delete from marts.mart_sales_daily where org_id = %s and sales_date = '2026-03-05'", [SALES])
    # What was on hire: 3 of 11, 3 held back.
    change(
        """update marts.mart_rental_fleet set rented_units = 20, units_by_type = '{"Forklift": 7}'"""
        " where org_id = %s and snapshot_date = '2026-03-10'",
        [FLEET],
    )
    # A quote of no amount that was counted, and an invoice's tax: by mart and model alike, so that nothing contradicts.
    for table in ("marts.mart_sales_daily", "intermediate.int_softbase__invoice_days"):
        change(
            f"update {table} set total_invoices = total_invoices + 1, service_invoices = service_invoices + 1,"
            " total_revenue = total_revenue + 6.88, service_revenue = service_revenue + 6.88"
            " where org_id = %s and sales_date = '2026-03-08'",
            [HELD],
        )
    checks = ("sales_daily_identities", "sales_daily_of_landed_invoices", "rental_fleet_identities")
    outcome = world.dbt.run("test", "--select", *checks)

    assert {name: outcome.statuses[name] for name in checks} == dict.fromkeys(checks, "fail")
    found = {
        name: {(row[0], str(row[1]), row[2]) for row in change(outcome.compiled[name]).fetchall()} for name in checks
    }
    still_open = "open work orders are those of the day before, what was opened and what was closed"
    assert found["sales_daily_identities"] == {
        ("org_1", "2026-03-06", "no day is missing"),
        # 102 was opened on the day that is missing.
        ("org_1", "2026-03-06", still_open),
        ("org_1", "2026-03-09", "departments and what is assigned to none add up to total_invoices"),
        ("org_1", "2026-03-09", "departments and what is assigned to none add up to total_revenue"),
        ("org_1", "2026-03-09", still_open),
        ("org_1", "2026-03-10", still_open),
    }
    assert found["sales_daily_of_landed_invoices"] == {
        ("org_1", "2026-03-09", "total_invoices are the invoices that landed"),
        ("org_5", "2026-03-08", "total_invoices are the invoices that landed"),
        ("org_5", "2026-03-08", "total_revenue is what they charge, without tax"),
    }
    assert found["rental_fleet_identities"] == {
        ("org_2", "2026-03-10", rule)
        for rule in (
            "available, rented and maintained units add up to total_units",
            "units_by_type add up to total_units",
            "no more units are rented, or held back, than there are",
            "utilization_rate is rented_units by total_units",
        )
    }


def test_what_lands_while_a_build_is_under_way_is_the_next_builds(world: World, third: Built) -> None:
    hold = "insert into ops.held_back (org_id, source, reason) values (%s, 'softbase', 'x')"
    world.connection.execute(hold, [CALENDAR_BOOKS])
    before = world.build()
    world.connection.execute("update ops.held_back set released_at = now()")
    world.landing.land(FLEET, "invoice_reg", invoice(8, "2026-03-13", "RENTAL", LaborNonTax=0, RentalTaxable=100))
    world.landing.land(FLEET, "wo", order(209, "2026-03-13", kind="R", BillTo="10008"))
    world.landing.land(FLEET, "wo_rental", rental_line(15, 209, "K-1"))
    world.landing.was_read(FLEET, "2026-03-14T04:30:00+00:00")

    # Registers and balances were built before that; what marts read besides is as it is now.
    late = world.build(("run", "--select", *MARTS))
    for mart in MARTS:
        assert late.rows[mart] == before.rows[mart]

    after = world.build()
    assert [after.sales(FLEET)["2026-03-13"][name] for name in ("total_revenue", "total_invoices")] == [100, 1]
    now = after.fleet(FLEET)["2026-03-13"]
    # Of eleven units A, B and P on hire until then, and K-1; three held back; 10001 and 10002, and 10008.
    names = ("rented_units", "maintenance_units", "available_units", "active_rental_customers")
    assert [now[name] for name in names] == [4, 3, 4, 3]
    # 70 + 5.25 + 3,000 in March until then.
    assert now["rental_revenue_mtd"] == 3175.25


def test_revenue_to_date_is_unknown_where_its_beginning_was_not_read(world: World, third: Built) -> None:
    def to_date(start_date: str) -> list[Any]:
        world.connection.execute(
            "insert into ops.connections (org_id, source, settings) values (%s, 'softbase', %s)"
            " on conflict (org_id, source) do update set settings = excluded.settings",
            [FLEET, Jsonb({"start_date": start_date})],
        )
        newest = max(world.build(("run", "--select", "mart_rental_fleet")).fleet(FLEET).items())[1]
        return [newest["rental_revenue_mtd"], newest["rental_revenue_ytd"]]

    mtd, ytd = to_date("2025-11-01")
    assert None not in (mtd, ytd)
    assert to_date("2026-03-01") == [mtd, None]
    assert to_date("2026-03-02") == [None, None]
