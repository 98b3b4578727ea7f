"""Report rows: data rows and sections as the API nests them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Cells = list[int | None]
Row = dict[str, Any]


def amount(cents: int | None) -> str:
    """A cell: empty where nothing was posted, else units with two decimals."""
    if cents is None:
        return ""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def added(rows: Iterable[Cells], width: int) -> Cells:
    """Column sums; None where no row has anything."""
    sums: Cells = [None] * width
    for cells in rows:
        for index, cents in enumerate(cells):
            if cents is not None:
                sums[index] = (sums[index] or 0) + cents
    return sums


def negated(cells: Cells) -> Cells:
    return [None if cents is None else -cents for cents in cells]


def summary_cells(label: str, cells: Cells) -> dict[str, Any]:
    """Summaries show every amount: what is empty in the rows is 0.00 here."""
    return {"ColData": [{"value": label}, *({"value": amount(cents or 0)} for cents in cells)]}


def data_row(label: str, cells: Cells, *, number: int | None = None, group: str = "") -> Row:
    cell: dict[str, str] = {"value": label} if number is None else {"value": label, "id": str(number)}
    row: Row = {"ColData": [cell, *({"value": amount(cents)} for cents in cells)], "type": "Data"}
    return row | {"group": group} if group else row


def header_cells(label: str, cells: Sequence[int | None], number: int | None = None) -> dict[str, Any]:
    cell: dict[str, str] = {"value": label} if number is None else {"value": label, "id": str(number)}
    return {"ColData": [cell, *({"value": amount(cents)} for cents in cells)]}


def virtual(label: str, cells: Cells, group: str) -> Row:
    """A section that is nothing but its summary."""
    return {"Summary": summary_cells(label, cells), "type": "Section", "group": group}


@dataclass
class Branch:
    """A part of a report while it is built: its rows and what they add up to."""

    rows: list[Row] = field(default_factory=list)
    cells: Cells = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not self.rows


def section(label: str, total: str, parts: Branch, group: str) -> Row:
    """A titled section with rows and a summary."""
    row: Row = {"Header": header_cells(label, [None] * len(parts.cells))}
    if parts.rows:
        row["Rows"] = {"Row": parts.rows}
    return row | {"Summary": summary_cells(total, parts.cells), "type": "Section", "group": group}


def account_rows(
    roots: Sequence[int],
    children: dict[int, list[int]],
    own: Callable[[int], Cells],
    name: Callable[[int], str],
    total_of: Callable[[str], str],
    width: int,
) -> Branch:
    """Accounts with their sub-accounts. A parent's own postings stand in its section's header."""
    branch = Branch(cells=[None] * width)
    for number in roots:
        mine = own(number)
        below = account_rows(children.get(number, ()), children, own, name, total_of, width)
        if below.empty and all(cents is None for cents in mine):
            continue
        label = name(number)
        if below.empty:
            branch.rows.append(data_row(label, mine, number=number))
            both = mine
        else:
            both = added((mine, below.cells), width)
            branch.rows.append(
                {
                    "Header": header_cells(label, mine, number),
                    "Rows": {"Row": below.rows},
                    "Summary": summary_cells(total_of(label), both),
                    "type": "Section",
                }
            )
        branch.cells = added((branch.cells, both), width)
    return branch
