"""Documents of a company's books and the one place where they are created, changed and deleted.

Amounts are integer cents. Instants are epoch seconds, so that comparing them needs no time zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from orchestration.demo.books.chart import Account, chart_of
from orchestration.demo.books.company import Company

TRANSACTIONS = ("Invoice", "Payment", "Bill", "BillPayment", "JournalEntry", "Purchase", "Deposit")


@dataclass(slots=True)
class Stamp:
    """When a record came into being and changed. ``version`` moves with every change, ``token`` only with edits of
    the record itself: a new balance isn't one."""

    created: int
    updated: int
    token: int = 0
    version: int = 0

    def touch(self, instant: int, *, edited: bool = False) -> None:
        self.updated = instant
        self.version += 1
        self.token += edited


@dataclass(slots=True)
class Name:
    """A customer, vendor or item. ``former`` lists earlier names with the instant they were given up."""

    id: int
    name: str
    stamp: Stamp
    active: bool = True
    account: int = 0
    expense_account: int = 0
    price: int = 0
    balance: int = 0
    former: list[tuple[int, str]] = field(default_factory=list)

    def name_at(self, instant: int) -> str:
        """The name a document saved at ``instant`` refers to."""
        return next((name for until, name in self.former if instant < until), self.name)


@dataclass(slots=True)
class Line:
    """One line. In journal entries ``cents`` is signed, debit positive; elsewhere positive unless a discount."""

    account: int
    cents: int
    item: int = 0
    description: str = ""


@dataclass(slots=True)
class Document:
    """A transaction. ``applied`` maps the documents a payment settles (or the payments a deposit banks) to cents."""

    id: int
    kind: str
    date: date
    stamp: Stamp
    number: str = ""
    party: int = 0
    account: int = 0
    amount: int = 0
    tax: int = 0
    lines: list[Line] = field(default_factory=list)
    applied: dict[int, int] = field(default_factory=dict)
    due: date | None = None
    method: str = ""
    credit: bool = False
    note: str = ""
    deleted: bool = False

    def retotal(self) -> None:
        self.amount = sum(line.cents for line in self.lines) + self.tax


class Books:
    """All records of one company. ``version`` moves with every change: what is computed from books is kept by it.

    ``running`` holds every account's accrual balance, debit positive.
    """

    def __init__(self, company: Company, opened: int) -> None:
        self.company = company
        self.version = 0
        self.accounts: dict[int, Account] = {account.id: account for account in chart_of(company)}
        self.account_stamps: dict[int, Stamp] = {number: Stamp(opened, opened) for number in self.accounts}
        self.key: dict[str, int] = {account.key: account.id for account in self.accounts.values()}
        self.customers: dict[int, Name] = {}
        self.vendors: dict[int, Name] = {}
        self.items: dict[int, Name] = {}
        self.documents: dict[int, Document] = {}
        self.settled: dict[int, int] = {}
        self.settled_by: dict[int, list[int]] = {}
        self.settings = Stamp(opened, opened)
        self.running: dict[int, int] = dict.fromkeys(self.accounts, 0)
        self._former_accounts: dict[int, list[tuple[int, str]]] = {}
        self._booked: dict[int, tuple[tuple[int, int], ...]] = {}

    # Names

    def add_name(self, kind: str, name: str, instant: int, **facts: int) -> Name:
        """A new customer, vendor (they share one series of ids) or item."""
        self.version += 1
        shelf = {"Customer": self.customers, "Vendor": self.vendors, "Item": self.items}[kind]
        number = len(self.items) if kind == "Item" else len(self.customers) + len(self.vendors)
        record = Name(number + 1, name, Stamp(instant, instant), **facts)
        shelf[record.id] = record
        return record

    def rename(self, record: Name, name: str, instant: int) -> None:
        self.version += 1
        record.former.append((instant, record.name))
        record.name = name
        record.stamp.touch(instant, edited=True)

    def inactivate(self, record: Name, instant: int) -> None:
        """QuickBooks never deletes a name: it hides it and says so in the name."""
        record.active = False
        self.rename(record, f"{record.name} (deleted)", instant)

    def inactivate_account(self, number: int, instant: int) -> None:
        """Hidden like a name; what was posted to it stays in the reports."""
        self.accounts[number].active = False
        self.rename_account(number, f"{self.accounts[number].name} (deleted)", instant)

    def rename_account(self, number: int, name: str, instant: int) -> None:
        self.version += 1
        self._former_accounts.setdefault(number, []).append((instant, self.accounts[number].name))
        self.accounts[number].name = name
        self.account_stamps[number].touch(instant, edited=True)

    def account_name_at(self, number: int, instant: int) -> str:
        """The name a document saved at ``instant`` refers to."""
        former = self._former_accounts.get(number, ())
        return next((name for until, name in former if instant < until), self.accounts[number].name)

    # Documents

    def add(self, document: Document) -> Document:
        """Enter a new document and let the balances it moves show the change."""
        self.documents[document.id] = document
        for target, cents in document.applied.items():
            self._settle(document, target, cents, document.stamp.updated)
        self._moved(document, document.stamp.updated)
        return document

    def next_id(self) -> int:
        return len(self.documents) + 1

    def save(self, document: Document, instant: int) -> None:
        """Keep the changes made to a document: its postings, its stamp and every balance they move."""
        document.stamp.touch(instant, edited=True)
        self._moved(document, instant)

    def apply(self, payment: Document, target: int, cents: int, instant: int) -> None:
        """Settle ``target`` from what an earlier payment left unapplied."""
        payment.applied[target] = payment.applied.get(target, 0) + cents
        self._settle(payment, target, cents, instant)
        self.save(payment, instant)

    def delete(self, document: Document, instant: int) -> None:
        """Remove a document for good; payments that settled it keep their money, unapplied."""
        document.deleted = True
        for payment in self.settled_by.pop(document.id, []):
            settler = self.documents[payment]
            cents = settler.applied.pop(document.id)
            settler.amount -= cents if settler.kind == "Deposit" else 0
            self.save(settler, instant)
        self.settled.pop(document.id, None)
        for target, cents in document.applied.items():
            self.settled[target] -= cents
            self.settled_by[target].remove(document.id)
            self.save(self.documents[target], instant)
        self.save(document, instant)

    def open_amount(self, document: Document) -> int:
        """What of an invoice or bill is unpaid, in cents; 0 once it is deleted."""
        return 0 if document.deleted else document.amount - self.settled.get(document.id, 0)

    def alive(self, kind: str | None = None) -> Iterator[Document]:
        """Documents that exist, in the order they were entered."""
        return (d for d in self.documents.values() if not d.deleted and (kind is None or d.kind == kind))

    def _settle(self, payment: Document, target: int, cents: int, instant: int) -> None:
        self.settled[target] = self.settled.get(target, 0) + cents
        settlers = self.settled_by.setdefault(target, [])
        if payment.id not in settlers:
            settlers.append(payment.id)
        self.documents[target].stamp.touch(instant, edited=True)

    def _moved(self, document: Document, instant: int) -> None:
        """Book a document's postings anew. Accounts and parties whose balance the API shows count as updated."""
        self.version += 1
        before = self._booked.get(document.id, ())
        after = () if document.deleted else tuple(entries(self, document))
        self._booked[document.id] = after
        party = self.customers.get(document.party) or self.vendors.get(document.party)
        touched = set()
        for sign, booked in ((-1, before), (1, after)):
            for number, cents in booked:
                self.running[number] += sign * cents
                touched.add(number)
                if party is not None and number in (self.key["ar"], self.key["ap"]):
                    party.balance += sign * cents
        for number in touched:
            while number:
                account = self.accounts[number]
                if account.facts.statement == "bs":
                    self.account_stamps[number].touch(instant)
                number = account.parent
        if party is not None and document.kind not in ("Purchase", "JournalEntry"):
            party.stamp.touch(instant)


def entries(books: Books, document: Document) -> list[tuple[int, int]]:
    """A document's (account, cents) on accrual, debits positive; the receivable or payable first."""
    key = books.key
    lines = [(line.account, line.cents) for line in document.lines]
    match document.kind:
        case "Invoice":
            taxed = [(key["sales_tax"], -document.tax)] if document.tax else []
            return [(key["ar"], document.amount), *((account, -cents) for account, cents in lines), *taxed]
        case "Bill":
            return [(key["ap"], -document.amount), *lines]
        case "Payment":
            return [(key["ar"], -document.amount), (document.account, document.amount)]
        case "BillPayment":
            return [(key["ap"], document.amount), (document.account, -document.amount)]
        case "Purchase":
            sign = -1 if document.credit else 1
            return [(document.account, -sign * document.amount), *((a, sign * cents) for a, cents in lines)]
        case "Deposit":
            banked = sum(document.applied.values())
            moved = [(key["undeposited"], -banked)] if banked else []
            return [(document.account, document.amount), *moved, *((account, -cents) for account, cents in lines)]
        case _:
            return lines
