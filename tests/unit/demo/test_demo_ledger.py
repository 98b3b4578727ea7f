"""The books: balanced whatever the seed, the same however they are reached."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.demo.books.company import Company
from orchestration.demo.ledger import Ledger
from orchestration.demo.organizations import BENNETT, COMPANIES
from orchestration.demo.world import World

BASES = ("accrual", "cash")
SMALL = Company(
    99,
    "small",
    "Small",
    "1",
    books_start=date(2026, 4, 1),
    start_date=date(2026, 4, 1),
    invoices_per_month=25,
    prepayments=True,
    sales_tax_bp=725,
    restatements_per_month=40,
    fiscal_year_start_month=8,
)
HARD = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
companies = st.builds(
    replace,
    st.just(SMALL),
    sells_goods=st.booleans(),
    other_income=st.booleans(),
    soft_launch=st.booleans(),
    timezone=st.sampled_from(["America/Chicago", "Europe/London", "Pacific/Auckland", "Asia/Kolkata"]),
    quiet_months=st.sampled_from([frozenset(), frozenset({7}), frozenset({4, 5})]),
)


@HARD
@given(st.integers(0, 10**9), companies)
def test_every_document_and_so_every_day_balances_on_both_bases(seed: int, company: Company) -> None:
    ledger = Ledger(company, World(seed))
    for basis in BASES:
        by_document: dict[int, int] = defaultdict(int)
        for posting in ledger.postings(basis):
            by_document[posting.document] += posting.cents
        assert not any(by_document.values())


@HARD
@given(st.integers(0, 10**9), companies)
def test_assets_equal_liabilities_and_equity_and_cash_moves_as_the_flows_say(seed: int, company: Company) -> None:
    ledger = Ledger(company, World(seed))
    for basis in BASES:
        cash = Decimal(0)
        for month, totals in ledger.month_totals(basis).items():
            assert totals["total_assets"] == totals["total_liabilities"] + totals["total_equity"], (basis, month)
            flows = ("operating_cash_flow", "investing_cash_flow", "financing_cash_flow")
            assert totals["cash_increase"] == sum(totals[flow] for flow in flows)
            cash += totals["cash_increase"]
            assert totals["ending_cash"] == cash
            assert totals["net_income"] == totals["total_revenue"] - totals["total_expenses"]


@HARD
@given(st.integers(0, 10**9))
def test_cash_basis_ends_where_accrual_does_once_open_documents_are_counted(seed: int) -> None:
    """Equity differs between the bases by exactly what is unpaid: receivables, payables and tax on open invoices."""
    ledger = Ledger(SMALL, World(seed))
    books = ledger.books
    accrual = list(ledger.month_totals("accrual").values())[-1]
    cash = list(ledger.month_totals("cash").values())[-1]
    assert accrual["ending_cash"] == cash["ending_cash"]
    assert cash["accounts_receivable"] == cash["accounts_payable"] == 0
    receivable = sum(books.open_amount(d) for d in books.alive("Invoice")) - sum(
        d.amount - sum(d.applied.values()) for d in books.alive("Payment")
    )
    payable = sum(books.open_amount(d) for d in books.alive("Bill")) - sum(
        d.amount - sum(d.applied.values()) for d in books.alive("BillPayment")
    )
    assert accrual["accounts_receivable"] == Decimal(receivable).scaleb(-2)
    assert accrual["accounts_payable"] == Decimal(payable).scaleb(-2)


def test_running_balances_equal_the_sum_of_postings() -> None:
    ledger = Ledger(SMALL, World(5))
    sums: dict[int, int] = defaultdict(int)
    for posting in ledger.postings("accrual"):
        sums[posting.account] += posting.cents
    assert {account: cents for account, cents in ledger.books.running.items() if cents} == {
        account: cents for account, cents in sums.items() if cents
    }
    receivable = sum(customer.balance for customer in ledger.books.customers.values())
    assert receivable == sums[ledger.books.key["ar"]]
    payable = sum(vendor.balance for vendor in ledger.books.vendors.values())
    assert payable == sums[ledger.books.key["ap"]]


@pytest.mark.parametrize("stops", [(1, 2, 9), (30,), (0, 5, 30)])
def test_books_kept_in_stages_are_the_books_kept_at_once(stops: tuple[int, ...]) -> None:
    world = World(7)
    start = world.last_day(SMALL.zone)
    staged = Ledger(SMALL, world)
    for days in stops:
        staged.continue_until(start + timedelta(days=days))
    whole = Ledger(SMALL, world, start + timedelta(days=stops[-1]))
    assert _digest(staged) == _digest(whole)


def test_another_process_with_other_hashing_keeps_the_same_books() -> None:
    code = (
        "from orchestration.demo.organizations import BENNETT\n"
        "from orchestration.demo.ledger import Ledger\nfrom orchestration.demo.world import World\n"
        "from hashlib import sha256\nl = Ledger(BENNETT, World())\n"
        "print(sha256(repr((l.postings('accrual'), l.postings('cash'))).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {f"{_digest(Ledger(BENNETT, World()))}\n"}


def test_seeds_differ() -> None:
    assert _digest(Ledger(SMALL, World(1))) != _digest(Ledger(SMALL, World(2)))


@HARD
@given(companies, st.integers(0, 23), st.integers(0, 10**6))
def test_what_a_day_adds_is_stamped_after_the_last_look_before_it(company: Company, hour: int, seed: int) -> None:
    """Otherwise change capture since that look would miss it."""
    world = World(seed, datetime(2026, 5, 20, hour, 30, tzinfo=UTC))
    ledger = Ledger(company, world)
    seen = {d.id: d.stamp.version for d in ledger.books.documents.values()}
    for days in range(1, 6):
        before = World(world.seed, world.base, world.days + days - 1).now.timestamp()
        later = World(world.seed, world.base, world.days + days)
        ledger.continue_until(later.last_day(company.zone))
        for document in ledger.books.documents.values():
            if seen.get(document.id) != document.stamp.version:
                assert before < document.stamp.updated <= later.now.timestamp()
                seen[document.id] = document.stamp.version


def test_past_months_are_restated_as_days_pass() -> None:
    world = World()
    ledger = Ledger(BENNETT, world)
    before = ledger.month_totals("accrual")
    ledger.continue_until(ledger.last_day + timedelta(days=30))
    after = ledger.month_totals("accrual")
    closed = [month for month in before if month < (2026, 11)]
    assert any(before[month] != after[month] for month in closed)


def test_bennett_and_vital_need_several_pages_and_all_kinds_of_trouble_occur() -> None:
    for slug in ("bennett", "vital_worklife"):
        books = Ledger(next(c for c in COMPANIES if c.slug == slug), World()).books
        assert sum(1 for _ in books.alive("Invoice")) > 1000
        assert any(d.deleted for d in books.documents.values())
        assert any(d.note == "Voided" for d in books.alive())
        assert any(not c.active for c in books.customers.values())
        assert any(not a.active for a in books.accounts.values())
        parents = {a.parent for a in books.accounts.values() if a.parent}
        posted = {line.account for d in books.alive() for line in d.lines}
        assert len(parents & posted) >= 5
        assert any(d.amount > sum(d.applied.values()) for d in books.alive("Payment"))
        assert any(d.applied and books.documents[t].date > d.date for d in books.alive("Payment") for t in d.applied)


def test_the_months_of_the_truth_run_from_the_first_of_the_books_to_the_current_one() -> None:
    months = list(Ledger(BENNETT, World()).month_totals("cash"))
    assert (months[0], months[-1], len(months)) == ((2023, 11), (2026, 11), 37)


def _digest(ledger: Ledger) -> str:
    return sha256(repr((ledger.postings("accrual"), ledger.postings("cash"))).encode()).hexdigest()
