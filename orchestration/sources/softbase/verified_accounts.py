"""What kind of account each of a ledger's is, told apart a second time: by the chart's flags, its words, and numbers.

Which words and numbers mean what is the warehouse's say (``seeds/reference``) and read from there; what follows of them
for an account is worked out here from docs/sources/softbase.md, and has nothing in common with the models.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import select

from orchestration.sources.core.sql_tables import FoundTable
from orchestration.sources.softbase.asking import ask, lives
from orchestration.sources.softbase.session import Dealership

SEEDS = Path(__file__).parents[3] / "seeds" / "reference"

ASSETS = frozenset(
    ("cash", "receivable", "inventory", "other_current_asset", "fixed_asset", "accumulated_depreciation")
)
CREDITS = frozenset(("payable", "other_current_liability", "debt", "equity"))
INCOME = frozenset(("revenue", "cost", "expense"))

_FLAGS = {"CashAccount": "cash", "AccountsRecievable": "receivable", "AccountsPayable": "payable"}
_WITHOUT_FLAG = {
    "cash": "other_current_asset",
    "receivable": "other_current_asset",
    "payable": "other_current_liability",
}
_WORDS = ("SectionGroup", "Section", "Type", "ReportType")


@dataclass(frozen=True)
class Rule:
    """``on``: what it is held against: a section's words, those of a whole class, or how a number begins (prefix)."""

    on: str
    pattern: str
    kind: str

    def holds(self, text: str) -> bool:
        if self.on == "prefix":
            return text.startswith(self.pattern)
        return re.search(rf"\b{self.pattern}", text) is not None


@dataclass(frozen=True)
class Listed:
    """An account of the chart: the kind that a flag says (None: none does), and its words in lower case."""

    flagged: str | None
    words: str


@dataclass(frozen=True)
class Accounts:
    """``chart``: by number, as ``key`` makes it. ``rules``: the first that holds counts."""

    chart: Mapping[str, Listed]
    rules: tuple[Rule, ...]

    def kind(self, number: str) -> str | None:
        """The kind of an account; None where nothing says."""
        listed = self.chart.get(number)
        if listed is None:
            return self._guess(number, "")
        if listed.flagged:
            return listed.flagged
        guess = self._guess(number, listed.words)
        # Who flags such accounts says by a missing flag that one is none, whatever its number.
        flagged = any(one.flagged == guess for one in self.chart.values())
        return _WITHOUT_FLAG.get(guess or "", guess) if flagged else guess

    def _guess(self, number: str, words: str) -> str | None:
        line = self._first(words, "section", "class")
        whole, numbered = self._first(words, "class"), self._first(number, "prefix")
        if line is None or numbered is None:
            return (line or numbered or Rule("", "", "")).kind or None
        if whole is not None and side(whole.kind) == side(numbered.kind) != side(line.kind):
            return numbered.kind
        # A line of the chart says what it is; a class says the side alone, of which the number may say more.
        more = line.on == "class" and side(line.kind) == side(numbered.kind)
        return numbered.kind if more else line.kind

    def _first(self, text: str, *on: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.on in on and rule.holds(text)), None)


def side(kind: str) -> int:
    """Which side of the books a kind is on."""
    return next(number for number, kinds in enumerate((ASSETS, CREDITS, INCOME)) if kind in kinds)


def accounts_of(dealership: Dealership, chart: FoundTable) -> Accounts:
    """The accounts that the chart has, as it is now."""
    flags = [name for name in _FLAGS if chart.has(name)]
    words = [name for name in _WORDS if chart.has(name)]
    statement = select(*(chart.column(name) for name in ("AccountNo", *flags, *words))).where(lives(chart))
    listed = {}
    for number, *rest in ask(dealership, statement):
        said = [_FLAGS[name] for name, value in zip(flags, rest, strict=False) if value]
        texts = [str(text) for text in rest[len(flags) :] if text is not None]
        if key(number):
            listed[key(number)] = Listed(said[0] if said else None, " / ".join(texts).lower())
    return Accounts(listed, account_rules(dealership.organization))


def key(number: object) -> str:
    """An account's number without what is typed around it."""
    return str("" if number is None else number).strip().upper()


@cache
def account_rules(organization: str) -> tuple[Rule, ...]:
    """The organization's own rules and then everybody's, in the order in which they are tried."""
    with (SEEDS / "softbase_account_kinds.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["org_slug"] in (organization, "*")]
    rows.sort(
        key=lambda row: (row["org_slug"] == "*", int(row["priority"]), -len(row["pattern"]), row["pattern"]),
    )
    return tuple(Rule(row["match_on"], row["pattern"], row["kind"]) for row in rows)
