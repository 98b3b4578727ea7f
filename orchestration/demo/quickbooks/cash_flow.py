"""The rows of a cash flow report, indirect method: net income and what reconciles it with the change in cash."""

from __future__ import annotations

from orchestration.demo.quickbooks.statements import DAY, Statement
from orchestration.demo.quickbooks.trees import Branch, Cells, Row, added, data_row, negated, section

SECTIONS = ("operating", "investing", "financing")


def cash_flow(statement: Statement) -> list[Row]:
    """Operating, investing and financing activities down to cash at the end; none where there never was any."""
    width = statement.width
    income = [statement.profit(column.first, column.last) for column in statement.columns]
    parts = {name: _changes(statement, name) for name in SECTIONS}
    before = [statement.cash_at(column.first - DAY) for column in statement.columns]
    after = [statement.cash_at(column.last) for column in statement.columns]
    quiet = all(part.empty for part in parts.values()) and all(cents is None for cents in income)
    if quiet and not any(after):
        return []
    operating = added((income, parts["operating"].cells), width)
    increase = added((operating, parts["investing"].cells, parts["financing"].cells), width)
    rows = [_operating(statement, income, parts["operating"], operating)]
    rows += [
        statement.section(group, parts[name])
        for name, group in (("investing", "InvestingActivities"), ("financing", "FinancingActivities"))
        if not parts[name].empty
    ]
    if statement.quirks.cash_flow_form == "ungrouped":
        for row in rows:
            row["group"] = row["group"].replace("FinancingActivities", "FinancingActivites")
    rows.append(statement.result("CashIncrease", increase))
    if any(before):
        rows.append(statement.result("BeginningCash", before))
    return [*rows, statement.result("EndingCash", after)]


def _operating(statement: Statement, income: Cells, adjustments: Branch, operating: Cells) -> Row:
    """Net income and its adjustments; companies differ in what has a group, and in what the section's summary says."""
    labels, form = statement.labels, statement.quirks.cash_flow_form
    group = "" if form == "ungrouped" else "NetIncome"
    whole = Branch([data_row(labels.section("NetIncome"), [c or 0 for c in income], group=group)], operating)
    if not adjustments.empty:
        inner = statement.section("OperatingAdjustments", adjustments)
        if form != "net":
            del inner["Summary"]
        whole.rows.append(inner)
    if form != "adjustments":
        return statement.section("OperatingActivities", whole)
    whole.cells = adjustments.cells
    total = labels.total_of(labels.section("OperatingAdjustments"))
    return section(labels.section("OperatingActivities"), total, whole, "OperatingActivities")


def _changes(statement: Statement, name: str) -> Branch:
    """Changes of the accounts of one section, flat: sub-accounts are named with their parents."""
    branch = Branch(cells=[None] * statement.width)
    for account in statement.accounts.values():
        if account.cash_flow == name:
            cells = negated(statement.moved(account.id))
            if any(cells):
                branch.rows.append(data_row(statement.full_name(account.id), cells, number=account.id))
                branch.cells = added((branch.cells, cells), statement.width)
    return branch
