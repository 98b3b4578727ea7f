"""The life of cases: which rows the table has at an instant of the world. The same in every process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from orchestration.demo.books.dice import Dice
from orchestration.demo.cases import caseload as words
from orchestration.demo.cases.caseload import Caseload
from orchestration.demo.world import World

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One case: when what happens to it, and what never changes. ``hour``: of the day on which it is made.

    closed
        The day on which it is closed for good, which may never come; ``reopened``: a first close, and its undoing.
    rows
        In how many identical rows it stands.
    """

    created: date
    hour: int
    opened: date
    closed: date | None
    reopened: tuple[date, date] | None
    rows: int
    facts: Row

    def closed_on(self, today: date) -> date | None:
        """The day it was closed on, as the table says on a day; None where it is open then."""
        if self.closed is not None and self.closed <= today:
            return self.closed
        if self.reopened is not None and self.reopened[0] <= today < self.reopened[1]:
            return self.reopened[0]
        return None


def cases(caseload: Caseload, world: World) -> Iterator[Case]:
    """The cases that the table holds now, in the order they were made."""
    now = world.now.astimezone(caseload.zone)
    begin = world.base.date() - timedelta(days=caseload.history_days)
    for ago in range((now.date() - begin).days, -1, -1):
        day = now.date() - timedelta(days=ago)
        dice = Dice(world.seed, "cases", caseload.slug, day)
        expected = caseload.per_weekday * (1.0 if day.weekday() < 5 else 0.2)
        for number in range(dice.count(expected * (0.6 + 0.2 * dice.between(0, 4)))):
            case = _case(caseload, world.seed, day, number)
            is_there = day < now.date() or case.hour <= now.hour
            closed = case.closed_on(now.date())
            if is_there and (closed is None or (now.date() - closed).days <= caseload.kept_days):
                yield case


def rows(caseload: Caseload, world: World) -> list[Row]:
    """The table's rows now, by column name, without the columns that it lacks."""
    today = world.now.astimezone(caseload.zone).date()
    names = [name for name, _ in caseload.columns]
    found = []
    for case in cases(caseload, world):
        row = _row(case, today)
        found += [{name: row[name] for name in names}] * case.rows
    return found


def _case(caseload: Caseload, seed: int, day: date, number: int) -> Case:
    dice = Dice(seed, "case", caseload.slug, day, number)
    opened = day + timedelta(days=dice.pick((0, 0, 0, 1, 1, 2, 5)))
    length = dice.pick((3, 7, 14, 21, 30, 45, 60, 90, 120, 200))
    closed = None if dice.chance(0.05) else opened + timedelta(days=length + dice.between(0, 6))
    reopened = None
    if closed is not None and dice.chance(0.03):
        reopened, closed = (closed, closed + timedelta(days=9)), closed + timedelta(days=9 + length)
    hour = dice.between(0, 23)
    twice = dice.chance(caseload.twins)
    return Case(day, hour, opened, closed, reopened, 2 if twice else 1, _facts(dice))


def _facts(dice: Dice) -> Row:
    return {
        "Case Type": dice.pick(words.CASE_TYPES),
        "Organization": f"Org {dice.between(1, 40)}",
        "Primary Counselor Name": dice.pick(words.NAMES),
        "Provider Type": dice.pick(words.PROVIDERS),
        "Case Manager": dice.pick(words.NAMES),
        "Client Type": dice.pick(words.CLIENTS),
        "Triage Tier": dice.pick(words.TRIAGE),
        "Tier Level": dice.pick(words.TIERS),
        "Primary Presenting Problem": dice.pick(words.PROBLEMS),
        "Initial Session Modality": dice.pick(words.MODALITIES),
        "Closing Disposition": dice.pick(words.DISPOSITIONS),
        "Solution": dice.pick(words.SOLUTIONS),
        "Industry": dice.pick(words.INDUSTRIES),
        "Current Population": dice.between(40, 9000),
        "Impact on Well Being": dice.pick(("Improved", "Unchanged", None)),
        "Satisfaction": dice.pick(("Very Satisfied", "Satisfied", "Dissatisfied", None, None)),
        "Satisfaction Comments": dice.pick(words.COMMENTS) if dice.chance(0.1) else None,
        "Net Promoter": dice.between(0, 10) if dice.chance(0.3) else None,
        "pace": dice.between(5, 12),
        "wait": Decimal(2 * dice.between(0, 450)) / 100,
        "web": dice.between(0, 3),
    }


def _row(case: Case, today: date) -> Row:
    """A case as the table states it on a day; what comes with its end is NULL before."""
    closed = case.closed_on(today)
    opened = case.opened if case.opened <= today else None
    worked = ((closed or today) - case.opened).days if opened else 0
    sessions = min(worked // case.facts["pace"], 8)
    virtual = 0 if case.facts["Initial Session Modality"] == "In-Person" else sessions
    first = case.facts["wait"] if sessions else None
    row = {name: value for name, value in case.facts.items() if name[0].isupper()}
    if closed is None:
        row |= dict.fromkeys(("Closing Disposition", "Impact on Well Being", "Satisfaction", "Net Promoter"))
        row["Satisfaction Comments"] = None
    return row | {
        "Case Create Date": case.created,
        "Date Opened": opened,
        "Date Closed": closed,
        "Workflow Status": _status(case, opened, closed),
        "Completed Session Count": sessions,
        "Cancelled Sessions": sessions // 4,
        "Virtual Sessions": virtual,
        "In-Person Sessions": sessions - virtual,
        "Web Logins": case.facts["web"] * (worked // 10),
        "Web Hits": case.facts["web"] * (worked // 3),
        "Mobile App Count": case.facts["web"] * (worked // 7),
        "TAT - Client Contact to First Session": first,
        "TAT - Client Contact to Case Closed": Decimal((closed - case.created).days) if closed else None,
        "TAT - Consultant Assigned to First Session": first / 2 if first is not None else None,
        "TAT - Client Contact to Consultant Assigned": case.facts["wait"] / 2 if opened else None,
    }


def _status(case: Case, opened: date | None, closed: date | None) -> str | None:
    if closed is not None:
        return "Closed"
    if opened is None:
        return "New"
    if case.facts["pace"] == 5:
        return None
    return "Pending - Client" if case.facts["pace"] == 6 else "Open"
