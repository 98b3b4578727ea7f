"""Totals asked afresh: another request, another reader, the same figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from quickbooks_fake import FakeBooks, open_fake
from report_fake import Line, no_data, report

from orchestration.errors import ConfigurationError, PermanentError
from orchestration.sources.quickbooks.verify import report_totals

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def amounts(march: str, april: str) -> dict[date, Decimal]:
    return {MARCH: Decimal(march), APRIL: Decimal(april)}


def section(group: str, march: str, april: str, *lines: Line) -> Line:
    return Line(group, amounts(march, april), lines or (Line("account", {}),), group)


REPORTS = {
    "ProfitAndLoss": [
        section("Income", "1000.10", "2000"),
        section("COGS", "400", "500"),
        section("Expenses", "100", "120"),
        section("OtherIncome", "10", "0"),
        section("OtherExpenses", "5.05", "0"),
        Line("Net Income", amounts("505.05", "1380"), group="NetIncome"),
    ],
    "BalanceSheet": [
        section("TotalAssets", "0", "0", section("BankAccounts", "700", "800"), section("AR", "50", "60")),
        Line(
            "both",
            lines=[section("Liabilities", "0", "0", section("AP", "-30", "40")), section("Equity", "780", "820")],
            group="TotalLiabilitiesAndEquity",
        ),
    ],
    "CashFlow": [
        Line(
            "Operating",
            lines=[
                Line("Net Income", amounts("505.05", "1380"), group="NetIncome"),
                section("OperatingAdjustments", "-5", "20"),
            ],
            group="OperatingActivities",
        )
    ],
}


def made(name: str, params: Mapping[str, str]) -> dict[str, Any]:
    return report(name, REPORTS[name], params)


def test_every_month_is_asked_for_on_its_own_and_read_by_its_groups() -> None:
    books = FakeBooks(reports=made)
    totals = report_totals(open_fake(books, accounting_method="Cash"), date(2026, 3, 15), date(2026, 4, 1))
    assert totals[MARCH] == {
        "total_revenue": Decimal("1010.10"),
        "total_expenses": Decimal("505.05"),
        "net_income": Decimal("505.05"),
        "gross_profit": Decimal("600.10"),
        # Of what was sold, without other income: 600.10 / 1000.10 is 60.004 %.
        "gross_margin_pct": Decimal("60.00"),
        "total_assets": Decimal("750"),
        "total_liabilities": Decimal("-30"),
        "total_equity": Decimal("780"),
        "cash_balance": Decimal("700"),
        "accounts_receivable": Decimal("50"),
        "accounts_payable": Decimal("-30"),
        "operating_cash_flow": Decimal("500.05"),
    }
    assert totals[APRIL]["operating_cash_flow"] == Decimal("1400")
    assert totals[APRIL]["gross_margin_pct"] == Decimal("75.00")
    assert len(books.asked_reports) == 6
    assert {params["summarize_column_by"] for params in books.asked_reports} == {"Total"}
    assert [params.get("accounting_method") for params in books.asked_reports[:3]] == ["Cash", "Cash", None]


def test_what_a_report_leaves_out_is_zero_and_of_no_sales_there_is_no_margin() -> None:
    (month,) = report_totals(open_fake(FakeBooks(reports=no_data)), MARCH, MARCH).values()
    assert month.pop("gross_margin_pct") is None
    assert set(month.values()) == {Decimal(0)}


@pytest.mark.parametrize(
    ("income", "costs", "margin"),
    [("300", "100", "66.67"), ("3", "32.99", "-999.67"), ("3", "33", None), ("-200", "-100", "50.00")],
)
def test_a_margin_is_as_wide_as_the_marts(income: str, costs: str, margin: str | None) -> None:
    lines = [section("Income", income, "0"), section("COGS", costs, "0")]

    def sold(name: str, params: Mapping[str, str]) -> dict[str, Any]:
        return report(name, lines if name == "ProfitAndLoss" else REPORTS[name], params)

    totals = report_totals(open_fake(FakeBooks(reports=sold)), MARCH, MARCH)
    assert totals[MARCH]["gross_margin_pct"] == (None if margin is None else Decimal(margin))


def test_a_section_without_summary_is_worth_what_its_lines_add_up_to() -> None:
    def without_summary(name: str, params: Mapping[str, str]) -> dict[str, Any]:
        answered = made(name, params)
        if name == "CashFlow":
            operating = answered["Rows"]["Row"][0]
            adjustments = operating["Rows"]["Row"][1]
            # As in Intuit's own sample: the outer summary is that of the adjustments alone.
            operating["Summary"] = adjustments.pop("Summary")
        return answered

    totals = report_totals(open_fake(FakeBooks(reports=without_summary)), MARCH, MARCH)
    assert totals[MARCH]["operating_cash_flow"] == Decimal("500.05")


def cell(label: str, amount: str) -> dict[str, Any]:
    return {"ColData": [{"value": label}, {"value": amount}]}


# As recorded: 12725.00 less 39444.00 of adjustments; 2281.00 less 29000.00 of financing.
RECORDED = [
    {
        "Header": cell("OPERATING ACTIVITIES", ""),
        "Rows": {
            "Row": [
                {**cell("Net Income", "12725.00"), "type": "Data"},
                {
                    "Header": cell("Adjustments to reconcile Net Income to Net Cash provided by operations:", ""),
                    "Rows": {
                        "Row": [
                            {**cell(account, amount), "type": "Data"}
                            for account, amount in (
                                ("Accounts Receivable (A/R)", "-13966.80"),
                                ("Inventory Asset", "-28820.00"),
                                ("Accounts Payable (A/P)", "3374.00"),
                                ("CreditCard_Account", "-180.00"),
                                ("A Payable", "121.00"),
                                ("B Payable", "27.80"),
                            )
                        ]
                    },
                    "type": "Section",
                    "group": "OperatingAdjustments",
                },
            ]
        },
        "Summary": cell("Net cash provided by operating activities", "-26719.00"),
        "type": "Section",
        "group": "OperatingActivities",
    },
    {
        "Header": cell("FINANCING ACTIVITIES", ""),
        "Rows": {"Row": [{**cell("Opening Balance Equity", "29000.00"), "type": "Data"}]},
        "Summary": cell("Net cash provided by financing activities", "29000.00"),
        "type": "Section",
        "group": "FinancingActivites",
    },
    {"Summary": cell("Net cash increase for period", "2281.00"), "type": "Section", "group": "CashIncrease"},
]


@pytest.mark.parametrize("spelling", ["FinancingActivites", "FinancingActivities"])
def test_operating_cash_flow_is_what_the_increase_in_cash_leaves_and_needs_no_group_of_net_income(
    spelling: str,
) -> None:
    def recorded(name: str, params: Mapping[str, str]) -> dict[str, Any]:
        answered = made(name, params)
        if name == "CashFlow":
            answered["Rows"]["Row"] = [RECORDED[0], {**RECORDED[1], "group": spelling}, RECORDED[2]]
        return answered

    totals = report_totals(open_fake(FakeBooks(reports=recorded)), MARCH, MARCH)
    assert totals[MARCH]["operating_cash_flow"] == Decimal("-26719.00")


def test_an_amount_that_is_none_is_not_passed_over() -> None:
    def broken(name: str, params: Mapping[str, str]) -> dict[str, Any]:
        answered = made(name, params)
        answered["Rows"]["Row"][0]["Summary"] = {"ColData": [{"value": "Income"}, {"value": "n/a"}]}
        return answered

    with pytest.raises(PermanentError, match="'n/a' where an amount should be") as caught:
        report_totals(open_fake(FakeBooks(reports=broken)), MARCH, MARCH)
    assert caught.value.organization == "bennett"


def test_an_error_says_whose_it_is() -> None:
    books = FakeBooks(before=[lambda *_: httpx2.Response(403)])
    with pytest.raises(ConfigurationError, match="denies access") as caught:
        report_totals(open_fake(books), MARCH, MARCH)
    assert caught.value.organization == "bennett"
