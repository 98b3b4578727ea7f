"""Companies: how they come, change and merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.demo.crm.catalogue import custom
from orchestration.demo.crm.habits import Habit

if TYPE_CHECKING:
    from orchestration.demo.crm.life import Life
    from orchestration.demo.crm.portals import Portal

TRADES = ("Clinic", "Hospital", "Schools", "Credit Union", "Foods", "Transit", "Builders", "Logistics", "University")
PLACES = (
    "Northern",
    "Prairie",
    "Lakeside",
    "St. Croix",
    "Twin Cities",
    "Red River",
    "Cedar",
    "Mesabi",
    "Big Sky",
    "Ñuble",
)


def habits(portal: Portal) -> list[Habit]:
    per_day = portal.sizes.companies / portal.history_days
    return [
        Habit(per_day, add_company),
        Habit(per_day * 0.8, edit_company),
        Habit(per_day * 0.02, merge_companies),
    ]


def open_properties(life: Life) -> None:
    """Properties of the portal's own."""
    for made in (
        custom("covered_lives", "Covered lives", "number"),
        custom("contract_renewal_date", "Contract renewal", "date"),
    ):
        life.crm.properties["companies"][made.name] = made


def add_company(life: Life) -> None:
    dice = life.dice
    name = f"{dice.pick(PLACES)} {dice.pick(TRADES)}"
    if dice.chance(0.05):
        name += dice.pick((" & Søns", ' "West"', ", Inc. 🏥", " (alt)"))
    number = life.crm.versions["companies"]
    company = life.crm.create(
        "companies",
        life.at,
        {
            "name": name,
            "domain": f"{name.split()[0].strip('.').lower()}-{number}.example.com",
            "city": dice.pick(("Minneapolis", "St. Paul", "Fargo", "Duluth", "Eau Claire")),
            "industry": dice.pick(("HOSPITAL_HEALTH_CARE", "EDUCATION_MANAGEMENT", "CONSTRUCTION", "FOOD_PRODUCTION")),
            "numberofemployees": dice.between(20, 9000),
            "covered_lives": dice.between(20, 9000) if dice.chance(0.6) else None,
            "annualrevenue": dice.between(1, 900) * 1_000_000 if dice.chance(0.5) else None,
            "lifecyclestage": dice.pick(("lead", "opportunity", "customer", None)),
            "hubspot_owner_id": life.owner(),
        },
    )
    if dice.chance(0.04) and (parent := life.pick("companies")) is not company and parent is not None:
        company.put("hs_parent_company_id", str(parent.id), life.at)


def edit_company(life: Life) -> None:
    company = life.pick("companies")
    if company is not None:
        lives = life.dice.between(20, 9000)
        life.crm.change(company, life.at, covered_lives=lives, contract_renewal_date=f"{life.today.year + 1}-01-01")


def merge_companies(life: Life) -> None:
    winner, loser = life.pick("companies"), life.pick("companies")
    if winner is not None and loser is not None and winner is not loser:
        life.crm.merge(winner, [loser], life.at, new_record="companies" in life.portal.new_record_merges)
