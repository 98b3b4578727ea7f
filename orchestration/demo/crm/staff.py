"""Owners, who come and leave, and the goals they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.demo.crm.formats import iso, local_instant
from orchestration.demo.crm.habits import Habit
from orchestration.demo.crm.records import Owner

if TYPE_CHECKING:
    from orchestration.demo.crm.life import Life
    from orchestration.demo.crm.portals import Portal

NAMES = (
    ("Pat", "Okafor"),
    ("Sam", "Lindqvist"),
    ("Robin", "Nguyen"),
    ("Alex", "O'Brien"),
    ("Jo", "Müller"),
    ("Kim", "Sato"),
    ("Lee", "Haddad"),
    ("Max", "Petrov"),
)
TEAMS = ((34801, "Sales"), (34802, "Client success"), None)


def habits(portal: Portal) -> list[Habit]:
    # A quarter of the staff changes in a year.
    return [Habit(portal.sizes.owners / 4 / 365, turnover), Habit(1.0, set_goals)]


def open_staff(life: Life) -> None:
    for _ in range(life.portal.sizes.owners):
        _hire(life)


def turnover(life: Life) -> None:
    """Somebody leaves; a part of what they own goes to others, the rest keeps an owner who is gone."""
    crm = life.crm
    active = [owner for owner in crm.owners.values() if not owner.archived]
    if len(active) < 3:
        return
    leaver = life.dice.pick(active)
    leaver.archived, leaver.updated = True, life.at
    _hire(life)
    for kind in ("contacts", "deals"):
        for record in crm.live(kind):
            if record.get("hubspot_owner_id") == str(leaver.id) and life.dice.chance(0.3):
                crm.change(record, life.at, hubspot_owner_id=life.owner())


def set_goals(life: Life) -> None:
    """Once a month everybody who works here is given a target."""
    month = life.today.strftime("%Y-%m")
    newest = life.pick("goal_targets", 0)
    if newest is not None and newest.get("hs_goal_name") == f"Revenue {month}":
        return
    start = local_instant(life.today.replace(day=1), 0, 0, life.zone)
    for owner in life.crm.owners.values():
        if not owner.archived:
            life.crm.create(
                "goal_targets",
                life.at,
                {
                    "hs_goal_name": f"Revenue {month}",
                    "hs_target_amount": life.dice.between(10, 90) * 1000,
                    "hs_assignee_user_id": owner.user_id,
                    "hs_start_datetime": iso(start),
                    "hs_kpi_unit_type": "currency",
                },
            )


def _hire(life: Life) -> None:
    crm, number = life.crm, len(life.crm.owners) + 1
    first, last = NAMES[number % len(NAMES)]
    owner_id = 41_629_000 + number * 7_919
    crm.owners[owner_id] = Owner(
        id=owner_id,
        user_id=9_586_000 + number * 13,
        email=f"{first}.{number}@{life.portal.slug.replace('_', '-')}.example.com".lower(),
        first_name=first,
        last_name=last,
        created=life.at,
        updated=life.at,
        team=life.dice.pick(TEAMS),
    )
