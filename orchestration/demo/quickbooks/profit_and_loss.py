"""The rows of a profit and loss report."""

from __future__ import annotations

from orchestration.demo.quickbooks.statements import Statement
from orchestration.demo.quickbooks.trees import Row, added, negated

# Groups of each region, in the order its report shows them.
LAYOUTS = {
    "US": (
        *("Income", "COGS", "GrossProfit", "Expenses", "NetOperatingIncome"),
        *("OtherIncome", "OtherExpenses", "NetOtherIncome", "NetIncome"),
    ),
    "CA": ("Income", "COGS", "Expenses", "OtherIncome", "OtherExpenses", "NetIncome"),
    "AU": ("Income", "COGS", "GrossProfit", "OtherIncome", "Expenses", "OtherExpenses", "NetIncome"),
}
EARNED = {"Income": "Income", "OtherIncome": "Other Income"}
SPENT = {"COGS": "Cost of Goods Sold", "Expenses": "Expense", "OtherExpenses": "Other Expense"}


def profit_and_loss(statement: Statement) -> list[Row]:
    """Sections by region and the results between them; none at all where nothing was posted."""

    def earned(account: int) -> list[int | None]:
        return negated(statement.moved(account))

    parts = {group: statement.accounts_of(kind, earned) for group, kind in EARNED.items()}
    parts |= {group: statement.accounts_of(kind, statement.moved) for group, kind in SPENT.items()}
    if all(part.empty for part in parts.values()):
        return []
    width = statement.width
    gross = added((parts["Income"].cells, negated(parts["COGS"].cells)), width)
    operating = added((gross, negated(parts["Expenses"].cells)), width)
    other = added((parts["OtherIncome"].cells, negated(parts["OtherExpenses"].cells)), width)
    results = {
        "GrossProfit": gross,
        "NetOperatingIncome": operating,
        "NetOtherIncome": other,
        "NetIncome": added((operating, other), width),
    }
    # Where a company has nothing of a kind its section is missing, except Income, which is shown without rows.
    absent = {group for group, part in parts.items() if part.empty} - {"Income"}
    if {"OtherIncome", "OtherExpenses"} <= absent:
        absent.add("NetOtherIncome")
    return [
        statement.result(group, results[group]) if group in results else statement.section(group, parts[group])
        for group in LAYOUTS[statement.quirks.locale]
        if group not in absent
    ]
