"""Machines: bought, held back, sold, moved between departments, and those that customers own."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from orchestration.demo.dealer import invoicing, orders
from orchestration.demo.dealer.documents import Machine

if TYPE_CHECKING:
    from orchestration.demo.dealer.life import Life

# Group (None: nobody filled it in), make, models, typical cost in cents.
_GROUPS: tuple[tuple[str | None, str, tuple[str, ...], int], ...] = (
    ("Forklift IC", "Linde", ("H25D", "H30T", "H50"), 2_900_000),
    ("Forklift Electric", "Linde", ("E16", "E20", "E30"), 3_200_000),
    ("Reach Truck", "Linde", ("R14", "R16"), 3_600_000),
    ("Aerial Lift", "Skyjack", ("SJ3219", "SJIII 4632"), 1_600_000),
    ("Sweeper", "Tennant", ("S20", "M30"), 2_400_000),
    (None, "Clark", ("C25",), 2_200_000),
    ("", "Yale", ("GLP050",), 2_600_000),
)
_READY = ("Ready To Rent", "Ready To Rent", "In Stock")
_HELD = ("Hold", "HOLD", "In Repair", "Hold - Parts ", "Repair")
# Months a fleet unit is written off over.
LIFETIME = 72


def add_machine(life: Life, place: str) -> Machine:
    """A machine that is in some department, or with a customer, without anything being posted for it."""
    group, make, models, typical = life.dice.pick(_GROUPS)
    number = len(life.records.machines) + 1
    cost = life.dice.cents(typical)
    customer_owned = place == "customer"
    machine = Machine(
        life.now(),
        serial=f"{make[:2].upper()}{life.dice.between(100, 999)}-{number:05d}",
        unit=f"U{number:05d}",
        make=make,
        model=life.dice.pick(models),
        group=group,
        place=place,
        owned=True if customer_owned else life.dice.pick((False, False, None)),
        cost=0 if customer_owned else cost,
        day_rent=0 if customer_owned else cost // 400,
        status="" if customer_owned else life.dice.pick(_READY),
        customer=life.customer() if customer_owned else "",
    )
    if place == "rental" and life.today < life.dealership.first_day:
        machine.written_off = cost * life.dice.between(0, 60) // LIFETIME
    life.records.machines[machine.serial] = machine
    return machine


def trade(life: Life) -> None:
    """A day's purchases, sales and moves of machines, and what goes into or comes out of the workshop."""
    machines, dice = life.records.machines, life.dice
    if life.today.weekday() < 5:
        fleet = len([one for one in machines.values() if one.place == "rental"])
        if dice.chance(0.03 + (0.15 if fleet < life.dealership.fleet else 0)):
            buy(life, "rental")
        if dice.chance(0.01 * life.dealership.stock):
            buy(life, "new")
        if dice.chance(0.006 * life.dealership.stock):
            _sell_one(life, "new")
        if dice.chance(0.004 * life.dealership.stock):
            _sell_one(life, "used")
        if dice.chance(0.02 + 0.0001 * life.dealership.fleet):
            _sell_one(life, "rental")
        if dice.chance(0.004 + 0.00005 * life.dealership.fleet):
            _move_to_used(life)
        if dice.chance(0.04):
            # Entered by mistake.
            life.in_days(1, partial(_strike, machine=add_machine(life, "rental")))
        if dice.chance(0.15):
            add_machine(life, "customer")
    for machine in idle(life):
        if dice.chance(0.006):
            hold(life, machine, dice.pick(_HELD))


def idle(life: Life) -> list[Machine]:
    """Rental units that could go out: not on rent and not held back."""
    out = life.records.on_rent()
    return [
        machine
        for machine in life.records.machines.values()
        if machine.place == "rental" and machine.lives and machine.sold is None and machine.serial not in out
    ]


def buy(life: Life, place: str) -> Machine:
    """Buy a machine: for the fleet by cheque or with a loan, for stock on floor plan."""
    machine = add_machine(life, place)
    if place == "rental":
        paid = "term_loan" if life.dice.chance(0.4) else "checking"
        life.post(f"Unit {machine.unit}", {"fleet_cost": machine.cost, paid: -machine.cost}, journal="AP")
    else:
        paid = life.dice.pick(("floor_plan", "payable"))
        life.post(f"Unit {machine.unit}", {f"{place}_inventory": machine.cost, paid: -machine.cost}, journal="AP")
        account = paid
        life.in_days(
            life.dice.between(25, 60),
            lambda later: later.post("Paid", {account: machine.cost, "checking": -machine.cost}, journal="CD"),
        )
    return machine


def _sell_one(life: Life, place: str) -> None:
    candidates = idle(life) if place == "rental" else _in_stock(life, place)
    if not candidates:
        return
    machine = life.dice.pick(candidates)
    code = life.dice.pick(life.departments.codes["fleet" if place == "rental" else place])
    order = orders.new_order(life, "E", code, serial=machine.serial)
    order.completed = order.closed = life.now().replace(microsecond=0)
    price = (machine.cost - machine.written_off) * life.dice.between(104, 135) // 100
    exempt = life.records.customers[order.customer].exempt
    amounts = {"Equipment": (machine.cost - machine.written_off, 0 if exempt else price, price if exempt else 0)}
    source = "fleet_cost" if place == "rental" else f"{place}_inventory"
    settles = {source: machine.cost, "fleet_depreciation": -machine.written_off}
    invoicing.invoice_order(life, order, amounts, settles)
    machine.sold = datetime.combine(life.today, time())
    # What the status says of it, somebody remembers to enter or not.
    machine.status = life.dice.pick(("Sold", "Sold", "sold ", machine.status))
    machine.customer = order.customer
    if life.dice.chance(0.1):
        machine.sold, machine.status = None, life.dice.pick(("Disposed", "Sold"))
    if life.dice.chance(0.5):
        machine.owned = True
    machine.place = "sold_fleet" if place == "rental" else "sold_stock"
    life.touch(machine)


def _in_stock(life: Life, place: str) -> list[Machine]:
    return [one for one in life.records.machines.values() if one.place == place and one.lives]


def _move_to_used(life: Life) -> None:
    """Take a unit out of the fleet, to be sold as used equipment at what it is worth in the books."""
    candidates = idle(life)
    if not candidates:
        return
    machine = life.dice.pick(candidates)
    worth = machine.cost - machine.written_off
    life.post(
        f"Unit {machine.unit} to stock",
        {"used_inventory": worth, "fleet_depreciation": machine.written_off, "fleet_cost": -machine.cost},
    )
    machine.place, machine.status, machine.cost, machine.written_off = "used", "Transferred", worth, 0
    life.touch(machine)


def hold(life: Life, machine: Machine, status: str) -> None:
    """Keep a unit back for some days."""
    machine.status = status
    life.touch(machine)
    life.in_days(life.dice.between(2, 15), partial(_release, machine=machine))


def _release(life: Life, machine: Machine) -> None:
    if machine.place == "rental" and machine.lives and life.dice.chance(0.9):
        machine.status = life.dice.pick(_READY)
        life.touch(machine)


def _strike(life: Life, machine: Machine) -> None:
    if machine.serial not in life.records.on_rent():
        life.delete(machine)
        machine.place = "struck"
        life.at += timedelta(seconds=1)


def write_off(life: Life) -> int:
    """A month's depreciation of the fleet, noted on each unit; cents in all."""
    total = 0
    for machine in life.records.machines.values():
        if machine.place == "rental" and machine.lives and machine.cost > machine.written_off:
            month = min(machine.cost // LIFETIME, machine.cost - machine.written_off)
            machine.written_off += month
            total += month
    return total
