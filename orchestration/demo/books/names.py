"""Customers, vendors and items: the lists a company opens with and how they change."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestration.demo.books.bookkeeper import Bookkeeper

OVERHEAD = (
    "advertising",
    "auto",
    "fuel",
    "bank_charges",
    "insurance",
    "legal",
    "accounting",
    "office",
    "travel",
    "utilities",
    "electricity",
    "telephone",
)
COSTS = ("equipment_cost", "parts_cost", "cogs", "freight")
RETIRED = ("old_bank", "travel")
RENAMED = {"office": "Office Supplies & Software", "advertising": "Marketing"}
# Spellings that break careless code: quotes, accents, other scripts, emoji, backslashes, markup.
ODD = (
    "O'Brien & Söhne",
    "Café Zoë, Inc.",
    "北京进出口有限公司",
    "Smile 😀 Dental",
    'Big "Mike" Lumber',
    "Back\\slash Brewing",
    "<b>Bold</b> Bakery",
    "Ñandú Café — São Paulo",
)
FIRST = ("North", "River", "Summit", "Cedar", "Prairie", "Harbor", "Granite", "Maple", "Union", "Lakeside", "Red Rock")
SECOND = ("Supply", "Logistics", "Clinic", "Foods", "Builders", "Dental", "Farms", "Motors", "Partners", "Schools")
THIRD = ("LLC", "Inc.", "Co.", "Group", "& Sons")
PRODUCTS = (("Forklift, 5000 lb", "equipment_sales", 6), ("Pallet jack", "equipment_sales", 2))
PARTS = (("Hydraulic pump", "parts_sales", 2), ("Tire set", "parts_sales", 1), ("Trade-in unit", "sales", 3))
WORK = (("Service call", "field_service", 1), ("Annual agreement", "services", 3), ("Emergency call", "emergency", 2))


def open_lists(keeper: Bookkeeper) -> None:
    """The lists as they are on the first day."""
    company, books = keeper.company, keeper.books
    goods = PRODUCTS + PARTS if company.sells_goods else ()
    for name, key, weight in goods + WORK:
        cost = {"equipment_sales": "equipment_cost", "parts_sales": "parts_cost", "sales": "cogs"}.get(key)
        books.add_name(
            "Item",
            name,
            keeper.now(),
            account=keeper.account(key),
            expense_account=keeper.account(cost) if cost else 0,
            price=company.typical_line * weight // 2,
        )
    size = min(400, int(6 + company.invoices_per_month))
    for index in range(size):
        books.add_name("Customer", new_name(keeper, odd=index < 4), keeper.now())
    for _ in range(4 + size // 3):
        books.add_name("Vendor", new_name(keeper), keeper.now())


def new_name(keeper: Bookkeeper, *, odd: bool = False) -> str:
    """A name no other customer or vendor of the company has."""
    dice = keeper.dice
    taken = {n.name for n in keeper.books.customers.values()} | {n.name for n in keeper.books.vendors.values()}
    name = dice.pick(ODD) if odd else f"{dice.pick(FIRST)} {dice.pick(SECOND)} {dice.pick(THIRD)}"
    suffix = 1
    unique = name
    while unique in taken:
        suffix += 1
        unique = f"{name} {suffix}"
    return unique


def change_lists(keeper: Bookkeeper) -> None:
    """Now and then a new customer, a new name for an old one, one who leaves, an account nobody uses any more."""
    dice, books = keeper.dice, keeper.books
    if dice.chance(keeper.company.invoices_per_month / 600):
        books.add_name("Customer", new_name(keeper, odd=dice.chance(0.1)), keeper.now())
    if dice.chance(0.01):
        books.add_name("Vendor", new_name(keeper), keeper.now())
    if dice.chance(0.012):
        customer = dice.pick([c for c in books.customers.values() if c.active])
        books.rename(customer, new_name(keeper), keeper.now())
    if dice.chance(0.008):
        leavers = [c for c in books.customers.values() if c.active and c.balance == 0]
        if len(leavers) > 3:
            books.inactivate(dice.pick(leavers), keeper.now())
    if dice.chance(0.004):
        vendors = [v for v in books.vendors.values() if v.active and v.id != min(books.vendors)]
        if len(vendors) > 3:
            books.inactivate(dice.pick(vendors), keeper.now())
    if dice.chance(0.01):
        item = dice.pick([i for i in books.items.values() if i.active])
        item.price += item.price * dice.between(-5, 10) // 100
        item.stamp.touch(keeper.now(), edited=True)
        books.version += 1
    if dice.chance(0.004):
        account = books.accounts[books.key[dice.pick(RETIRED)]]
        if account.active:
            books.inactivate_account(account.id, keeper.now())
    if dice.chance(0.004):
        key = dice.pick(tuple(RENAMED))
        if books.accounts[books.key[key]].name != RENAMED[key]:
            books.rename_account(books.key[key], RENAMED[key], keeper.now())
