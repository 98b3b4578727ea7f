"""What a dealership has on its first day: customers, machines, and balances that add up to nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orchestration.demo.dealer import fleet
from orchestration.demo.dealer.documents import Customer

if TYPE_CHECKING:
    from orchestration.demo.dealer.life import Life

_NAMES = ("Prairie", "Summit", "Anchor", "Cedar", "Union", "Granite", "Harbor", "Keystone", "Lincoln", "Maple")
_TRADES = ("Warehousing", "Foods", "Lumber", "Logistics", "Steel", "Packaging", "Produce", "Concrete")
_STATES = ("MN", "WI", "IA", "ND", "SD", None)


def open_records(life: Life) -> None:
    """Fill the records of a dealership that begins."""
    for number in range(1, life.dealership.customers + 1):
        name = f"{life.dice.pick(_NAMES)} {life.dice.pick(_TRADES)} {number}"
        customer = Customer(
            life.now(), f"{10_000 + number}", name, life.dice.pick(_STATES) or "", life.dice.chance(0.1)
        )
        life.records.customers[customer.number] = customer
    for place, count in (
        ("rental", life.dealership.fleet),
        ("new", life.dealership.stock),
        ("used", life.dealership.stock // 2),
        ("customer", life.dealership.owned),
    ):
        for _ in range(count):
            fleet.add_machine(life, place)
    _open_balances(life)


def _open_balances(life: Life) -> None:
    machines = life.records.machines.values()
    balances = {
        "checking": 90_000_000,
        "savings": 25_000_000,
        "petty": 50_000,
        "receivable": 30_000_000,
        "allowance": -1_500_000,
        "new_inventory": sum(machine.cost for machine in machines if machine.place == "new"),
        "used_inventory": sum(machine.cost for machine in machines if machine.place == "used"),
        "parts_inventory": 18_000_000,
        "fleet_cost": sum(machine.cost for machine in machines if machine.place == "rental"),
        "fleet_depreciation": -sum(machine.written_off for machine in machines),
        "vehicles": 24_000_000,
        "vehicle_depreciation": -9_600_000,
        "payable": -22_000_000,
        "sales_tax": -1_800_000,
        "term_loan": -60_000_000,
        "stock": -10_000_000,
    }
    balances["retained"] = -sum(balances.values())
    life.records.opening = balances
    # Customers pay what they owed on the first day.
    for days in range(4, 34, 6):
        life.in_days(days, lambda later: later.post("Receipt", {"checking": 5_000_000, "receivable": -5_000_000}))
    life.at += timedelta(hours=1)
