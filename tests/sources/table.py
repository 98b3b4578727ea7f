"""Writes docs/sources/conformance.md: ``python tests/sources/table.py``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
# As pytest has it, which the page is written without.
sys.path.append(str(HERE.parent))

from cases import CASES, ELSEWHERE, PROVEN  # noqa: E402
from descriptions import STANDINS  # noqa: E402

PAGE = HERE.parents[1] / "docs" / "sources" / "conformance.md"

_HEAD = """\
# What every source is held to

One suite, `tests/sources/`, is written once and run over every source through a description of its stand-in: the
extractor reads over real HTTP, rows land in a real Postgres, processes are really killed. Cases 1 to 22 are promises,
F1 to F45 faults that are injected. A case that can't concern a source says why; none is skipped otherwise.

`passes`: `pytest tests/sources` runs the case for that source. This page is written by `python tests/sources/table.py`,
and a test fails where it no longer agrees with the suite. [Adding a source](adding_a_source.md) says how to bring in
another one.

"""


def written() -> str:
    """The page as it must be."""
    names = [standin.source for standin in STANDINS]
    lines = [
        f"| case | what holds | also | {' | '.join(names)} |",
        f"| --- | --- | --- |{' --- |' * len(names)}",
    ]
    notes: dict[str, int] = {}
    for case in CASES.values():
        cells = []
        for standin in STANDINS:
            reason = standin.not_applicable.get(case.number)
            cells.append("passes" if reason is None else f"does not apply ({notes.setdefault(reason, len(notes) + 1)})")
        lines.append(f"| {case.number} | {case.sentence} | {', '.join(case.faults)} | {' | '.join(cells)} |")
    reasons = [f"{number}. {reason}." for reason, number in notes.items()]
    elsewhere = [f"- {number}: {where}." for number, where in ELSEWHERE.items()]
    return "\n".join(
        [
            _HEAD + "\n".join(lines),
            "",
            "Why a case does not apply:",
            "",
            *reasons,
            "",
            "No source has a part in:",
            "",
            *elsewhere,
            "",
        ]
    )


def unproven() -> list[str]:
    """Cases that no test proves though some source is held to them."""
    for file in sorted(HERE.glob("test_*.py")):
        importlib.import_module(file.stem)
    held = [number for number in CASES if any(number not in standin.not_applicable for standin in STANDINS)]
    return [number for number in held if number not in PROVEN]


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
