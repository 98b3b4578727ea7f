"""What a dealership's own database adds up, over views unlike the demo's: few columns, other types and spellings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from servers import EMBEDDED

from orchestration.demo.serving.databases import Server, StandInDatabase, drop_database, ensure_database, set_clock
from orchestration.demo.world import World
from orchestration.sources.softbase import verified_departments
from orchestration.sources.softbase.source import SOFTBASE
from orchestration.sources.softbase.verified_cash import cash_figures
from orchestration.sources.softbase.verified_rent import rent_figures
from orchestration.sources.softbase.verify import fleet_figures, sales_figures
from orchestration.verified_figures import SUBJECTS
from orchestration.verify import comparable
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.organizations import Organization

# 07:00 on the 20th of November 2026 in Chicago.
WORLD = World()
# Postgres stores what is not quoted in lower case; dates are dates here.
TABLES = """
    create table InvoiceReg (InvoiceNo int, SaleCode text, InvoiceDate date, LaborTaxable numeric(19, 4),
        {amounts});
    create table WO (WONo int, Disposition smallint, Type text, BillTo text, OpenDate date, ClosedDate date);
    create table WORental (WONo int, SerialNo text, UnitNo text, SwapEndDate date);
    create table Equipment (SerialNo text, UnitNo text, Customer boolean, InventoryBranch smallint,
        InventoryDept smallint, RentalStatus text, DealerSaleDate date, ModelGroup text, Model text);
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
BENNETT = Organization(1, "one", "One", UUID(int=1), "America/Chicago", "USD", 11, None)


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
    # Deleted, an order says nothing any more: 60 + 2.
    run("alter table WO add IsDeleted boolean; update WO set IsDeleted = true where WONo = 2")
    day = ask(sales_figures, date(2026, 3, 1), date(2026, 3, 1))[date(2026, 3, 1)]
    assert (day["total_invoices"], day["total_revenue"]) == (5, Decimal("62.00"))


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
    run("update Equipment set ModelGroup = case when SerialNo in ('A', 'E') then ' Fork ' else ' ' end")
    run("update Equipment set Model = 'FORK' where SerialNo in ('B', 'D')")
    # A B D G H I; A, D and H on rent, the last by its unit number; G on hold.
    assert ask(fleet_figures) == {
        "total_units": 6,
        "rented_units": 3,
        "maintenance_units": 1,
        "available_units": 2,
        "utilization_rate": Decimal("50.00"),
        "active_rental_customers": 1,
        # As they are spelled.
        "units_by_type Fork": 1,
        "units_by_type FORK": 2,
        "units_by_type unknown": 3,
    }


def test_what_rents_is_read_from_the_warehouses_seed(
    run: Callable[[str], None], ask: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word within another is none ("Parent"), and an organization's own word on a number goes before all titles."""
    run("""
        insert into Dept values (1, 60, 'Rental'), (1, 70, 'Parent Co.'), (1, 33, 'Yard'), (1, 61, 'Rental parts');
        insert into Equipment (SerialNo, InventoryBranch, InventoryDept) values
            ('A', 1, 60), ('B', 1, 70), ('C', 1, 33), ('D', 2, 33), ('E', null, 60), ('F', 1, null), ('G', 1, 61)
    """)
    assert ask(fleet_figures)["total_units"] == 3  # A E G
    seed = "softbase_departments.csv"
    own = "one,number,33,1,rental\none,number,61,1,parts\ntwo,number,70,1,rental\n"
    (tmp_path / seed).write_text(
        (verified_departments.SEEDS / seed).read_text(encoding="utf-8") + own, encoding="utf-8"
    )
    monkeypatch.setattr(verified_departments, "SEEDS", tmp_path)
    assert ask(fleet_figures)["total_units"] == 4  # A C D E


def test_rent_is_by_code_before_department_and_begins_with_month_and_fiscal_year(
    run: Callable[[str], None], ask: Callable[..., Any]
) -> None:
    run("""
        alter table InvoiceReg add SaleBranch smallint, add SaleDept smallint;
        insert into Dept values (1, 60, 'Rental'), (1, 50, 'Parts'), (1, 70, 'Rental'), (2, 70, 'Office'),
            (2, 80, 'Rentals');
        insert into WO (WONo, Disposition) values (9, 11);
        insert into InvoiceReg (InvoiceNo, InvoiceDate, SaleCode, SaleBranch, SaleDept, LaborTaxable) values
            (1, '2026-11-20', ' rentr ', 1, 50, 1),
            -- A fleet unit that is sold is a sale, whichever department sold it. So is what a quote bills: nothing.
            (2, '2026-11-20', 'RNTSALE', 1, 60, 1000),
            (9, '2026-11-20', 'RENTR', 1, 60, 1000),
            -- Codes that nobody mapped go by the department: of the branch, or of all that have the number.
            (3, '2026-11-01', 'ODD', 1, 60, 2),
            (4, '2026-11-01', 'ODD', 3, 80, 4),
            (5, '2026-11-01', 'ODD', 3, 70, 1000),
            (6, '2026-11-01', null, null, null, 1000),
            -- Before the month, before the fiscal year, behind the day.
            (7, '2026-10-31', 'RENTAL', 1, 60, 8),
            (8, '2026-09-30', 'RENTAL', 1, 60, 16),
            (10, '2026-11-21', 'RENTAL', 1, 60, 1000)
    """)
    found = ask(rent_figures, date(2026, 11, 20), 10)
    assert found == {"rental_revenue_mtd": Decimal("7.00"), "rental_revenue_ytd": Decimal("15.00")}
    # A fiscal year that began in December began last year.
    assert ask(rent_figures, date(2026, 11, 20), 12)["rental_revenue_ytd"] == Decimal("31.00")


def compared(ask: Callable[..., Any], marted: Any) -> tuple[Any, Any]:
    return comparable(marted, ask(SUBJECTS["softbase"].source, marted, BENNETT))


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
    assert compared(ask, marted)[0] == marted
    run(LEDGER)
    run("alter table GL drop column LastTransDate")
    stored, fresh = compared(ask, marted)
    assert stored == {OCTOBER: {"sales total_invoices": 1}}
    assert "cash" not in " ".join(fresh[OCTOBER])


# docs/decisions/025: balances and movements of four months; what did not move has no row.
BOOKS = {
    "110100": [(1000, -5), (950, -50), (1090, 140), (-58910, -60000)],
    "119000": [(50, 0), (60, 10), None, None],
    "120100": [(400, 0), (460, 60), (360, -100), None],
    "130100": [(300, 0), (270, -30), None, None],
    "180100": [(900, 0), (1000, 100), None, None],
    "190100": [(-200, 0), (-220, -20), (-240, -20), None],
    "200100": [(-250, 0), (-290, -40), (-200, 90), None],
    "210100": [(-50, 0), (-55, -5), None, None],
    "220100": [(-500, 0), (-475, 25), (-675, -200), None],
    "300100": [(-1000, 0), None, None, None],
    # The old year's result is in it from November on, and moved nothing.
    "310100": [(-450, 0), None, (-700, 0), None],
    "320100": [None, None, (30, 30), None],
    "410100": [(-2000, -180), (-2300, -300), (-400, -400), None],
    "510100": [(1200, 110), (1380, 180), (250, 250), None],
    "610100": [(600, 75), (670, 70), (210, 210), (60210, 60000)],
}
ENDS = [date(2025, 9, 30), date(2025, 10, 31), date(2025, 11, 30), date(2025, 12, 31)]
FLOWS = (
    *("operating_cash_flow", "ar_change", "inventory_change", "ap_change"),
    *("investing_cash_flow", "financing_cash_flow"),
)


@pytest.fixture
def books(run: Callable[[str], None]) -> Callable[[str], None]:
    run("""alter table ChartOfAccounts add CashAccount boolean, add AccountsRecievable boolean,
        add AccountsPayable boolean, add Section text;
        insert into ChartOfAccounts values ('110100', '', true, false, false),
            ('119000', '', false, false, false),
            ('120100', '', false, true, false),
            ('200100', '', false, false, true)""")
    for account, months in BOOKS.items():
        for end, row in zip(ENDS, months, strict=True):
            if row is not None:
                values = f"'{account}', 'Actual', {end.year}, {end.month}, {row[0]}, {row[1]}, '{end}'"
                run(f"insert into GL values ({values})")
    return run


def flows(ask: Callable[..., Any]) -> dict[date, list[Any]]:
    return {day: [one[name] for name in FLOWS] for day, one in ask(cash_figures).items()}


def test_all_flows_are_told_by_what_accounts_moved(books: Any, ask: Callable[..., Any]) -> None:
    assert flows(ask) == dict(
        zip(
            ENDS,
            [[None] * 6, [75, 60, -30, 40, -100, -25], [-30, -100, 0, -90, 0, 170], [-60000, 0, 0, 0, 0, 0]],
            strict=True,
        )
    )
    assert cash(ask)[ENDS[2]] == (Decimal("1090.00"), Decimal("140.00"))


def test_words_of_the_chart_say_what_an_account_is(books: Any, ask: Callable[..., Any]) -> None:
    # Numbered among fixed assets, a deposit; 100 are working capital now and nothing was invested.
    books("insert into ChartOfAccounts (AccountNo, Section) values ('180100', 'Prepaid Deposits')")
    assert flows(ask)[ENDS[1]] == [-25, 60, -30, 40, 0, -25]


def test_an_account_nobody_knows_leaves_flows_unknown_while_something_is_on_it(
    books: Any, ask: Callable[..., Any]
) -> None:
    # Before its first row stands what that begins with: 5 less 5. In December it is empty again.
    books("insert into GL values ('X1', 'Actual', 2025, 11, 5, 5, '2025-11-30')")
    books("insert into GL values ('X1', 'Actual', 2025, 12, 0, -5, '2025-12-30')")
    books("insert into GL values ('X1', 'Actual', 2026, 1, 0, 0, '2026-01-30')")
    found = ask(cash_figures)
    unknown = [day.month for day, one in found.items() if one["operating_cash_flow"] is None]
    # September has no month before it.
    assert unknown == [9, 11, 12]
    assert found[ENDS[2]]["cash_balance"] == 1090


def test_in_a_month_that_does_not_add_up_financing_is_not_compared(books: Any, ask: Callable[..., Any]) -> None:
    books("update GL set MTD = -250 where AccountNo = '310100' and Month = 11")
    told = ask(cash_figures)
    assert [day for day in ENDS if "financing_cash_flow" not in told[day]] == [ENDS[2]]
    assert told[ENDS[2]]["operating_cash_flow"] == -30
    marted: Any = {day: {f"cash {name}": Decimal(1) for name in FLOWS} for day in ENDS}
    stored, fresh = compared(ask, marted)
    assert marted[ENDS[2]].keys() - stored[ENDS[2]].keys() == {"cash financing_cash_flow"}
    assert fresh[ENDS[2]]["cash operating_cash_flow"] == -30
    assert {day: figures for day, figures in stored.items() if day != ENDS[2]} == {
        day: figures for day, figures in marted.items() if day != ENDS[2]
    }
