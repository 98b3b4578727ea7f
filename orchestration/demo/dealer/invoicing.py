"""Invoices: what an order is billed at, how it is posted, credited, withdrawn and paid."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import partial
from typing import TYPE_CHECKING

from orchestration.demo.dealer.documents import CATEGORIES, Invoice, Order

if TYPE_CHECKING:
    from orchestration.demo.dealer.life import Life

Amounts = dict[str, tuple[int, int, int]]

# Typical cents by category of what kinds of orders bill, and the share of it that is cost.
_BILLED: dict[str, tuple[tuple[str, int, float], ...]] = {
    "S": (("Labor", 52_000, 0.45), ("Parts", 28_000, 0.62), ("Misc", 3_500, 0.0)),
    "SH": (("Labor", 95_000, 0.45), ("Parts", 70_000, 0.62), ("Misc", 5_500, 0.0)),
    "PM": (("Labor", 18_000, 0.5), ("Parts", 6_000, 0.6)),
    "P": (("Parts", 31_000, 0.66),),
}
_SALES = {"service": "service", "parts": "parts", "rental": "rental", "sales": "equipment", None: "other"}


def invoice_order(
    life: Life, order: Order, amounts: Amounts | None = None, settles: dict[str, int] | None = None
) -> Invoice:
    """Invoice a closed order under its own number, dated today, and post it.

    amounts
        By category; those its kind usually bills unless given.
    settles
        Accounts that the costs of what was sold come from; parts and wages unless given.
    """
    exempt = life.records.customers[order.customer].exempt
    amounts = amounts or _usual(life, order.kind, exempt)
    department = next(code.department for code in life.departments.all_codes if code.code == order.code)
    taxable = sum(amount[1] for amount in amounts.values())
    closed = order.closed or life.now()
    on = closed if closed.time() == time(23, 30) else datetime.combine(life.today, time())
    earlier = life.records.invoices.get(order.number)
    invoice = Invoice(
        earlier.created if earlier else life.now(),
        modified=life.now() if earlier else None,
        number=order.number,
        code=order.code,
        dept=order.dept,
        department=department,
        customer=order.customer,
        date=on,
        opened=order.opened,
        closed=closed,
        amounts=amounts,
        tax=_tax_of(life, taxable),
        serial=order.serial,
        settles=settles or _costs(amounts),
    )
    life.records.invoices[order.number] = invoice
    post_invoice(life, invoice)
    if invoice.revenue > 0 and life.dice.chance(0.97):
        life.in_days(life.dice.between(2, 60), partial(receive, invoice=invoice))
    return invoice


def post_invoice(life: Life, invoice: Invoice, sign: int = 1, on: date | None = None) -> None:
    """Post an invoice, or undo it (``sign`` -1) on the day it counted on."""
    key = _SALES[invoice.department]
    cost = sum(invoice.settles.values())
    entry = {
        "receivable": invoice.revenue + invoice.tax,
        f"{key}_sales": -invoice.revenue,
        "sales_tax": -invoice.tax,
        "service_cost" if key in ("service", "other", "rental") else f"{key}_cost": cost,
    }
    for account, amount in invoice.settles.items():
        entry[account] = entry.get(account, 0) - amount
    life.post(
        f"Invoice {invoice.number}",
        {account: sign * amount for account, amount in entry.items()},
        on or invoice.date.date(),
        journal="AR",
        invoice=invoice.number,
        who=invoice.customer,
    )


def credit(life: Life, invoice: Invoice) -> None:
    """Give some or all of an invoice back: a negative invoice on an order of its own."""
    if not invoice.lives:
        return
    share = life.dice.pick((100, 100, 50, 25))
    amounts = {
        category: (0, -(taxable * share // 100), -(untaxed * share // 100))
        for category, (_, taxable, untaxed) in invoice.amounts.items()
    }
    at = life.now()
    original = life.records.orders[invoice.number]
    order = Order(
        at,
        number=life.number("order"),
        kind=original.kind,
        code=invoice.code,
        dept=invoice.dept,
        customer=invoice.customer,
        opened=at.replace(microsecond=0),
        completed=at.replace(microsecond=0),
        closed=at.replace(microsecond=0),
        credit_of=invoice.number,
    )
    life.records.orders[order.number] = order
    given = invoice_order(life, order, amounts)
    owed = -(given.revenue + given.tax)
    life.post("Refund", {"receivable": owed, "checking": -owed}, journal="CD", who=invoice.customer)


def withdraw(life: Life, invoice: Invoice) -> None:
    """Take an invoice out of the register and off the books, on the day it was dated."""
    life.delete(invoice)
    post_invoice(life, invoice, -1)


def receive(life: Life, invoice: Invoice) -> None:
    """The customer pays; what comes on a Saturday is in transit until Monday."""
    if not invoice.lives:
        return
    invoice.paid = True
    amount = invoice.revenue + invoice.tax
    place = "transit" if life.today.weekday() == 5 else "checking"
    life.post("Receipt", {place: amount, "receivable": -amount}, journal="CR", who=invoice.customer)
    if place == "transit":
        life.in_days(2, lambda later: later.post("Banked", {"checking": amount, "transit": -amount}, journal="CR"))


def _usual(life: Life, kind: str, exempt: bool) -> Amounts:
    amounts: Amounts = {}
    for category, typical, share in _BILLED[kind]:
        if category == "Misc" and life.dice.chance(0.5):
            continue
        sold = life.dice.cents(typical)
        # Labour is not taxed, unless it is part of a repair that is.
        untaxed = exempt or (category == "Labor" and life.dice.chance(0.8))
        amounts[category] = (int(sold * share), 0 if untaxed else sold, sold if untaxed else 0)
    return {category: amounts[category] for category in CATEGORIES if category in amounts}


def _costs(amounts: Amounts) -> dict[str, int]:
    labor = amounts.get("Labor", (0, 0, 0))[0]
    return {"accrued": labor, "parts_inventory": sum(cost for cost, _, _ in amounts.values()) - labor}


def _tax_of(life: Life, taxable: int) -> int:
    """Half up, away from zero: a credit gives back what was charged."""
    tax = (abs(taxable) * life.dealership.sales_tax_bp + 5_000) // 10_000
    return tax if taxable >= 0 else -tax
