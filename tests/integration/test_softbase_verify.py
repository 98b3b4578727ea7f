"""What a dealership's own database adds up, over views unlike the demo's: few columns, other types and spellings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from servers import EMBEDDED

from orchestration.demo.serving.databases import Server, StandInDatabase, drop_database, ensure_database, set_clock
from orchestration.demo.world import World
from orchestration.sources.softbase.source import SOFTBASE
from orchestration.sources.softbase.verified_cash import cash_figures, tells_cash
from orchestration.sources.softbase.verify import fleet_figures, sales_figures
from orchestration.verified_figures import SUBJECTS
from orchestration.warehouse.embedded import EmbeddedPostgres

# 07:00 on the 20th of November 2026 in Chicago.
WORLD = World()
# Postgres stores what is not quoted in lower case; dates are dates here.
TABLES = """
    create table InvoiceReg (InvoiceNo int, SaleCode text, InvoiceDate date, LaborTaxable numeric(19, 4),
        {amounts});
    create table WO (WONo int, Disposition smallint, Type text, BillTo text, OpenDate date, ClosedDate date);
    create table WORental (WONo int, SerialNo text, UnitNo text, SwapEndDate date);
    create table Equipment (SerialNo text, UnitNo text, Customer boolean, InventoryBranch smallint,
        InventoryDept smallint, RentalStatus text, DealerSaleDate date);
    create table Dept (Branch smallint, Dept smallint, Title text);
    create table GL (AccountNo text, AccountField text, Year smallint, Month smallint, YTD numeric(19, 4),
        MTD numeric(19, 4), LastTransDate date);
    create table ChartOfAccounts (AccountNo text, Description text);
""".format(
    amounts=", ".join(
        f"{name}{kind} numeric(19, 4)"
        for name in ("Parts", "Labor", "Misc", "Rental", "Equipment")
        for kind in ("Taxable", "NonTax")
        if name + kind != "LaborTaxable"
    )
)
OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 30)


@pytest.fixture(scope="module")
def dealership(postgres_server: Callable[[str], EmbeddedPostgres]) -> Iterator[StandInDatabase]:
    server, name = Server(postgres_server(EMBEDDED).superuser_url), f"tenant_{uuid4().hex[:12]}"
    database = ensure_database(server, name, "password-of-a-tenant")
    with database.writing() as connection:
        set_clock(connection, WORLD)
    yield database
    drop_database(server, name)


@pytest.fixture
def run(dealership: StandInDatabase) -> Callable[[str], None]:
    """Statements on fresh views."""

    def execute(statements: str) -> None:
        with dealership.writing() as connection:
            connection.execute("set local search_path = ten001")
            connection.execute(statements)  # type: ignore[arg-type]

    with dealership.writing() as connection:
        connection.execute("drop schema if exists ten001 cascade; create schema ten001")
    execute(TABLES)
    execute(f"grant usage on schema ten001 to {dealership.name}_reader")
    execute(f"grant select on all tables in schema ten001 to {dealership.name}_reader")
    return execute


@pytest.fixture
def ask(dealership: StandInDatabase, run: Any) -> Callable[..., Any]:
    """Calls a function with a session of its own, which leaves no lock behind."""

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        connection = {"url": dealership.reader_url, "schema": "ten001"}
        with SOFTBASE.open(connection, organization="one", timezone="America/Chicago") as session:
            return function(session, *arguments)

    return call


def orders(ask: Callable[..., Any], first: date, last: date) -> dict[int, tuple[Any, Any]]:
    """(open at the day's end, closed on it) by day of the month."""
    figures = ask(sales_figures, first, last)
    return {day.day: (one["open_work_orders"], one["closed_work_orders"]) for day, one in figures.items()}


def test_orders_are_open_from_their_opening_to_their_end_whatever_the_dates_are(
    run: Callable[[str], None], ask: Callable[..., Any]
) -> None:
    run("""insert into WO (WONo, Disposition, OpenDate, ClosedDate) values
        (1, 1, '2026-03-01', null),
        -- Closed before it was opened: open on no day. Never opened. Opened or closed in 1900, which is no date.
        (2, 1, '2026-03-03', '2026-02-20'),
        (3, 1, null, '2026-02-20'),
        (4, 1, '1900-01-01', null),
        (5, 1, '2026-03-02', '1900-01-01'),
        (6, null, '2026-03-02', '2026-03-04'),
        -- Quotes, by number and by disposition.
        (910000001, 1, '2026-03-01', '2026-03-03'),
        (90002, 1, '2026-03-01', null),
        (7, 11, '2026-03-01', null)""")
    assert orders(ask, date(2026, 3, 1), date(2026, 3, 4)) == {1: (1, 0), 2: (3, 0), 3: (3, 0), 4: (2, 1)}
    assert orders(ask, date(2026, 2, 20), date(2026, 2, 20)) == {20: (0, 2)}


def test_an_invoice_of_a_quote_is_none(run: Callable[[str], None], ask: Callable[..., Any]) -> None:
    run("""
        insert into WO (WONo, Disposition) values (1, 11), (2, 13), (3, 1), (4, null), (910000005, 1);
        insert into InvoiceReg (InvoiceNo, InvoiceDate, LaborTaxable) values
            (1, '2026-03-01', 1), (2, '2026-03-01', 2), (3, '2026-03-01', 4), (4, '2026-03-01', 8),
            (910000005, '2026-03-01', 16), (6, '2026-03-01', 32)
    """)
    day = ask(sales_figures, date(2026, 3, 1), date(2026, 3, 1))[date(2026, 3, 1)]
    assert (day["total_invoices"], day["total_revenue"]) == (4, Decimal("60.00"))


def test_a_fleet_is_by_department_status_and_orders_that_run_today(
    run: Callable[[str], None], ask: Callable[..., Any]
) -> None:
    run("""
        insert into Dept values (1, 60, 'Rental'), (2, 60, 'RENTALS'), (1, 50, 'Parts'), (1, 70, 'Rental'),
            (2, 70, 'Office');
        insert into Equipment (SerialNo, UnitNo, InventoryBranch, InventoryDept, RentalStatus, DealerSaleDate) values
            ('A', 'U1', 1, 60, null, null),
            -- A branch that does not have the number, which is rental wherever it is; one where it is not everywhere.
            ('B', 'U2', 7, 60, 'Transferred', '1900-01-01'),
            ('C', 'U3', 7, 70, 'Ready', null),
            ('D', 'U4', 1, 70, 'Scrapped', '2026-11-21'),
            ('E', 'U5', 1, 60, ' sold - auction', null),
            ('F', 'U6', 1, 60, 'Ready', '2026-11-20'),
            ('G', 'U7', 1, 60, 'On Hold', null),
            ('H', 'U8', 1, 60, 'Hold', null),
            ('I', 'U9', 1, 60, 'Down', null);
        insert into WO (WONo, Disposition, Type, BillTo, OpenDate, ClosedDate) values
            -- Closes tomorrow; opens tomorrow; was closed today; in 1900, which is never.
            (1, 1, 'R', ' c1', '2026-11-01', '2026-11-21'),
            (2, 1, 'R', 'C2', '2026-11-21', null),
            (3, 1, 'R', 'C3', '2026-11-01', '2026-11-20'),
            (4, 1, 'R', 'C1', '2026-11-01', '1900-01-01'),
            (5, 1, 'R', ' ', '2026-11-01', null);
        insert into WORental values
            (1, 'A', null, '1900-01-01'), (2, 'G', null, null), (3, 'B', null, null), (4, ' ', 'U8', null),
            (5, 'D', null, null), (1, 'I', null, '2026-11-20')
    """)
    # A B D G H I; A, D and H on rent, the last by its unit number; G on hold.
    assert ask(fleet_figures) == {
        "total_units": 6,
        "rented_units": 3,
        "maintenance_units": 1,
        "available_units": 2,
        "utilization_rate": Decimal("50.00"),
        "active_rental_customers": 1,
    }


def cash(ask: Callable[..., Any]) -> dict[date, tuple[Any, Any]]:
    return {day: (one["cash_balance"], one["cash_change_mtd"]) for day, one in ask(cash_figures).items()}


LEDGER = """insert into GL values
    ('110100', 'Actual', 2026, 10, 500, 40, '2026-10-30'), ('110100', 'Budget', 2026, 10, 9, 9, '2026-10-30'),
    ('110100', 'Actual', 2026, 11, 450, -50, '2026-11-19'),
    -- First moved in November, entered in the month after.
    ('119000', 'Actual', 2026, 11, 30, 10, '2026-12-02'),
    ('300100', 'Actual', 2026, 10, -500, 0, '2026-10-30'),
    ('300100', 'Actual', 2026, 11, -500, 0, '1900-01-01'), ('300100', 'Actual', 2026, 13, 7, 7, '2026-11-30')"""


def test_cash_is_told_without_flags_by_number_and_by_the_date_of_the_last_entry(
    run: Callable[[str], None], ask: Callable[..., Any]
) -> None:
    run(LEDGER)
    # 500 and the 20 that the other account began with; 450 and 30.
    found = {OCTOBER: (Decimal("520.00"), None), NOVEMBER: (Decimal("480.00"), Decimal("-40.00"))}
    assert ask(tells_cash)
    assert cash(ask) == found
    run("alter table ChartOfAccounts add CashAccount boolean; insert into ChartOfAccounts values ('119000', '', false)")
    assert cash(ask) == found
    # Flagged elsewhere: one without a flag is none, one that the chart does not have goes by its number.
    run("insert into ChartOfAccounts values ('300100', '', true)")
    assert cash(ask) == {OCTOBER: (Decimal("0.00"), None), NOVEMBER: (Decimal("-50.00"), Decimal("-50.00"))}


def test_a_fiscal_ledgers_months_are_those_of_most_entries(run: Callable[[str], None], ask: Callable[..., Any]) -> None:
    # November is the first month of 2027.
    run("""insert into GL values ('110100', 'Actual', 2026, 12, 500, 40, '2026-10-30'),
        ('110100', 'Actual', 2027, 1, 450, -50, '2026-11-19'), ('110100', 'Actual', 2027, 2, 450, 0, null)""")
    assert cash(ask) == {OCTOBER: (Decimal("500.00"), None), NOVEMBER: (Decimal("450.00"), Decimal("-50.00"))}


def test_without_cash_no_balance_is_zero(run: Callable[[str], None], ask: Callable[..., Any]) -> None:
    run("insert into GL values ('300100', 'Actual', 2026, 10, -500, 0, '2026-10-30')")
    assert cash(ask) == {OCTOBER: (None, None)}


def test_a_ledger_that_tells_no_months_is_not_compared(run: Callable[[str], None], ask: Callable[..., Any]) -> None:
    marted: Any = {OCTOBER: {"sales total_invoices": 1, "cash cash_balance": Decimal(1)}}
    # Without rows there is something to compare: the mart has a month, the ledger none.
    assert ask(SUBJECTS["softbase"].asked, marted) == marted
    run(LEDGER)
    run("alter table GL drop column LastTransDate")
    assert ask(SUBJECTS["softbase"].asked, marted) == {OCTOBER: {"sales total_invoices": 1}}
    assert "cash" not in " ".join(ask(SUBJECTS["softbase"].source, {OCTOBER: {"sales total_invoices": 1}})[OCTOBER])
