"""The truth about a dealership, worked by hand on a few documents."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from orchestration.demo.dealer import truth
from orchestration.demo.dealer.dealership import BENNETT, Dealership, small
from orchestration.demo.dealer.documents import Invoice, Machine, Order, Records, RentalLine
from orchestration.demo.dealer.life import Life
from orchestration.demo.world import World


def local(*parts: int) -> datetime:
    """A time as Softbase keeps it: the dealership's own, without a zone."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


AT = local(2026, 2, 1, 9)
SMALL = Dealership("hand", "ten099", fiscal_year_start_month=11, first_day=date(2026, 1, 1))


def order(number: int, opened: datetime, closed: datetime | None = None, **facts: object) -> Order:
    known = {"kind": "S", "code": "SVE", "dept": 40, "customer": "C1"} | facts
    return Order(AT, number=number, opened=opened, closed=closed, **known)  # type: ignore[arg-type]


def invoice(number: int, at: datetime, department: str | None, cents: int, tax: int = 0, **facts: object) -> Invoice:
    return Invoice(
        AT,
        number=number,
        code="SVE",
        dept=40,
        department=department,
        customer="C1",
        date=at,
        opened=at,
        closed=at,
        amounts={"Labor": (0, cents, 0)},
        tax=tax,
        **facts,  # type: ignore[arg-type]
    )


def machine(serial: str, status: str, place: str = "rental", **facts: object) -> Machine:
    known = {"unit": "U00001", "make": "Linde", "model": "H25D", "group": "Forklift", "owned": False} | facts
    return Machine(AT, serial=serial, place=place, status=status, cost=100, day_rent=1, **known)  # type: ignore[arg-type]


def test_a_day_counts_by_its_own_date_without_tax_with_credits_and_in_the_total_what_nobody_mapped() -> None:
    records = Records(
        invoices={
            one.number: one
            for one in (
                invoice(1, local(2026, 2, 3, 23, 30), "service", 45_000, tax=3_096),
                invoice(2, local(2026, 2, 3), "service", -5_000, tax=-344),
                invoice(3, local(2026, 2, 4, 0, 30), "parts", 12_050),
                invoice(4, local(2026, 2, 3), None, 1_000),
                invoice(5, local(2026, 2, 3), "sales", 900_000, deleted=AT),
            )
        }
    )
    third, fourth = truth.sales_days(records, date(2026, 2, 4))
    # 450.00 - 50.00; 400.00 + 10.00 that has no department.
    assert third.figures["service_revenue"] == Decimal("400.00")
    assert third.figures["service_invoices"] == 2
    assert third.figures["total_revenue"] == Decimal("410.00")
    assert third.figures["total_invoices"] == 3
    assert third.figures["sales_revenue"] == Decimal("0.00")
    assert fourth.figures["parts_revenue"] == Decimal("120.50")


def test_orders_are_open_from_the_day_they_are_opened_to_the_day_before_they_are_closed() -> None:
    records = Records(
        invoices={1: invoice(1, local(2026, 2, 2), "service", 100)},
        orders={
            one.number: one
            for one in (
                order(1, local(2026, 1, 30, 0, 30), local(2026, 2, 3, 23, 30)),
                order(2, local(2026, 2, 3, 23, 30), local(2026, 2, 4, 0, 30)),
                # Closed on the 2nd and opened again since: open on every day since the 1st.
                order(3, local(2026, 2, 1)),
                order(4, local(2026, 2, 1), disposition=11, is_quote=True),
                order(5, local(2026, 2, 1), deleted=AT),
            )
        },
    )
    days = [one.figures for one in truth.sales_days(records, date(2026, 2, 4))]
    assert [one["open_work_orders"] for one in days] == [2, 2, 1]
    assert [one["closed_work_orders"] for one in days] == [0, 1, 1]


@pytest.fixture
def fleet() -> Records:
    running = order(10, local(2026, 2, 1), kind="R", customer="C7")
    running.lines = [
        RentalLine(AT, id=1, order=10, serial="A", day_rent=1, since=date(2026, 2, 1)),
        RentalLine(AT, id=2, order=10, serial="B", day_rent=1, since=date(2026, 2, 1), ended=local(2026, 2, 2)),
        RentalLine(AT, id=3, order=10, serial="C", day_rent=1, since=date(2026, 2, 1), deleted=AT),
        RentalLine(AT, id=4, order=10, serial="ATT-1", day_rent=1, since=date(2026, 2, 1)),
    ]
    units = [
        machine("A", "Hold"),
        machine("B", "In Repair", group="Lift"),
        machine("C", "Rented", group=None),
        machine("D", "Ready To Rent"),
        machine("E", "HOLD - parts ", group=""),
        machine("F", "Ready To Rent", deleted=AT),
        machine("G", "Sold", place="sold_fleet"),
        machine("H", "", place="customer", owned=True),
    ]
    return Records(
        machines={unit.serial: unit for unit in units},
        orders={10: running},
        rentals=[running],
        history={
            ("A", 2025, 10): [31, 9_900],
            ("A", 2025, 11): [30, 1_100],
            ("G", 2026, 2): [3, 2_200],
            ("Z", 2026, 1): [3, 50],
        },
        invoices={
            one.number: one
            for one in (
                invoice(1, local(2025, 10, 31), "rental", 77_700),
                invoice(2, local(2025, 11, 1), "rental", 30_000, tax=99),
                invoice(3, local(2026, 2, 1), "rental", 4_000),
                invoice(4, local(2026, 2, 1), "rental", -500),
                invoice(5, local(2026, 2, 1), "service", 1),
            )
        },
    )


def test_a_fleet_is_split_into_rented_held_back_and_available(fleet: Records) -> None:
    snapshot = truth.fleet(SMALL, fleet, date(2026, 2, 3))
    # A is on rent although it is said to be on hold; B was swapped out; C's line was taken off. B and E are held back.
    assert snapshot.figures["total_units"] == 5
    assert snapshot.figures["rented_units"] == 1
    assert snapshot.figures["maintenance_units"] == 2
    assert snapshot.figures["available_units"] == 2
    assert snapshot.figures["utilization_rate"] == Decimal("20.00")
    assert snapshot.figures["active_rental_customers"] == 1
    assert snapshot.units_by_type == {"Forklift": 2, "Lift": 1, "H25D": 2}


def test_a_year_to_date_begins_with_the_fiscal_year(fleet: Records) -> None:
    snapshot = truth.fleet(SMALL, fleet, date(2026, 2, 3))
    assert snapshot.figures["rental_revenue_mtd"] == Decimal("35.00")
    assert snapshot.figures["rental_revenue_ytd"] == Decimal("335.00")
    assert snapshot.revenue_by_type == {"Forklift": Decimal("33.00"), "unknown": Decimal("0.50")}


def test_nothing_is_known_of_the_share_of_no_units() -> None:
    assert truth.fleet(SMALL, Records(), date(2026, 2, 3)).figures["utilization_rate"] is None


def test_a_month_of_cash_by_hand() -> None:
    records = Records(opening={"checking": 1_000_00, "stock": -1_000_00})
    for on, amounts in (
        (date(2026, 2, 3), {"receivable": 600_00, "service_sales": -600_00}),
        (date(2026, 2, 4), {"checking": 250_00, "receivable": -250_00}),
        (date(2026, 2, 5), {"parts_inventory": 90_00, "payable": -90_00}),
        (date(2026, 2, 6), {"service_cost": 40_00, "parts_inventory": -40_00}),
        (date(2026, 2, 7), {"fleet_cost": 300_00, "checking": -300_00}),
        (date(2026, 2, 8), {"checking": 500_00, "term_loan": -500_00}),
        (date(2026, 2, 9), {"dividends": 70_00, "checking": -70_00}),
        (date(2026, 2, 28), {"rental_cost": 25_00, "fleet_depreciation": -25_00}),
        # Paid into a cash account that is numbered among other assets: still cash.
        (date(2026, 2, 28), {"transit": 10_00, "receivable": -10_00}),
    ):
        records.post("GJ", on, AT, "by hand", amounts)
    first, month = truth.cash_months(SMALL, records)
    assert first.figures["cash_balance"] == Decimal("1000.00")
    assert first.figures["operating_cash_flow"] is None
    assert first.health_status == "unknown"
    assert month.period_end == date(2026, 2, 28)
    # Net income 600 - 40 - 25 = 535, depreciation 25, receivables + 340, inventory + 50, payables + 90.
    assert month.parts["net_income"] == Decimal("535.00")
    assert month.figures == {
        "cash_balance": Decimal("1390.00"),
        "cash_change_mtd": Decimal("390.00"),
        "ar_change": Decimal("340.00"),
        "inventory_change": Decimal("50.00"),
        "ap_change": Decimal("90.00"),
        # 535 + 25 - 340 - 50 + 90
        "operating_cash_flow": Decimal("260.00"),
        "investing_cash_flow": Decimal("-300.00"),
        "financing_cash_flow": Decimal("430.00"),
    }
    assert month.health_status == "healthy"


@pytest.mark.parametrize(
    ("operating", "status"),
    [("0.01", "healthy"), ("0", "warning"), ("-49999.99", "warning"), ("-50000", "critical")],
)
def test_health_is_judged_at_its_limits(operating: str, status: str) -> None:
    assert truth.health(Decimal(operating)) == status


def test_cash_moves_by_what_flows_in_every_month_of_a_life() -> None:
    life = Life.of(small(BENNETT), World())
    months = truth.cash_months(life.dealership, life.records)
    for before, month in pairwise(months):
        flows = [month.figures[f"{kind}_cash_flow"] for kind in ("operating", "investing", "financing")]
        assert month.figures["cash_change_mtd"] == sum(map(Decimal, flows))
        assert month.figures["cash_balance"] - before.figures["cash_balance"] == month.figures["cash_change_mtd"]
