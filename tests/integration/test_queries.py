"""docs/queries.md as it stands: every query runs, gives a tenant its own rows alone, and answers what it says."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from bi_world import MARTS, BiWorld
from catalogue import OPEN, Query, read_catalogue, scoped

pytestmark = pytest.mark.xdist_group("bi")

QUERIES, PARAMETERS = read_catalogue()
BY_NAME = {query.name: query for query in QUERIES}


def day(text: str) -> date:
    return date.fromisoformat(text)


# As the first organization sees it, whose fiscal year begins in November; org_id, which is 1 in each row, left out.
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    # December has no row, January's report of profit and loss is unknown.
    "finance_missing_months": [(2025, 12)],
    "finance_unknown": [
        (1, "total_revenue", "profit and loss did not come, or can't be read", "ok", None),
        (1, "total_expenses", "profit and loss did not come, or can't be read", "ok", None),
        (1, "net_income", "profit and loss did not come, or can't be read", "ok", None),
        (1, "gross_profit", "profit and loss did not come, or can't be read", "ok", None),
        (1, "gross_margin_pct", "profit and loss did not come, or can't be read", "ok", None),
        (1, "accounts_receivable", "an amount of the balance sheet can't be read, or is too large", "ok", None),
        (1, "operating_cash_flow", "the report of cash flow did not come, or can't be read", "ok", None),
        (2, "gross_margin_pct", "no income to divide by, or 1,000 % and more", "ok", None),
    ],
    "deals_unknown": [
        (day("2026-02-26"), "average_deal_size", "none was won", "held back", "deals: 0 rows"),
        (
            day("2026-02-27"),
            "total_pipeline_value",
            "an amount among them can't be read, or the sum is too large",
            "held back",
            "deals: 0 rows",
        ),
    ],
    "zoom_unknown": [
        (
            day("2026-02-03"),
            name,
            "not read on this day: Zoom tells of now alone",
            "failing",
            "The connection needs …",
        )
        for name in ("total_users", "phone_users", "queue_count")
    ],
    "app_unknown": [
        (
            day("2026-02-26"),
            "monthly_active_users",
            "a date of the window is unknown: BigQuery has no table of it",
            "never synced",
            None,
        ),
        (day("2026-02-26"), "avg_session_duration_secs", "no sessions", "never synced", None),
        (day("2026-02-26"), "screens_per_session", "no sessions", "never synced", None),
        (
            day("2026-02-27"),
            "screens_per_session",
            "screens were not counted when the date was read, or do not fit",
            "never synced",
            None,
        ),
    ],
    "sales_unknown": [(day("2026-02-02"), "service", "ok", None)],
    "fleet_unknown": [
        (day("2026-02-27"), "revenue_by_type", "the rental history was not read, or can't be", "ok", None)
    ],
    # The first month, December, is not of this year.
    "cash_unknown": [
        (
            1,
            "ar_change",
            "an amount of this month or the one before can't be read, or nobody knows what an account is",
            "ok",
            None,
        )
    ],
    "finance_by_fiscal_quarter": [
        ("FY2026-Q1", 1, D("100.00"), D("60.00"), D("40.00")),
        ("FY2026-Q2", 1, D("120.50"), D("80.25"), D("40.25")),
        ("FY2026-Q3", 0, None, None, None),
        ("FY2026-Q4", 0, None, None, None),
    ],
    # 100 + 120.50 and 40 + 40.25; February 2025 is of the fiscal year before.
    "finance_fiscal_year_to_date": [(2026, 2, D("220.50"), D("80.25"))],
    "finance_against_year_before": [(1, None, None, None), (2, D("120.50"), D("50.00"), D("70.50"))],
    # 300 + 200 - 150
    "balance_latest": [(day("2026-02-28"), D("1300.00"), D("500.00"), D("800.00"), D("350.00"))],
    "contacts_latest": [(day("2026-02-28"), 10, 2, 5)],
    "contacts_funnel": [
        ("subscribers", 1),
        ("leads", 2),
        ("marketing qualified", 3),
        ("sales qualified", 0),
        ("opportunities", 1),
        ("customers", 2),
        ("evangelists", 0),
        ("other", 1),
    ],
    # 4 of 4 + 1
    "deals_latest": [(day("2026-02-28"), 3, D("900.00"), 4, 1, D("80.0"))],
    "deals_by_stage": [("default/won", 4), ("default/new", 2), ("default/lost", 1), ("default/talk", 1)],
    # The first of February is the Sunday of week 5: 1 of 10; then 5 + 3 of 20 + 20.
    "missed_calls_by_week": [(2026, 5, 10, 1, D("10.0")), (2026, 6, 40, 8, D("20.0"))],
    "meetings_by_month": [(2, 6, 30, 350)],
    # The newest day could not be counted.
    "phone_seats": [(day("2026-02-02"), 12, 6, 2)],
    "cases_breakdown": [
        ("status", "Closed", 70),
        ("status", "Open", 30),
        ("type", "EAP", 60),
        ("type", "Coaching", 40),
    ],
    "cases_trend": [(day("2026-02-27"), 11, 6, 5), (day("2026-02-28"), 10, 7, 3)],
    # 30 of 120
    "app_stickiness": [(day("2026-02-28"), D("25.0"), D("95.50"), D("3.25"))],
    "app_top_screens": [(day("2026-02-28"), 1, "Home", 9, 5), (day("2026-02-28"), 2, "Chat", 4, 4)],
    # 1 of the 20 is of no department.
    "sales_of_a_day": [
        ("service", D("8.00"), 1),
        ("parts", D("6.00"), 0),
        ("rental", D("4.00"), 1),
        ("sales", D("1.00"), 0),
        ("all", D("20.00"), 3),
    ],
    # October 2025 is of the fiscal year before.
    "sales_by_fiscal_quarter": [("FY2026-Q1", D("7.50"), 1), ("FY2026-Q2", D("30.00"), 4)],
    # 6 + 7 of 10 + 10
    "fleet_utilization_by_month": [(2, 2, D("65.00"))],
    "fleet_by_type": [("Forklift", 8, D("100.50")), ("Lift", 2, None)],
    "cash_latest": [(day("2026-02-28"), D("60.00"), D("-30.00"), D("-25.00"), "critical")],
    # (20 + 10 + 30) / 3 a month, of 60
    "cash_runway": [(day("2026-02-28"), D("-20.00"), D("3.0"))],
    # November, December, January and 28 days: 30 + 31 + 31 + 28
    "fiscal_place_of_a_day": [(day("2026-02-28"), 2026, "FY2026-Q2", "FY2026-P04", 120)],
    "fiscal_quarters": [
        ("FY2026-Q1", day("2025-11-01"), day("2026-01-31")),
        ("FY2026-Q2", day("2026-02-01"), day("2026-04-30")),
        ("FY2026-Q3", day("2026-05-01"), day("2026-07-31")),
        ("FY2026-Q4", day("2026-08-01"), day("2026-10-31")),
    ],
}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_runs_and_gives_a_tenant_its_own_rows(bi: BiWorld, query: Query) -> None:
    statement = query.filled(PARAMETERS)
    own = bi.rows(bi.tenants[1], statement)
    of_all = bi.rows(bi.everyone, statement)

    assert own, "the fixture has something for every query"
    assert len({column.name for column in bi.tenants[1].execute(statement).description or ()}) == len(own[0])
    if not query.is_of_organizations:
        assert own == of_all
        return
    assert {row[0] for row in own} == {1}
    assert own == [row for row in of_all if row[0] == 1], "row-level security leaves out others' rows and no own one"
    assert own == bi.rows(bi.owner, scoped(statement, 1)), "nor does it change what is reckoned over them"
    others = bi.rows(bi.tenants[2], statement)
    assert {row[0] for row in others} <= {2}
    assert {1, 2} <= {row[0] for row in of_all} or not others


@pytest.mark.parametrize("name", ANSWERS)
def test_a_query_answers_what_it_says(bi: BiWorld, name: str) -> None:
    rows = bi.rows(bi.tenants[1], BY_NAME[name].filled(PARAMETERS))
    assert [row[1:] for row in rows] == ANSWERS[name]


def test_why_a_number_is_empty_is_answered_for_every_mart(bi: BiWorld) -> None:
    rows = bi.rows(bi.tenants[1], BY_NAME["newest_by_mart"].filled(PARAMETERS))
    assert {row[1] for row in rows} == set(MARTS)
    newest = {row[1]: (row[2], row[3], row[5]) for row in rows}
    assert newest["mart_app_analytics"] == ("ga4", "never synced", day("2026-02-28"))
    assert newest["mart_zoom_metrics"] == ("zoom", "failing", day("2026-02-03"))

    wrong = bi.rows(bi.tenants[1], BY_NAME["what_is_wrong"].filled(PARAMETERS))
    assert [(row[1], row[2], str(row[3])[:10]) for row in wrong] == [
        ("ga4", "never synced", "None"),
        ("hubspot", "held back", "2026-02-20"),
        # Read last on the first of March, whatever the last build made of it.
        ("quickbooks", "late", "2026-03-03"),
        ("zoom", "failing", "2026-02-05"),
    ]
    missing = bi.rows(bi.tenants[1], BY_NAME["missing_days"].filled(PARAMETERS))
    # Of February's 28 days; contacts have rows of two.
    assert {mart: sum(row[1] == mart for row in missing) for mart in MARTS} == {
        "mart_financial_metrics": 0,
        "mart_crm_contacts": 26,
        "mart_crm_deals": 25,
        "mart_zoom_metrics": 25,
        "mart_case_metrics": 26,
        "mart_app_analytics": 25,
        "mart_sales_daily": 26,
        "mart_rental_fleet": 26,
        "mart_cash_flow": 0,
    }
    of_2025 = bi.rows(bi.tenants[1], BY_NAME["cash_unknown"].filled({**PARAMETERS, "year": "2025"}))
    assert [row[1:4] for row in of_2025] == [(12, "ar_change", "no month before to compare with")]

    fresh = bi.rows(bi.tenants[1], BY_NAME["how_fresh"].filled(PARAMETERS))
    assert [row[1:3] for row in fresh] == [
        ("ga4", "never synced"),
        ("hubspot", "held back"),
        ("quickbooks", "late"),
        ("zoom", "failing"),
        ("azure_sql", "ok"),
        ("softbase", "ok"),
    ], "what is wrong comes first"


def test_the_page_covers_every_mart_and_asks_for_nothing_that_it_does_not_explain(bi: BiWorld) -> None:
    assert len(BY_NAME) == len(QUERIES) >= 40, "each has a name of its own"
    read = set().union(*(query.tables for query in QUERIES))
    published = bi.rows(
        bi.owner,
        "select oid::regclass::text from pg_class where relnamespace = 'marts'::regnamespace and relkind in ('r', 'v')",
    )
    assert read == {name for (name,) in published}
    assert read >= OPEN
    assert set().union(*(query.parameters for query in QUERIES)) == PARAMETERS.keys()
    for query in QUERIES:
        # Or the filter that stands for row-level security would miss a table.
        assert set(re.findall(r"\bmarts\.\w+", query.sql)) == query.tables, query.name
        assert query.says.endswith("."), query.name
