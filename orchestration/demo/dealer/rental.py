"""Rental: units go out on orders, are swapped, billed every four weeks, and come back."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from orchestration.demo.dealer import fleet, invoicing, orders
from orchestration.demo.dealer.documents import Machine, Order, RentalLine

if TYPE_CHECKING:
    from orchestration.demo.dealer.life import Life

CYCLE = 28
_OUT = ("On Rent", "On Rent", "Rented", "Ready To Rent")
_HELD = ("hold", "repair")


def rent(life: Life) -> None:
    """A day's new rentals, mistakes and swaps."""
    if life.today.weekday() >= 5:
        return
    for _ in range(life.dice.count(life.dealership.fleet * 0.016)):
        ready = _ready(life)
        if ready:
            units = {life.dice.pick(ready).serial for _ in range(life.dice.pick((1, 1, 1, 2, 3)))}
            days = life.dice.pick((3, 7, 10, 20, 35, 60, 90, 120))
            start(life, life.customer(), sorted(units), days, life.number("contract"))
    running = [order for order in life.records.running_rentals() if order.lines]
    if running and life.dice.chance(0.12):
        _swap(life, life.dice.pick(running))
    if running and life.dice.chance(0.05):
        _mistake(life, life.dice.pick(running))


def start(life: Life, customer: str, units: list[str], days: int, contract: int) -> Order:
    """Open a rental order; one that lasts longer than a cycle is billed then and goes on under another number."""
    code = life.dice.pick(life.departments.codes["R"])
    order = orders.new_order(life, "R", code, customer=customer, contract=contract)
    for serial in units:
        line_on(life, order, life.records.machines[serial])
    if life.dice.chance(0.1):
        # An attachment, which is no unit of the fleet.
        _line(life, order, f"ATT-{life.dice.between(1, 40):03d}", 1_500)
    order.rental_end = life.today + timedelta(days=days)
    life.in_days(min(days, CYCLE), partial(bill, order=order, left=days - CYCLE))
    return order


def line_on(life: Life, order: Order, machine: Machine) -> RentalLine:
    """Put a unit on an order; its status follows, where somebody thinks of it."""
    line = _line(life, order, machine.serial, machine.day_rent)
    if not order.is_quote:
        machine.status = life.dice.pick(_OUT) if life.dice.chance(0.95) else "Hold"
        life.touch(machine)
    return line


def _line(life: Life, order: Order, serial: str, day_rent: int) -> RentalLine:
    life.records.last_line += 1
    line = RentalLine(
        life.now(), id=life.records.last_line, order=order.number, serial=serial, day_rent=day_rent, since=life.today
    )
    order.lines.append(line)
    return line


def bill(life: Life, order: Order, left: int) -> None:
    """Close and invoice an order, and let the rental go on or the units come back."""
    if not order.lives or order.closed:
        return
    amounts = 0
    for line in order.lines:
        if line.lives:
            until = line.ended.date() if line.ended else life.today
            rented = line.day_rent * max(1, (until - line.since).days)
            amounts += rented
            machine = life.records.machines.get(line.serial)
            if machine is not None:
                life.records.month_of(line.serial, life.today)[1] += rented
    held = [line.serial for line in order.lines if line.lives and not line.ended]
    order.completed = order.closed = life.now().replace(microsecond=0)
    life.touch(order)
    exempt = life.records.customers[order.customer].exempt
    invoice = {"Rental": (0, 0 if exempt else amounts, amounts if exempt else 0)}
    if life.dice.chance(0.3):
        invoice["Misc"] = (0, 0, 9_500)
    invoicing.invoice_order(life, order, invoice)
    if left > 0:
        fleet_units = [serial for serial in held if serial in life.records.machines]
        start(life, order.customer, fleet_units, left, order.contract)
        return
    for serial in held:
        if (machine := life.records.machines.get(serial)) is not None:
            _came_back(life, machine)


def count_days(life: Life) -> None:
    """Note a day on rent for every unit that is out as the day ends."""
    for serial in life.records.on_rent():
        if serial in life.records.machines:
            life.records.month_of(serial, life.today)[0] += 1


def _came_back(life: Life, machine: Machine) -> None:
    status = life.dice.pick(("Ready To Rent", "Ready To Rent", "Ready To Rent", "Rented", "In Repair"))
    if status == "In Repair":
        fleet.hold(life, machine, status)
    else:
        machine.status = status
        life.touch(machine)


def _ready(life: Life) -> list[Machine]:
    return [one for one in fleet.idle(life) if not any(word in one.status.lower() for word in _HELD)]


def _swap(life: Life, order: Order) -> None:
    """A unit breaks down at the customer's, and another goes out for it."""
    ready = _ready(life)
    lines = [one for one in order.lines if one.lives and not one.ended and one.serial in life.records.machines]
    if not ready or not lines:
        return
    line = life.dice.pick(lines)
    broken = life.records.machines[line.serial]
    line.ended = datetime.combine(life.today, time())
    life.touch(line)
    fleet.hold(life, broken, "In Repair")
    instead = line_on(life, order, life.dice.pick(ready))
    instead.started = line.ended


def _mistake(life: Life, order: Order) -> None:
    """A unit is entered on the wrong order and taken off it again; or the order itself is deleted while it runs."""
    ready = _ready(life)
    if ready and life.dice.chance(0.7):
        machine = life.dice.pick(ready)
        life.delete(line_on(life, order, machine))
        machine.status = "Ready To Rent"
        life.touch(machine)
    elif life.dice.chance(0.5):
        life.delete(order)
        for line in order.lines:
            if line.serial in life.records.machines and not line.ended:
                _came_back(life, life.records.machines[line.serial])
