"""The books beside selling: wages, bills, loans, depreciation, dividends, and corrections of months gone by."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from orchestration.demo.dealer import fleet

if TYPE_CHECKING:
    from orchestration.demo.dealer.life import Life


def keep_books(life: Life) -> None:
    """A day's entries."""
    day = life.today
    if (day + timedelta(days=1)).day == 1:
        _close_month(life)
    if day.day == 12:
        _begin_month(life)
    if day.weekday() == 4:
        _pay_wages(life)
    if day.weekday() < 5:
        _buy_parts(life)
        if life.dice.chance(0.06):
            _correct_earlier_month(life)
        if life.dice.chance(0.02):
            spent = life.dice.cents(6_000)
            life.post("Petty cash", {"office": spent, "petty": -spent}, journal="CD")
        if life.dice.chance(0.03):
            advance = life.dice.cents(45_000)
            life.post("Advance", {"advances": advance, "checking": -advance}, journal="CD")
            life.in_days(25, lambda later: later.post("Repaid", {"checking": advance, "advances": -advance}))


def _scale(life: Life) -> int:
    """What amounts are multiplied by, in percent: a dealership with five orders a day is one of 100."""
    return max(10, int(life.dealership.orders_per_day * 20))


def _money(life: Life, cents: int) -> int:
    return life.dice.cents(cents * _scale(life) // 100)


def _pay_wages(life: Life) -> None:
    wages = _money(life, 1_400_000)
    accrued = _money(life, 250_000)
    life.post("Wages", {"wages": wages, "accrued": accrued, "checking": -wages - accrued}, journal="PR")


def _buy_parts(life: Life) -> None:
    cost = _money(life, 130_000)
    life.post("Parts", {"parts_inventory": cost, "payable": -cost}, journal="AP")
    life.in_days(
        life.dice.between(15, 45),
        lambda later: later.post("Paid", {"payable": cost, "checking": -cost}, journal="CD"),
    )


def _begin_month(life: Life) -> None:
    """Rent, tax collected, the loan's instalment; by the quarter a loan and a dividend, by the year insurance."""
    rent = _money(life, 900_000)
    life.post("Rent", {"rent": rent, "checking": -rent}, journal="CD")
    tax = _money(life, 700_000)
    life.post("Sales tax", {"sales_tax": tax, "checking": -tax}, journal="CD")
    principal, interest = _money(life, 1_000_000), _money(life, 260_000)
    life.post("Term loan", {"term_loan": principal, "interest": interest, "checking": -principal - interest})
    if life.today.month % 3 == 0:
        dividend = _money(life, 2_000_000)
        life.post("Dividend", {"dividends": dividend, "checking": -dividend}, journal="CD")
    if life.today.month % 4 == 2:
        loan = _money(life, 9_000_000)
        life.post("Loan drawn", {"checking": loan, "term_loan": -loan})
    if life.today.month == 2:
        premium = _money(life, 2_400_000)
        life.post("Insurance", {"prepaid": premium, "checking": -premium}, journal="CD")
    if life.today.month in (5, 10):
        van = _money(life, 4_200_000)
        life.post("Van", {"vehicles": van, "checking": -van}, journal="AP")
    if life.dice.chance(0.4):
        claim = _money(life, 300_000)
        life.post("Warranty claim", {"warranty": claim, "other_sales": -claim}, journal="AR")
        life.in_days(50, lambda later: later.post("Factory pays", {"checking": claim, "warranty": -claim}))
    if life.dice.chance(0.3):
        moved = _money(life, 2_000_000)
        life.post("Transfer", {"savings": moved, "checking": -moved})


def _close_month(life: Life) -> None:
    worn = fleet.write_off(life)
    life.post("Depreciation", {"rental_cost": worn, "fleet_depreciation": -worn})
    vans = _money(life, 320_000)
    life.post("Depreciation", {"vehicle_expense": vans, "vehicle_depreciation": -vans})
    insured = _money(life, 200_000)
    life.post("Insurance used", {"insurance": insured, "prepaid": -insured})
    doubtful = _money(life, 40_000)
    life.post("Doubtful accounts", {"bad_debts": doubtful, "allowance": -doubtful})


def _correct_earlier_month(life: Life) -> None:
    """An entry that counts in a month before: the figures of that month and of all since change."""
    on = max(life.dealership.first_day, _some_earlier(life.today, life.dice.between(20, 75)))
    amount = life.dice.between(1, 9) * 1_111
    one, other = life.dice.pick((("office", "payable"), ("wages", "accrued"), ("parts_cost", "parts_inventory")))
    sign = life.dice.pick((1, 1, -1))
    life.post("Correction", {one: sign * amount, other: -sign * amount}, on)


def _some_earlier(day: date, days: int) -> date:
    return day - timedelta(days=days)
