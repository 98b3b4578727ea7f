"""What a dealership keeps: customers, machines, orders, invoices, and postings. Amounts in cents, times local."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

CATEGORIES = ("Parts", "Labor", "Misc", "Rental", "Equipment")


@dataclass
class Kept:
    """A record with the times Softbase keeps of it: naive, local. Never changed: ``modified`` is None."""

    created: datetime
    modified: datetime | None = field(default=None, kw_only=True)
    deleted: datetime | None = field(default=None, kw_only=True)

    @property
    def lives(self) -> bool:
        return self.deleted is None


@dataclass
class Customer(Kept):
    number: str
    name: str
    state: str
    exempt: bool


@dataclass
class Machine(Kept):
    """One serial number.

    place
        ``rental``, ``new`` or ``used`` (the department that holds it), or ``customer``.
    owned
        The source's flag for a customer's machine; None where nobody filled it in.
    sold
        When the dealership sold it.
    """

    serial: str
    unit: str
    make: str
    model: str
    group: str | None
    place: str
    owned: bool | None
    cost: int
    day_rent: int
    status: str
    customer: str = ""
    written_off: int = 0
    sold: datetime | None = None


@dataclass
class RentalLine(Kept):
    """A unit on a rental order; ``ended``: when another unit came for it."""

    id: int
    order: int
    serial: str
    day_rent: int
    since: date
    started: datetime | None = None
    ended: datetime | None = None


@dataclass
class Order(Kept):
    """A work order, or a quote. ``kind`` is Softbase's Type; ``disposition`` 11 and 13 are quotes."""

    number: int
    kind: str
    code: str
    dept: int
    customer: str
    opened: datetime
    disposition: int = 1
    is_quote: bool = False
    completed: datetime | None = None
    closed: datetime | None = None
    serial: str = ""
    lines: list[RentalLine] = field(default_factory=list)
    contract: int = 0
    rental_end: date | None = None
    credit_of: int = 0


@dataclass
class Invoice(Kept):
    """An entry of the invoice register; ``amounts``: category -> (cost, taxable, not taxable).

    department
        What it is a sale of: service, parts, rental, sales; None where its code has not been assigned.
    settles
        Account -> cents: where the cost of what was sold came from.
    """

    number: int
    code: str
    dept: int
    department: str | None
    customer: str
    date: datetime
    opened: datetime
    closed: datetime
    amounts: dict[str, tuple[int, int, int]]
    tax: int
    serial: str = ""
    settles: dict[str, int] = field(default_factory=dict)
    paid: bool = False

    @property
    def revenue(self) -> int:
        """Without tax."""
        return sum(taxable + untaxed for _, taxable, untaxed in self.amounts.values())


@dataclass(frozen=True)
class Posting:
    """One line of a journal: debits positive. ``on`` decides the month it counts in."""

    id: int
    journal: str
    account: str
    amount: int
    on: date
    posted: datetime
    text: str
    invoice: int = 0
    customer: str = ""


@dataclass
class Records:
    """All of it. ``history``: (serial, year, month) -> [days on rent, cents billed]; ``opening``: account -> cents.

    rentals
        Rental orders taken and not known to have ended.
    """

    customers: dict[str, Customer] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    invoices: dict[int, Invoice] = field(default_factory=dict)
    history: dict[tuple[str, int, int], list[int]] = field(default_factory=dict)
    opening: dict[str, int] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)
    rentals: list[Order] = field(default_factory=list)
    last_line: int = 0

    def running_rentals(self) -> list[Order]:
        """Rental orders that are open."""
        self.rentals = [order for order in self.rentals if order.lives and order.closed is None]
        return self.rentals

    def on_rent(self) -> dict[str, Order]:
        """Serial numbers that are out, with the order that holds them."""
        return {
            line.serial: order
            for order in self.running_rentals()
            for line in order.lines
            if line.lives and line.ended is None
        }

    def month_of(self, serial: str, day: date) -> list[int]:
        """A unit's [days on rent, cents billed] of the calendar month that a day lies in, to be added to."""
        return self.history.setdefault((serial, day.year, day.month), [0, 0])

    def post(
        self, journal: str, on: date, at: datetime, text: str, amounts: dict[str, int], invoice: int = 0, who: str = ""
    ) -> None:
        """Enter a journal entry by account key. Raises ValueError where debits and credits differ."""
        if sum(amounts.values()):
            raise ValueError(f"{text} does not balance: {amounts}")
        for account, amount in amounts.items():
            if amount:
                self.postings.append(
                    Posting(len(self.postings) + 1, journal, account, amount, on, at, text, invoice, who)
                )
