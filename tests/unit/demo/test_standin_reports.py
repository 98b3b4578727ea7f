"""Reports of the stand-in, read as documented, against the ledger's own sums."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import report_reader as reader
from standin_client import Client

from orchestration.demo.organizations import COMPANIES
from orchestration.demo.quickbooks_server import RunningServer, running

ZERO = Decimal(0)
LINES = {
    "ProfitAndLoss": {
        "income": "Income",
        "cogs": "COGS",
        "expenses": "Expenses",
        "other_income": "OtherIncome",
        "other_expenses": "OtherExpenses",
        "net_income": "NetIncome",
    },
    "BalanceSheet": {
        "total_assets": "TotalAssets",
        "total_liabilities": "Liabilities",
        "total_equity": "Equity",
        "cash_balance": "BankAccounts",
        "accounts_receivable": "AR",
        "accounts_payable": "AP",
    },
    "CashFlow": {
        "investing_cash_flow": "InvestingActivities",
        "financing_cash_flow": "FinancingActivities",
        "cash_increase": "CashIncrease",
        "ending_cash": "EndingCash",
    },
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running() as server:
        yield server


@pytest.fixture
def bennett(server: RunningServer) -> Client:
    return Client(server, "bennett")


def report(client: Client, name: str, start: str, end: str, by: str = "Month", **params: str) -> dict[str, Any]:
    return client.json(f"reports/{name}", start_date=start, end_date=end, summarize_column_by=by, **params)


def windows(first: date, last: date) -> list[tuple[str, str]]:
    found = []
    for year in range(first.year, last.year + 1):
        found += [(f"{year}-01-01", f"{year}-06-30"), (f"{year}-07-01", f"{year}-12-31")]
    return found


@pytest.mark.parametrize("method", ["Accrual", "Cash"])
@pytest.mark.parametrize("slug", [company.slug for company in COMPANIES])
def test_every_month_of_every_report_equals_the_ledger(server: RunningServer, slug: str, method: str) -> None:
    client = Client(server, slug)
    ledger = server.ledger(slug)
    truth = ledger.month_totals(method.lower())
    seen: set[tuple[int, int]] = set()
    for start, end in windows(ledger.company.books_start, ledger.last_day):
        for name, lines in LINES.items():
            params = {} if name == "CashFlow" else {"accounting_method": method}
            answer = report(client, name, start, end, **params)
            reader.checked_sections(answer)
            if slug == "quarry_stone":
                lines = lines | {"financing_cash_flow": "FinancingActivites"} if name == "CashFlow" else lines
            found = {metric: reader.group(answer, group) for metric, group in lines.items()}
            if name == "CashFlow":
                found["operating_cash_flow"] = reader.operating_cash_flow(answer)
            for index, (first, _) in enumerate(reader.columns(answer)):
                month = truth.get((first.year, first.month)) if first else None
                if month is not None:
                    seen.add((first.year, first.month))
                    shown = {metric: values[index] for metric, values in found.items()}
                    assert shown == {metric: month[metric] for metric in shown}, (name, first)
    assert seen == set(truth)


@pytest.mark.parametrize("name", ["ProfitAndLoss", "CashFlow"])
def test_months_add_up_to_the_total_in_every_row(bennett: Client, name: str) -> None:
    answer = report(bennett, name, "2026-01-01", "2026-06-30")
    assert reader.columns(answer)[-1] == (None, None)
    rows = [r for r in reader.walk(reader.rows(answer)) if r.get("group") not in ("BeginningCash", "EndingCash")]
    assert len(rows) > 15
    for row in rows:
        *months, total = reader.amounts(row)
        assert sum(months, ZERO) == total


@pytest.mark.parametrize("by", ["Month", "Quarter", "Year", "Week", "Days", "Total"])
def test_however_the_days_are_cut_they_are_the_same_days(bennett: Client, by: str) -> None:
    answer = report(bennett, "ProfitAndLoss", "2026-01-15", "2026-05-20", by)
    whole = report(bennett, "ProfitAndLoss", "2026-01-15", "2026-05-20", "Total")
    assert reader.group(answer, "NetIncome")[-1] == reader.group(whole, "NetIncome")[0]
    dated = [column for column in reader.columns(answer) if column[0]]
    assert [first for first, _ in dated][:1] in ([], [date(2026, 1, 15)])
    for (_, last), (first, _) in pairwise(dated):
        assert (first - last).days == 1


def test_a_part_of_a_month_is_titled_by_its_days_and_holds_only_them(bennett: Client) -> None:
    answer = report(bennett, "ProfitAndLoss", "2025-08-01", "2025-08-15")
    assert answer["Columns"]["Column"][1]["ColTitle"] == "Aug 1 - Aug 15, 2025"
    part = reader.group(answer, "Expenses")[0]
    rest = reader.group(report(bennett, "ProfitAndLoss", "2025-08-16", "2025-08-31"), "Expenses")[0]
    assert part + rest == reader.group(report(bennett, "ProfitAndLoss", "2025-08-01", "2025-08-31"), "Expenses")[0]


def test_a_parents_own_postings_stand_in_its_header(bennett: Client) -> None:
    answer = report(bennett, "ProfitAndLoss", "2026-01-01", "2026-06-30")
    headed = [
        row
        for row in reader.walk(reader.rows(answer))
        if row["type"] == "Section" and any(cell["value"] for cell in row.get("Header", {"ColData": []})["ColData"][1:])
    ]
    assert len(headed) >= 3
    assert all("group" not in row and row["Header"]["ColData"][0]["id"] for row in headed)


def test_empty_cells_and_zeros_both_occur(bennett: Client) -> None:
    answer = report(bennett, "BalanceSheet", "2023-11-01", "2024-06-30")
    cells = {cell["value"] for row in reader.walk(reader.rows(answer)) for cell in row.get("ColData", [])[1:]}
    assert {"", "0.00"} <= cells


def test_a_service_company_has_no_cogs_and_one_without_other_income_no_such_section(server: RunningServer) -> None:
    groups = {
        slug: {row.get("group") for row in reader.rows(report(Client(server, slug), "ProfitAndLoss", *window))}
        for slug, window in (
            ("vital_worklife", ("2026-01-01", "2026-06-30")),
            ("elm_street_books", ("2026-01-01", "2026-06-30")),
        )
    }
    assert "COGS" not in groups["vital_worklife"]
    assert "GrossProfit" in groups["vital_worklife"]
    assert "OtherIncome" not in groups["elm_street_books"]


def test_regions_show_other_groups(server: RunningServer) -> None:
    canada = report(Client(server, "gatineau_outils"), "ProfitAndLoss", "2026-01-01", "2026-06-30")
    assert not {"GrossProfit", "NetOperatingIncome"} & {row["group"] for row in reader.rows(canada)}
    australia = report(Client(server, "tundra_pacific"), "ProfitAndLoss", "2026-01-01", "2026-06-30")
    order = [row["group"] for row in reader.rows(australia)]
    assert order.index("OtherIncome") < order.index("Expenses")


@pytest.mark.parametrize("name", ["ProfitAndLoss", "BalanceSheet", "CashFlow"])
def test_where_nothing_was_ever_posted_the_report_says_so_and_keeps_its_columns(
    server: RunningServer, name: str
) -> None:
    for client, window in (
        (Client(server, "sable_new"), ("2026-07-01", "2026-12-31")),
        (Client(server, "rowan_studio"), ("2025-01-01", "2025-06-30")),
    ):
        answer = report(client, name, *window)
        assert reader.no_data(answer)
        assert answer["Rows"] == {}
        assert sum(1 for first, _ in reader.columns(answer) if first) == 6


def test_quiet_months_have_columns_without_amounts(server: RunningServer) -> None:
    client = Client(server, "dune_builders")
    assert reader.no_data(report(client, "ProfitAndLoss", "2026-01-01", "2026-02-28"))
    answer = report(client, "ProfitAndLoss", "2026-01-01", "2026-06-30")
    assert not reader.no_data(answer)
    assert reader.group(answer, "Expenses")[:2] == [ZERO, ZERO]


def test_a_first_month_that_sells_for_cents_has_a_margin_no_percentage_column_holds(server: RunningServer) -> None:
    truth = server.ledger("kestrel_labs").month_totals("accrual")[2025, 7]
    assert truth["income"] > 0
    assert abs(truth["gross_profit"] / truth["income"] * 100) > 1000


# Balance sheet


def equity_rows(answer: dict[str, Any]) -> dict[str, list[Decimal]]:
    equity = next(row for row in reader.walk(reader.rows(answer)) if row.get("group") == "Equity")
    return {row["ColData"][0]["value"]: reader.amounts(row) for row in equity["Rows"]["Row"]}


def test_net_income_becomes_retained_earnings_when_the_fiscal_year_ends(bennett: Client) -> None:
    answer = report(bennett, "BalanceSheet", "2025-07-01", "2025-12-31", accounting_method="Accrual")
    rows = equity_rows(answer)
    profit = report(bennett, "ProfitAndLoss", "2025-07-01", "2025-12-31", accounting_method="Accrual")
    months = reader.group(profit, "NetIncome")
    october, november, december = 3, 4, 5
    assert rows["Net Income"][november] == months[november]
    assert rows["Net Income"][december] == months[november] + months[december]
    assert rows["Retained Earnings"][november] == rows["Retained Earnings"][october] + rows["Net Income"][october]
    row = next(r for r in reader.walk(reader.rows(answer)) if r.get("group") == "NetIncome")
    assert row["type"] == "Data"


def test_the_split_of_equity_may_follow_the_start_date_without_changing_equity(
    server: RunningServer, bennett: Client
) -> None:
    before = report(bennett, "BalanceSheet", "2026-01-01", "2026-03-31")
    bennett.control("POST", "behaviour", {"realm": bennett.realm, "retained_from": "start_date"})
    try:
        after = report(bennett, "BalanceSheet", "2026-01-01", "2026-03-31")
    finally:
        bennett.control("POST", "behaviour", {"realm": bennett.realm, "retained_from": "fiscal_year"})
    assert reader.group(before, "Equity") == reader.group(after, "Equity")
    assert equity_rows(before)["Net Income"] != equity_rows(after)["Net Income"]


def test_months_of_a_balance_sheet_have_no_total_unless_the_company_shows_one(server: RunningServer) -> None:
    without = report(Client(server, "bennett"), "BalanceSheet", "2026-01-01", "2026-03-31")
    assert (None, None) not in reader.columns(without)
    shown = report(Client(server, "opal_events"), "BalanceSheet", "2026-01-01", "2026-03-31")
    assert reader.columns(shown)[-1] == (None, None)
    assert reader.group(shown, "TotalAssets")[-1] == reader.group(shown, "TotalAssets")[-2]


# Cash flow


def test_cash_flow_has_no_basis(bennett: Client) -> None:
    one, other = (
        report(bennett, "CashFlow", "2026-01-01", "2026-03-31", accounting_method=method)
        for method in ("Accrual", "Cash")
    )
    assert one == other
    assert "ReportBasis" not in one["Header"]
    assert [option["Name"] for option in one["Header"]["Option"]] == ["NoReportData"]


def test_cash_moves_by_what_the_sections_say_and_reaches_bank_and_undeposited_funds(bennett: Client) -> None:
    answer = report(bennett, "CashFlow", "2026-01-01", "2026-06-30")
    increase, beginning, ending = (
        reader.group(answer, name) for name in ("CashIncrease", "BeginningCash", "EndingCash")
    )
    assert [b + i for b, i in zip(beginning, increase, strict=True)] == ending
    sheet = report(bennett, "BalanceSheet", "2026-01-01", "2026-06-30", accounting_method="Accrual")
    undeposited = next(
        reader.amounts(row)
        for row in reader.walk(reader.rows(sheet))
        if row["type"] == "Data" and row["ColData"][0]["value"] == "Undeposited Funds"
    )
    assert ending[:6] == [a + b for a, b in zip(reader.group(sheet, "BankAccounts"), undeposited, strict=True)]


def test_the_operating_summary_is_net_cash_or_only_the_adjustments(server: RunningServer) -> None:
    net = report(Client(server, "bennett"), "CashFlow", "2026-01-01", "2026-03-31")
    assert reader.group(net, "OperatingActivities") == reader.operating_cash_flow(net)
    sample = report(Client(server, "harbor_foods"), "CashFlow", "2026-01-01", "2026-03-31")
    assert reader.group(sample, "OperatingActivities") == reader.group(sample, "OperatingAdjustments")
    inner = next(r for r in reader.walk(reader.rows(sample)) if r.get("group") == "OperatingAdjustments")
    assert "Summary" not in inner


def test_net_income_of_operations_may_have_no_group_and_no_total_but_the_sections_own(server: RunningServer) -> None:
    answer = report(Client(server, "quarry_stone"), "CashFlow", "2026-01-01", "2026-03-31")
    section = reader.rows(answer)[0]
    net_income, adjustments = section["Rows"]["Row"]
    assert "group" not in net_income
    assert "Summary" not in adjustments
    assert reader.group(answer, "NetIncome") == [ZERO] * 4
    assert reader.group(answer, "OperatingActivities") == reader.operating_cash_flow(answer)
    assert any(reader.amounts(net_income))


# Labels, periods, refusals


def test_labels_and_titles_follow_the_language_while_groups_and_dates_stay(
    server: RunningServer, bennett: Client
) -> None:
    before = report(bennett, "ProfitAndLoss", "2026-01-01", "2026-06-30")
    bennett.control("POST", "behaviour", {"language": "fr", "renamed": {"Expenses": "Costs of living"}})
    try:
        after = report(bennett, "ProfitAndLoss", "2026-01-01", "2026-06-30")
    finally:
        bennett.control("POST", "behaviour", {"language": "en", "renamed": {}})
    assert after["Columns"]["Column"][2]["ColTitle"] == "févr. 2026"
    labels = [row["Summary"]["ColData"][0]["value"] for row in reader.rows(after)]
    assert labels[0] == "Total pour Revenus"
    assert "Total pour Costs of living" in labels
    assert reader.columns(after) == reader.columns(before)
    assert [row["group"] for row in reader.rows(after)] == [row["group"] for row in reader.rows(before)]
    assert reader.group(after, "NetIncome") == reader.group(before, "NetIncome")


@pytest.mark.parametrize("dates", [{}, {"end_date": "2024-12-31"}, {"start_date": "2024-01-01"}])
def test_one_date_alone_is_ignored_in_favour_of_the_fiscal_year_to_date(bennett: Client, dates: dict) -> None:
    header = bennett.json("reports/ProfitAndLoss", **dates)["Header"]
    assert (header["StartPeriod"], header["EndPeriod"]) == ("2026-11-01", "2026-11-20")
    assert header["DateMacro"] == "this fiscal year-to-date"


def test_the_basis_is_the_companys_preference_unless_asked_for(server: RunningServer) -> None:
    client = Client(server, "vital_worklife")
    assert report(client, "ProfitAndLoss", "2026-01-01", "2026-01-31")["Header"]["ReportBasis"] == "Cash"
    asked = report(client, "ProfitAndLoss", "2026-01-01", "2026-01-31", accounting_method="Accrual")
    assert asked["Header"]["ReportBasis"] == "Accrual"
    prefs = client.query("SELECT * FROM Preferences")[0]
    assert prefs["ReportPrefs"]["ReportBasis"] == "Cash"


@pytest.mark.parametrize(
    "params",
    [
        {"start_date": "2026-13-01", "end_date": "2026-12-31"},
        {"start_date": "2026-02-01", "end_date": "2026-01-31"},
        {"summarize_column_by": "Moon"},
        {"accounting_method": "Imagined"},
        {"date_macro": "some time ago"},
        {"customer": "1"},
    ],
)
def test_what_a_report_cannot_mean_is_refused(bennett: Client, params: dict[str, str]) -> None:
    response = bennett.get("reports/ProfitAndLoss", **params)
    assert response.status_code == 400
    assert response.json()["Fault"]["type"] == "ValidationFault"


def test_a_report_over_too_many_months_times_out_where_the_company_is_that_slow(bennett: Client) -> None:
    bennett.control("POST", "behaviour", {"realm": bennett.realm, "max_report_months": 3})
    try:
        slow = {"start_date": "2026-01-01", "end_date": "2026-06-30", "summarize_column_by": "Month"}
        assert bennett.get("reports/ProfitAndLoss", **slow).status_code == 504
        assert bennett.get("reports/ProfitAndLoss", **(slow | {"end_date": "2026-03-31"})).status_code == 200
    finally:
        bennett.control("POST", "behaviour", {"realm": bennett.realm, "max_report_months": None})


def test_a_deleted_account_keeps_its_amounts_under_a_name_that_says_so(server: RunningServer) -> None:
    client = Client(server, "acorn_supply")
    fuel = next(a["Id"] for a in client.query("SELECT * FROM Account WHERE Name = 'Fuel'"))
    before = report(client, "ProfitAndLoss", "2026-01-01", "2026-06-30")
    client.control("POST", "edit", {"realm": client.realm, "action": "inactivate", "entity": "Account", "id": fuel})
    after = report(client, "ProfitAndLoss", "2026-01-01", "2026-06-30")
    labels = {
        row["ColData"][0].get("id"): row["ColData"][0]["value"]
        for row in reader.walk(reader.rows(after))
        if "ColData" in row
    }
    assert labels[fuel].endswith("Fuel (deleted)")
    assert reader.group(before, "NetIncome") == reader.group(after, "NetIncome")
