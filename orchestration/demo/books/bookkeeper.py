"""One day of bookkeeping after another: what a company enters, pays, corrects and deletes.

A day's throws depend on the seed, the company and the date alone, so books kept until one day and continued later
are the same books as those kept in one go.
"""

from __future__ import annotations

import heapq
from datetime import date, datetime, time, timedelta

from orchestration.demo.books import corrections, names, routine
from orchestration.demo.books.company import Company
from orchestration.demo.books.dice import Dice
from orchestration.demo.books.documents import Books, Document, Line, Name, Stamp
from orchestration.demo.world import World


class Bookkeeper:
    """Keeps one company's books. ``work`` must be called for every day, in order."""

    def __init__(self, company: Company, world: World) -> None:
        self.company = company
        self.world = world
        self.dice = Dice(world.seed, company.slug, "setup")
        self.today = company.books_start
        self.books = Books(company, self._opening_of(self.today))
        self.due_in: list[tuple[date, int]] = []
        self.due_out: list[tuple[date, int]] = []
        self.to_bank: list[int] = []
        self.unapplied: dict[int, list[int]] = {}
        self._instant = self._opening_of(self.today)
        self._pace = max(1, min(240, 60_000 // int(10 + company.invoices_per_month)))
        self._numbers = {"Invoice": 1000, "Bill": 0, "JournalEntry": 0, "Purchase": 0}
        names.open_lists(self)
        if not company.dormant:
            routine.opening_entry(self)

    def work(self, day: date) -> None:
        """Everything that is entered on ``day``."""
        self.today = day
        self.dice = Dice(self.world.seed, self.company.slug, day.isoformat())
        self._instant = max(self._instant, self._opening_of(day))
        if self.company.dormant or day.month in self.company.quiet_months:
            return
        routine.keep_calendar(self)
        if day.weekday() < 5:
            self._sell()
            self._buy()
            self._collect()
            self._pay()
            self._bank()
            names.change_lists(self)
            corrections.correct(self)
        elif self.dice.chance(0.2):
            self._spend()

    def now(self) -> int:
        """The next instant at the desk: entries of a day follow each other closely enough to end the same day."""
        self._instant += self.dice.between(1, self._pace)
        return self._instant

    def enter(self, kind: str, on: date | None = None, **facts: object) -> Document:
        """Enter a document now, dated ``on`` (default: today); its amount follows from its lines unless given."""
        instant = self.now()
        if kind in self._numbers and "number" not in facts:
            self._numbers[kind] += 1
            facts["number"] = str(self._numbers[kind])
        document = Document(self.books.next_id(), kind, on or self.today, Stamp(instant, instant), **facts)  # type: ignore[arg-type]
        if "amount" not in facts:
            document.retotal()
        return self.books.add(document)

    def account(self, key: str) -> int:
        return self.books.key[key]

    def share(self, ten_thousandths: int) -> int:
        """An amount around so many ten-thousandths of a month's revenue, in cents."""
        return self.dice.cents(max(100, self.company.monthly_revenue * ten_thousandths // 10_000))

    def earlier(self, days: int) -> date:
        """So many days ago, unless that is before the books or in a month without business: then today."""
        day = self.today - timedelta(days=days)
        return self.today if day < self.company.books_start or day.month in self.company.quiet_months else day

    def overhead(self) -> int:
        """Some expense account that is in use."""
        books = self.books
        return self.dice.pick([books.key[key] for key in names.OVERHEAD if books.accounts[books.key[key]].active])

    # Selling

    def _sell(self) -> None:
        season = (90, 92, 100, 104, 108, 105, 96, 94, 103, 110, 106, 92)[self.today.month - 1] / 100
        for _ in range(self.dice.count(self.company.invoices_per_month / 21 * season)):
            self.invoice()

    def invoice(self) -> Document:
        """Sell to an active customer; a twentieth of the invoices are entered days after their date."""
        dice, books = self.dice, self.books
        customer = dice.pick([c for c in books.customers.values() if c.active])
        items = [item for item in books.items.values() if item.active and item.account]
        lines = []
        for _ in range(dice.between(1, 4 if self.company.sells_goods else 2)):
            item = dice.pick(items)
            cents = dice.cents(item.price)
            if self.company.soft_launch and (self.today - self.company.books_start).days < 31:
                cents = max(1, cents // 100_000)
            lines.append(Line(item.account, cents, item.id, item.name))
        subtotal = sum(line.cents for line in lines)
        if dice.chance(0.05) and subtotal > 1000:
            lines.append(Line(self.account("discounts"), -(subtotal // 10), 0, "Discount"))
        on = self.earlier(dice.between(1, 12)) if dice.chance(0.05) else self.today
        net = sum(line.cents for line in lines)
        invoice = self.enter(
            "Invoice",
            on,
            party=customer.id,
            lines=lines,
            tax=(net * self.company.sales_tax_bp + 5000) // 10_000,
            due=on + timedelta(days=30),
        )
        self._use_credit(customer, invoice)
        if not dice.chance(0.03):
            heapq.heappush(self.due_in, (self.today + timedelta(days=dice.between(3, 55)), invoice.id))
        return invoice

    def _use_credit(self, customer: Name, invoice: Document) -> None:
        for number in self.unapplied.get(customer.id, []):
            payment = self.books.documents[number]
            left = payment.amount - sum(payment.applied.values())
            cents = min(left, self.books.open_amount(invoice))
            if cents > 0 and not payment.deleted:
                self.books.apply(payment, invoice.id, cents, self.now())

    def _collect(self) -> None:
        """Customers pay what is due, several invoices at once; some pay a part, some pay ahead."""
        owed: dict[int, dict[int, int]] = {}
        while self.due_in and self.due_in[0][0] <= self.today:
            _, number = heapq.heappop(self.due_in)
            invoice = self.books.documents[number]
            cents = self.books.open_amount(invoice)
            if cents <= 0:
                continue
            if cents > 10_000 and self.dice.chance(0.12):
                heapq.heappush(self.due_in, (self.today + timedelta(days=self.dice.between(7, 25)), number))
                cents = cents * self.dice.between(30, 70) // 100
            owed.setdefault(invoice.party, {})[number] = cents
        for customer, applied in owed.items():
            self.receive(customer, applied, sum(applied.values()))
        if self.company.prepayments and self.dice.chance(0.08):
            customer = self.dice.pick([c.id for c in self.books.customers.values() if c.active])
            payment = self.receive(customer, {}, self.share(150))
            self.unapplied.setdefault(customer, []).append(payment.id)

    def receive(self, customer: int, applied: dict[int, int], amount: int) -> Document:
        """A customer's payment; most of them wait as undeposited funds to be banked."""
        waits = self.dice.chance(0.7)
        account = self.account("undeposited" if waits else "checking")
        payment = self.enter("Payment", party=customer, account=account, applied=applied, amount=amount)
        if waits:
            self.to_bank.append(payment.id)
        return payment

    def _bank(self) -> None:
        waiting = [number for number in self.to_bank if not self.books.documents[number].deleted]
        if not waiting or not self.dice.chance(0.6):
            return
        self.to_bank.clear()
        applied = {number: self.books.documents[number].amount for number in waiting}
        self.enter("Deposit", account=self.account("checking"), applied=applied, amount=sum(applied.values()))

    # Buying

    def _buy(self) -> None:
        per_month = self.company.invoices_per_month / 3 + 2
        for _ in range(self.dice.count(per_month / 21)):
            self.bill(per_month)
        for _ in range(self.dice.count(per_month / 21)):
            self._spend()

    def bill(self, per_month: float) -> Document:
        """A vendor's bill; every eighth arrives late and is dated back, sometimes into a closed month."""
        dice = self.dice
        goods = self.company.sells_goods and dice.chance(0.7)
        each = int((7_500 if goods else 700) / per_month / 2)
        lines = []
        for _ in range(dice.between(1, 3)):
            account = self.account(dice.pick(names.COSTS)) if goods else self.overhead()
            lines.append(Line(account, self.share(each)))
        on = self.earlier(dice.between(3, 25)) if dice.chance(0.12) else self.today
        vendor = dice.pick([v.id for v in self.books.vendors.values() if v.active])
        bill = self.enter("Bill", on, party=vendor, lines=lines, due=on + timedelta(days=30))
        if not dice.chance(0.02):
            heapq.heappush(self.due_out, (self.today + timedelta(days=dice.between(5, 40)), bill.id))
        return bill

    def _pay(self) -> None:
        due: dict[int, dict[int, int]] = {}
        while self.due_out and self.due_out[0][0] <= self.today:
            _, number = heapq.heappop(self.due_out)
            bill = self.books.documents[number]
            cents = self.books.open_amount(bill)
            if cents > 0:
                due.setdefault(bill.party, {})[number] = cents
        for vendor, applied in due.items():
            method = "CreditCard" if self.dice.chance(0.2) else "Check"
            account = self.account("card" if method == "CreditCard" else "checking")
            amount = sum(applied.values())
            self.enter("BillPayment", party=vendor, account=account, applied=applied, amount=amount, method=method)

    def _spend(self) -> None:
        """A purchase by card or cheque; one in thirty is a refund on the card."""
        dice = self.dice
        method = dice.pick(("CreditCard", "CreditCard", "Check", "Cash"))
        lines = [Line(self.overhead(), self.share(40)) for _ in range(dice.between(1, 2))]
        self.enter(
            "Purchase",
            party=dice.pick([v.id for v in self.books.vendors.values() if v.active]),
            account=self.account("card" if method == "CreditCard" else "checking"),
            lines=lines,
            method=method,
            credit=method == "CreditCard" and dice.chance(0.03),
        )

    def _opening_of(self, day: date) -> int:
        """When the desk opens: in the morning, unless somebody may still look at the day before after that."""
        zone = self.company.zone
        morning = datetime.combine(day, time(8), tzinfo=zone)
        return int(max(morning, self.world.last_look(day, zone)).timestamp())
