"""What a dealership's departments sell by its titles and the warehouse's seeds, worked out apart from the models."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from orchestration.sources.softbase.asking import ask, lives, view
from orchestration.sources.softbase.session import Dealership
from orchestration.sources.softbase.verified_accounts import SEEDS

RENTAL = "rental"


@dataclass(frozen=True)
class Departments:
    """``by_branch``: what a branch's department sells, None if nobody knows; ``by_number``: the organization's word."""

    by_branch: dict[tuple[str, str], str | None]
    by_number: dict[str, str]

    def is_rental(self, branch: Any, number: Any) -> bool:
        """Where the branch has no such number, all that have it must say so."""
        if self.by_number.get(_text(number)):
            return self.by_number[_text(number)] == RENTAL
        if (_text(branch), _text(number)) in self.by_branch:
            return self.by_branch[_text(branch), _text(number)] == RENTAL
        elsewhere = {department for (_, other), department in self.by_branch.items() if other == _text(number)}
        return number is not None and elsewhere == {RENTAL}


def departments_of(dealership: Dealership) -> Departments:
    """The organization's word on a number goes before the first rule whose word is in the title."""
    rows = seed_rows("softbase_departments", dealership.organization)
    numbers = {row["pattern"]: row["department"] for row in rows if row["match_on"] == "number" and is_own(row)}
    titles = [row for row in rows if row["match_on"] == "title"]
    titles.sort(key=lambda row: (not is_own(row), int(row["priority"]), row["pattern"]))
    found: dict[tuple[str, str], str | None] = {}
    depts = view(dealership, "dept")
    named = select(*(depts.column(name) for name in ("Branch", "Dept", "Title"))).where(lives(depts))
    for branch, number, title in ask(dealership, named):
        words = str(title or "").lower()
        by_title = (row["department"] for row in titles if re.search(rf"\b{row['pattern']}", words))
        found[_text(branch), _text(number)] = next(by_title, None)
    return Departments(found, numbers)


def seed_rows(seed: str, organization: str) -> list[dict[str, str]]:
    """Rows of a seed that hold for everybody, and behind them the organization's own."""
    with (SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["org_slug"] in ("*", organization)]
    return sorted(rows, key=is_own)


def is_own(row: dict[str, str]) -> bool:
    return row["org_slug"] != "*"


def _text(number: Any) -> str:
    return "" if number is None else str(number).strip()
