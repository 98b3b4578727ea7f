"""The demo's many: small organizations for others to be compared with, most of them in two industries."""

from __future__ import annotations

import re
from datetime import date

from orchestration.demo.books.company import Company
from orchestration.demo.books.dice import Dice

PEERS = 280
# NAICS sector -> how many of a hundred. Groups of peers are made within an industry, and need some size.
INDUSTRIES = (("62", 48), ("42", 40), ("54", 6), ("23", 6))
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")

_PLACES = (
    "Alder", "Aspen", "Bayside", "Blue Ridge", "Cedar Creek", "Clearwater", "Copper Hill", "Eastgate", "Fairview",
    "Foxglove", "Glenwood", "Highland", "Ironwood", "Lakeshore", "Longview", "Meadow", "Midtown", "Oak Park",
    "Pioneer", "Ridgeline", "Riverbend", "Rosewood", "Sandstone", "Silver Lake", "Stonebridge", "Sunrise", "Westfield",
    "Willow",
)  # fmt: skip
_TRADES = {
    "62": ("Family Clinic", "Counseling", "Physical Therapy", "Home Care", "Pediatrics"),
    "42": ("Wholesale", "Industrial Supply", "Equipment", "Distribution", "Parts"),
    "54": ("Consulting", "Engineering"),
    "23": ("Contractors", "Roofing"),
}


def peer_companies(first_id: int, count: int = PEERS) -> tuple[Company, ...]:
    """``count`` companies with a year of small books each, numbered from ``first_id``, the same ones every time."""
    taken: dict[str, int] = {}
    return tuple(_company(number, taken) for number in range(first_id, first_id + count))


def _company(number: int, taken: dict[str, int]) -> Company:
    dice = Dice("peer", number)
    industry = dice.pick([sector for sector, share in INDUSTRIES for _ in range(share)])
    name = f"{dice.pick(_PLACES)} {dice.pick(_TRADES[industry])}"
    taken[name] = taken.get(name, 0) + 1
    if taken[name] > 1:
        name = f"{name} {taken[name]}"
    started = date(2025, 12, 1) if dice.chance(0.7) else date(2026, dice.between(1, 6), 1)
    return Company(
        number,
        re.sub(r"[^a-z0-9]+", "_", name.lower()),
        name,
        f"9130350000{number:06d}",
        timezone=dice.pick(ZONES),
        industry=industry,
        fiscal_year_start_month=dice.pick((1, 1, 1, 1, 7, 10)),
        accounting_method="Cash" if dice.chance(0.3) else "Accrual",
        sells_goods=industry == "42",
        sales_tax_bp=dice.pick((0, 0, 600, 725)),
        other_income=dice.chance(0.5),
        books_start=started,
        start_date=started,
        invoices_per_month=1.5 + 2.5 * dice.between(0, 100) / 100,
        typical_line=dice.between(40_000, 400_000),
        restatements_per_month=1.0,
    )
