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
    "finance_unknown": [(2026, 1, True, False, False)],
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
