"""What bookkeepers change afterwards: past months are restated, documents voided, redated and deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orchestration.demo.books.documents import Document, Line

if TYPE_CHECKING:
    from orchestration.demo.books.bookkeeper import Bookkeeper

REACH = timedelta(days=120)
CORRECTABLE = ("Invoice", "Bill", "Purchase")


def correct(keeper: Bookkeeper) -> None:
    """Today's corrections, of documents up to four months old."""
    dice = keeper.dice
    for _ in range(dice.count(keeper.company.restatements_per_month / 21)):
        document = _some_document(keeper)
        if document is None:
            return
        remedy = dice.pick((restate, restate, restate, redate, void, delete))
        remedy(keeper, document)


def restate(keeper: Bookkeeper, document: Document) -> None:
    """Another amount on one line; never less than what is already paid."""
    books, dice = keeper.books, keeper.dice
    instant = keeper.now()
    line = dice.pick(document.lines)
    change = max(1, abs(line.cents) * dice.between(1, 30) // 100)
    paid = books.settled.get(document.id, 0)
    if document.amount - change > paid and line.cents > change and dice.chance(0.5):
        change = -change
    line.cents += change
    document.retotal()
    books.save(document, instant)


def redate(keeper: Bookkeeper, document: Document) -> None:
    """Another date, often in another month; never after today."""
    document.date = keeper.earlier((keeper.today - document.date).days // 2 + keeper.dice.between(0, 20))
    keeper.books.save(document, keeper.now())


def void(keeper: Bookkeeper, document: Document) -> None:
    """All amounts to zero, the document stays. What is partly paid is restated instead."""
    if keeper.books.settled.get(document.id):
        restate(keeper, document)
        return
    instant = keeper.now()
    document.lines = [Line(line.account, 0, line.item, line.description) for line in document.lines]
    document.tax = 0
    document.note = "Voided"
    document.retotal()
    keeper.books.save(document, instant)


def delete(keeper: Bookkeeper, document: Document) -> None:
    """Gone for good; customers keep what they paid for it as credit."""
    payments = list(keeper.books.settled_by.get(document.id, ()))
    keeper.books.delete(document, keeper.now())
    if document.kind == "Invoice":
        for payment in payments:
            waiting = keeper.unapplied.setdefault(document.party, [])
            if payment not in waiting:
                waiting.append(payment)


def _some_document(keeper: Bookkeeper) -> Document | None:
    """A recent invoice, bill or purchase that is neither voided nor the settlement of a balance."""
    documents, dice = keeper.books.documents, keeper.dice
    for _ in range(12):
        document = documents[dice.between(max(1, len(documents) - 2_000), len(documents))]
        recent = keeper.today - document.date < REACH and not document.deleted
        settles_balance = document.kind == "Purchase" and document.note
        if recent and document.kind in CORRECTABLE and document.amount > 0 and not settles_balance:
            return document
    return None
