"""Service, shop, maintenance and parts: orders that are opened, completed, closed, invoiced, opened again, credited."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from orchestration.demo.dealer import invoicing
from orchestration.demo.dealer.chart import Code
from orchestration.demo.dealer.documents import Order

if TYPE_CHECKING:
    from orchestration.demo.dealer.life import Life

# Kind, share of orders, longest time until it is completed in days.
_KINDS = (("S", 34, 12), ("P", 30, 0), ("SH", 16, 25), ("PM", 14, 9), ("I", 4, 20), ("other", 2, 3))
_OPEN_QUOTE, _CANCELLED_QUOTE, _ACCEPTED = 11, 13, 1


def sell(life: Life) -> None:
    """A day's new orders and quotes."""
    pace = 1.0 if life.today.weekday() < 5 else 0.2
    kinds = [kind for kind in _KINDS for _ in range(kind[1])]
    for _ in range(life.dice.count(life.dealership.orders_per_day * pace)):
        kind, _, longest = life.dice.pick(kinds)
        take_order(life, kind, life.dice.between(0, longest))
    for _ in range(life.dice.count(life.dealership.orders_per_day * pace * 0.5)):
        quote(life, life.dice.pick(("S", "P", "E", "R")))


def new_order(life: Life, kind: str, code: Code, **facts: object) -> Order:
    """Open an order now."""
    at = life.now()
    opened = at.replace(microsecond=0)
    if life.dice.chance(0.04) and kind in ("S", "SH"):
        # Called in by night, entered in the morning.
        opened = datetime.combine(life.today, life.dice.pick((time(0, 30), time(0, 0), time(5, 45))))
    facts = {"opened": opened, "number": life.number("order"), "customer": life.customer()} | facts
    order = Order(at, kind=kind, code=code.code, dept=code.dept, **facts)  # type: ignore[arg-type]
    life.records.orders[order.number] = order
    if order.kind == "R" and not order.is_quote:
        life.records.rentals.append(order)
    return order


def take_order(life: Life, kind: str, days: int) -> Order:
    """Open an order of a kind that is completed in so many days, and closed then or somewhat later."""
    codes = life.departments.codes
    code = life.dice.pick(codes["S" if kind == "I" else kind])
    machine = life.dice.pick(list(life.records.machines.values())).serial if kind != "P" else ""
    order = new_order(life, "S" if kind == "other" else kind, code, serial=machine)
    if days == 0:
        complete(life, order)
    else:
        life.in_days(days, partial(complete, order=order))
    return order


def complete(life: Life, order: Order) -> None:
    """The work is done; most orders are closed with it, others wait for their invoice, a few are deleted instead."""
    if not order.lives or order.closed:
        return
    if life.dice.chance(0.015):
        life.delete(order)
        return
    order.completed = life.now().replace(microsecond=0)
    life.touch(order)
    if life.dice.chance(0.6):
        close(life, order)
    else:
        life.in_days(life.dice.between(1, 10), partial(close, order=order))


def close(life: Life, order: Order) -> None:
    """Close and invoice an order; internal work is closed without an invoice."""
    if not order.lives or order.closed:
        return
    late = life.dice.chance(0.05)
    order.closed = datetime.combine(life.today, time(23, 30)) if late else life.now().replace(microsecond=0)
    life.touch(order)
    if order.kind == "I":
        cost = life.dice.cents(40_000)
        life.post("Internal work", {"office": cost, "parts_inventory": -cost}, journal="IN", invoice=order.number)
        return
    invoice = invoicing.invoice_order(life, order)
    if order.kind in ("S", "SH") and life.dice.chance(0.025):
        life.in_days(life.dice.between(1, 40), partial(reopen, order=order))
    elif life.dice.chance(0.03):
        life.in_days(life.dice.between(1, 50), partial(invoicing.credit, invoice=invoice))


def reopen(life: Life, order: Order) -> None:
    """Take a closed order up again: its invoice is withdrawn, also out of a month before, and comes anew later."""
    invoice = life.records.invoices[order.number]
    if not order.lives or order.closed is None or not invoice.lives or invoice.paid:
        return
    invoicing.withdraw(life, invoice)
    order.closed = order.completed = None
    life.touch(order)
    life.in_days(life.dice.between(1, 8), partial(complete, order=order))


def quote(life: Life, kind: str) -> Order:
    """Write a quote; later it is cancelled, deleted, or accepted and becomes an order of its own."""
    codes = life.departments.codes
    code = life.dice.pick(codes["new" if kind == "E" else kind])
    # Some are numbered as orders are.
    number = life.number("order") if life.dice.chance(0.1) else life.number("quote")
    order = new_order(life, kind, code, number=number, disposition=_OPEN_QUOTE, is_quote=True)
    if kind == "R":
        from orchestration.demo.dealer.rental import line_on

        machine = life.dice.pick([one for one in life.records.machines.values() if one.place == "rental"])
        line_on(life, order, machine)
    life.in_days(life.dice.between(2, 60), partial(_decide, order=order))
    return order


def _decide(life: Life, order: Order) -> None:
    if life.dice.chance(0.1):
        life.delete(order)
        return
    accepted = life.dice.chance(0.4) and order.number >= 900_000_000
    order.disposition = _ACCEPTED if accepted else _CANCELLED_QUOTE
    if not accepted and life.dice.chance(0.3):
        order.closed = life.now().replace(microsecond=0)
    life.touch(order)
    if accepted and order.kind in ("S", "P"):
        take_order(life, order.kind, life.dice.between(0, 9))
    life.at += timedelta(seconds=1)
