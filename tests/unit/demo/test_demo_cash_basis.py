"""Cash basis by hand: what a bookkeeper would write down for a few documents."""

from __future__ import annotations

from datetime import date

import pytest

from orchestration.demo.books.company import Company
from orchestration.demo.books.documents import Books, Document, Line, Stamp
from orchestration.demo.books.postings import accrual, cash

JUNE, JULY, AUGUST = date(2026, 6, 10), date(2026, 7, 10), date(2026, 8, 10)


@pytest.fixture
def books() -> Books:
    books = Books(Company(1, "hand", "Hand", "1"), opened=0)
    books.add_name("Customer", "C", 0)
    books.add_name("Vendor", "V", 0)
    return books


def enter(books: Books, kind: str, on: date, **facts: object) -> Document:
    document = Document(books.next_id(), kind, on, Stamp(0, 0), **facts)  # type: ignore[arg-type]
    if "amount" not in facts:
        document.retotal()
    return books.add(document)


def invoice(books: Books, on: date, *cents: int, tax: int = 0) -> Document:
    keys = ("sales", "services", "parts_sales")
    lines = [Line(books.key[key], amount) for key, amount in zip(keys, cents, strict=False)]
    return enter(books, "Invoice", on, party=1, lines=lines, tax=tax)


def pay(books: Books, on: date, amount: int, **applied: int) -> Document:
    targets = {int(number[1:]): cents for number, cents in applied.items()}
    return enter(books, "Payment", on, party=1, account=books.key["checking"], amount=amount, applied=targets)


def by_day(books: Books, key: str, basis=cash) -> dict[date, int]:
    sums: dict[date, int] = {}
    for posting in basis(books):
        if posting.account == books.key[key]:
            day = date.fromordinal(posting.day)
            sums[day] = sums.get(day, 0) + posting.cents
    return {day: cents for day, cents in sums.items() if cents}


def test_an_unpaid_invoice_is_income_on_accrual_and_nothing_on_cash(books: Books) -> None:
    invoice(books, JUNE, 10_000)
    assert by_day(books, "sales", accrual) == {JUNE: -10_000}
    assert list(cash(books)) == []


def test_income_counts_in_the_month_of_the_payment(books: Books) -> None:
    invoice(books, JUNE, 10_000)
    pay(books, JULY, 10_000, i1=10_000)
    assert by_day(books, "sales") == {JULY: -10_000}
    assert by_day(books, "checking") == {JULY: 10_000}


def test_a_part_paid_is_shared_by_the_lines_and_the_last_part_completes_them(books: Books) -> None:
    invoice(books, JUNE, 3_333, 3_333, 3_334, tax=700)
    pay(books, JULY, 3_567, i1=3_567)
    pay(books, AUGUST, 7_133, i1=7_133)
    shares = {key: by_day(books, key) for key in ("sales", "services", "parts_sales", "sales_tax")}
    assert sum(part[JULY] for part in shares.values()) == -3_567
    assert {key: sum(part.values()) for key, part in shares.items()} == {
        "sales": -3_333,
        "services": -3_333,
        "parts_sales": -3_334,
        "sales_tax": -700,
    }


def test_money_without_an_invoice_waits_as_unapplied_income(books: Books) -> None:
    pay(books, JUNE, 5_000)
    assert by_day(books, "unapplied_income") == {JUNE: -5_000}


def test_money_paid_ahead_becomes_income_on_the_date_of_the_invoice(books: Books) -> None:
    payment = pay(books, JUNE, 5_000)
    later = invoice(books, AUGUST, 4_000)
    books.apply(payment, later.id, 4_000, instant=1)
    assert by_day(books, "unapplied_income") == {JUNE: -5_000, AUGUST: 4_000}
    assert by_day(books, "sales") == {AUGUST: -4_000}
    assert by_day(books, "ar") == {}


def test_a_deleted_invoice_leaves_its_payment_unapplied(books: Books) -> None:
    gone = invoice(books, JUNE, 5_000)
    pay(books, JULY, 5_000, i1=5_000)
    books.delete(gone, instant=1)
    assert by_day(books, "sales") == {}
    assert by_day(books, "unapplied_income") == {JULY: -5_000}
    assert books.customers[1].balance == -5_000


def test_a_restated_invoice_restates_the_share_already_paid(books: Books) -> None:
    document = invoice(books, JUNE, 5_000, 5_000)
    pay(books, JULY, 10_000, i1=10_000)
    document.lines[0].cents = 15_000
    document.retotal()
    books.save(document, instant=1)
    assert by_day(books, "sales") == {JULY: -7_500}
    assert by_day(books, "services") == {JULY: -2_500}


def test_bills_are_expenses_when_they_are_paid(books: Books) -> None:
    enter(books, "Bill", JUNE, party=2, lines=[Line(books.key["rent"], 8_000), Line(books.key["equipment"], 2_000)])
    account = books.key["checking"]
    enter(books, "BillPayment", JULY, party=2, account=account, amount=4_000, applied={1: 4_000}, method="Check")
    assert by_day(books, "rent", accrual) == {JUNE: 8_000}
    assert by_day(books, "rent") == {JULY: 3_200}
    assert by_day(books, "equipment") == {JULY: 800}
    assert by_day(books, "ap") == {}


def test_a_discount_line_takes_its_part_of_every_payment(books: Books) -> None:
    lines = [Line(books.key["sales"], 10_000), Line(books.key["discounts"], -1_000)]
    enter(books, "Invoice", JUNE, party=1, lines=lines)
    pay(books, JULY, 4_500, i1=4_500)
    assert by_day(books, "sales") == {JULY: -5_000}
    assert by_day(books, "discounts") == {JULY: 500}


def test_deleting_a_payment_opens_its_invoice_and_empties_its_deposit(books: Books) -> None:
    document = invoice(books, JUNE, 5_000)
    account = books.key["undeposited"]
    payment = enter(books, "Payment", JULY, party=1, account=account, amount=5_000, applied={document.id: 5_000})
    bank = books.key["checking"]
    deposit = enter(books, "Deposit", AUGUST, account=bank, amount=5_000, applied={payment.id: 5_000})
    books.delete(payment, instant=1)
    assert books.open_amount(document) == 5_000
    assert (deposit.amount, by_day(books, "checking"), by_day(books, "undeposited")) == (0, {}, {})
