"""A dealership's life is reproducible, its ledger balances, and what makes its figures hard to tell is there."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from orchestration.demo.dealer import gl
from orchestration.demo.dealer.chart import BY_KEY
from orchestration.demo.dealer.dealership import BENNETT, LAKESIDE, Dealership, small
from orchestration.demo.dealer.documents import Records
from orchestration.demo.dealer.life import Life
from orchestration.demo.dealer.rows import rows_of
from orchestration.demo.dealer.views import views_of
from orchestration.demo.world import World

FEW = small(BENNETT, first_day=date(2025, 9, 1))
OTHER = small(LAKESIDE, first_day=date(2025, 9, 1))


@pytest.fixture(scope="module")
def lives() -> dict[str, Life]:
    return {one.slug: Life.of(one, World()) for one in (FEW, OTHER)}


def today(dealership: Dealership) -> date:
    return World().now.astimezone(dealership.zone).date()


def shown(row: dict[str, object]) -> tuple[object, ...]:
    """What a change of the row itself shows in; sums over other views are not part of it."""
    return tuple(value for name, value in row.items() if name not in ("RentalYTD", "RentalITD", "Cost", "Sell"))


def test_a_life_lived_day_by_day_is_the_one_lived_in_one_go() -> None:
    one_by_one = Life(FEW, World())
    for days in (0, 1, 1, 5, 30):
        one_by_one.continue_until(World(days=days))
    assert one_by_one.records == Life.of(FEW, World(days=30)).records


def test_another_seed_is_another_life() -> None:
    assert Life.of(FEW, World(seed=7)).records.invoices != Life.of(FEW, World()).records.invoices


def test_business_of_a_day_is_stamped_after_the_last_look_at_the_day_before() -> None:
    day = today(FEW)
    before, after = (rows_of(Life.of(FEW, World(days=days)), day) for days in (0, 1))
    looked = World().now.astimezone(FEW.zone).replace(tzinfo=None)
    changed = 0
    for view in ("InvoiceReg", "WO", "Equipment"):
        known = {shown(row) for row in before[view]}
        for row in after[view]:
            if shown(row) not in known:
                changed += 1
                stamps = (row["CreationTime"], row["LastModificationTime"], row["DeletionTime"])
                assert max(filter(None, stamps)) >= looked
    assert changed > 5


def test_an_entry_that_does_not_balance_is_refused() -> None:
    life = Life(FEW, World())
    with pytest.raises(ValueError, match="does not balance"):
        life.post("Wrong", {"checking": 100, "receivable": -99})


@pytest.mark.parametrize("slug", [FEW.slug, OTHER.slug])
def test_every_month_of_the_ledger_adds_up_to_nothing(lives: dict[str, Life], slug: str) -> None:
    life = lives[slug]
    moved: Counter[tuple[int, int]] = Counter()
    stands: Counter[tuple[int, int]] = Counter()
    for row in gl.ledger_rows(life.dealership, life.records, today(life.dealership)):
        if row["AccountField"] == "Actual":
            moved[row["Year"], row["Month"]] += row["MTD"]
            stands[row["Year"], row["Month"]] += row["YTD"]
    assert len(moved) == 15
    assert set(moved.values()) == {Decimal(0)}
    # A ledger without rows for accounts at rest is complete only with their last balances.
    assert (set(stands.values()) == {Decimal(0)}) is not life.dealership.sparse_ledger


def test_a_years_result_moves_to_retained_earnings_without_a_posting(lives: dict[str, Life]) -> None:
    life = lives[FEW.slug]
    rows = {
        (row["AccountNo"], row["Year"], row["Month"]): row
        for row in gl.ledger_rows(FEW, life.records, today(FEW))
        if row["AccountField"] == "Actual"
    }
    income = [account.number for account in BY_KEY.values() if account.in_income_statement]
    retained = BY_KEY["retained"].number
    result = sum(rows[number, 2026, 12]["YTD"] for number in income)
    first = rows[retained, 2027, 1]
    assert first["YTD"] == rows[retained, 2026, 12]["YTD"] + result
    assert first["MTD"] == 0
    assert all(rows[number, 2027, 1]["YTD"] == rows[number, 2027, 1]["MTD"] for number in income)


def test_a_fiscal_year_is_named_after_the_year_it_ends_in() -> None:
    assert BENNETT.period(date(2026, 10, 31)) == (2026, 12)
    assert BENNETT.period(date(2026, 11, 1)) == (2027, 1)
    assert BENNETT.period(date(2027, 1, 15)) == (2027, 3)
    assert LAKESIDE.period(date(2026, 7, 1)) == (2026, 7)
    assert LAKESIDE.fiscal_start(date(2026, 6, 30)) == date(2025, 7, 1)


def test_budgets_stand_beside_actual_figures_and_run_ahead_of_them(lives: dict[str, Life]) -> None:
    rows = list(gl.ledger_rows(FEW, lives[FEW.slug].records, today(FEW)))
    twins = {(row["AccountNo"], row["Year"], row["Month"]) for row in rows if row["AccountField"] == "Budget"}
    actual = {(row["AccountNo"], row["Year"], row["Month"]) for row in rows if row["AccountField"] == "Actual"}
    assert twins & actual
    assert max(month for _, year, month in twins - actual if year == 2027) == 12


@pytest.mark.parametrize("slug", [FEW.slug, OTHER.slug])
def test_what_makes_figures_hard_to_tell_happens(lives: dict[str, Life], slug: str) -> None:
    life = lives[slug]
    records: Records = life.records
    orders = list(records.orders.values())
    quotes = [order for order in orders if order.is_quote]
    assert {order.disposition for order in quotes} == {1, 11, 13}
    assert [order for order in quotes if order.number < 900_000_000]
    assert [order for order in quotes if order.closed]
    assert [order for order in orders if order.kind == "R" and order.is_quote and order.lines]
    assert [order for order in orders if not order.lives and not order.is_quote]
    lines = [line for order in orders for line in order.lines]
    assert [line for line in lines if not line.lives]
    assert [line for line in lines if line.ended]
    assert [line for line in lines if line.serial not in records.machines]
    assert [order for order in orders if len(order.lines) > 1 and not order.closed and order.kind == "R"]
    invoices = list(records.invoices.values())
    assert [invoice for invoice in invoices if invoice.revenue < 0]
    assert [invoice for invoice in invoices if invoice.department is None]
    assert [invoice for invoice in invoices if invoice.date.hour == 23]
    assert [invoice for invoice in invoices if invoice.modified and invoice.lives], "none was withdrawn and came again"
    machines = list(records.machines.values())
    assert [machine for machine in machines if machine.place == "struck"]
    sold = [machine for machine in machines if machine.place == "sold_fleet"]
    assert [machine for machine in sold if machine.sold]
    assert {machine.owned for machine in machines if machine.place == "rental"} == {None, False}
    assert [posting for posting in records.postings if posting.on < posting.posted.date().replace(day=1)]
    assert {"cash", "fixed", "depreciation", "debt", "equity", "inventory"} <= {
        BY_KEY[posting.account].kind for posting in records.postings
    }


@pytest.mark.parametrize("dealership", [FEW, OTHER])
def test_rows_have_the_views_columns_and_keys_name_them(lives: dict[str, Life], dealership: Dealership) -> None:
    rows = rows_of(lives[dealership.slug], today(dealership))
    for view in views_of(dealership):
        assert rows[view.name], view.name
        for row in rows[view.name]:
            assert not [name for name in view.key if row[name] is None]
        if view.key:
            keys = [tuple(row[name] for name in view.key) for row in rows[view.name]]
            assert len(keys) == len(set(keys)), view.name
        unfilled = [name for name in view.names if all(row.get(name) is None for row in rows[view.name])]
        assert len(unfilled) <= 4, (view.name, unfilled)


def test_an_invoice_adds_up() -> None:
    life = Life.of(FEW, World())
    for row in rows_of(life, today(FEW))["InvoiceReg"]:
        lines = [value or 0 for name, value in row.items() if name.endswith(("Taxable", "NonTax"))]
        assert sum(lines) + row["TotalTax"] == row["GrandTotal"]
