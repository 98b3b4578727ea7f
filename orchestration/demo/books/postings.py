"""From documents to postings on either basis. Every document's postings add up to zero by construction.

Cash basis: income and expense of an invoice or bill count when they are paid, in proportion to its lines. Money
received or paid without a document to settle waits in the "unapplied cash" accounts until it is applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from orchestration.demo.books.documents import Books, Document, entries


class Posting(NamedTuple):
    """``day`` is the proleptic ordinal of the business date; ``cents`` is a debit where positive."""

    day: int
    account: int
    cents: int
    document: int


def accrual(books: Books) -> Iterator[Posting]:
    """Postings of all documents on the dates they bear."""
    for document in books.alive():
        day = document.date.toordinal()
        for account, cents in entries(books, document):
            yield Posting(day, account, cents, document.id)


def cash(books: Books) -> Iterator[Posting]:
    """Postings on the cash basis: invoices and bills appear through the payments that settle them."""
    for document in books.alive():
        day = document.date.toordinal()
        if document.kind in ("Invoice", "Bill"):
            yield from _recognised(books, document)
        elif document.kind in ("Payment", "BillPayment"):
            yield from _settlement(books, document)
        else:
            for account, cents in entries(books, document):
                yield Posting(day, account, cents, document.id)


def _recognised(books: Books, document: Document) -> Iterator[Posting]:
    """Shares of an invoice's or bill's lines, one slice per payment.

    Slices are differences of cumulative, rounded shares: they add up to each payment exactly and, once the document
    is paid in full, to each line exactly.
    """
    components = entries(books, document)[1:]
    total = document.amount
    if total <= 0:
        return
    slices = sorted(
        (max(document.date, books.documents[payment].date).toordinal(), payment)
        for payment in books.settled_by.get(document.id, ())
    )
    paid = 0
    shown = [0] * len(components)
    for day, payment in slices:
        paid += books.documents[payment].applied[document.id]
        running = previous = 0
        for index, (account, cents) in enumerate(components):
            running += cents
            bound = (2 * running * paid + total) // (2 * total)
            share = bound - previous
            previous = bound
            if share != shown[index]:
                yield Posting(day, account, share - shown[index], payment)
                shown[index] = share


def _settlement(books: Books, payment: Document) -> Iterator[Posting]:
    """A payment's money, against the unapplied account for whatever isn't recognised on the same day."""
    sign, waiting = (1, "unapplied_income") if payment.kind == "Payment" else (-1, "unapplied_expense")
    account = books.key[waiting]
    day = payment.date.toordinal()
    yield Posting(day, payment.account, sign * payment.amount, payment.id)
    unapplied = payment.amount
    for target, cents in payment.applied.items():
        recognised = books.documents[target].date.toordinal()
        if recognised > day:
            yield Posting(recognised, account, sign * cents, payment.id)
        else:
            unapplied -= cents
    if unapplied:
        yield Posting(day, account, -sign * unapplied, payment.id)
