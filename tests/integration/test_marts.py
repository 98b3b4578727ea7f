"""The marts from hand-written QuickBooks reports: every figure below can be added up by eye."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt_runs import Outcome, of_source, warehouse
from landed_reports import land, line, prepare, report, section, summary, total_report

# As the data mart document has it, on this database's names.
DOCUMENT = """
    create schema document;
    create table document.mart_financial_metrics (
        id serial primary key,
        org_id integer not null references ops.organizations(id),
        year integer not null,
        month integer not null,
        period_start date not null,
        period_end date not null,
        total_revenue numeric(18,2) default 0,
        total_expenses numeric(18,2) default 0,
        net_income numeric(18,2) default 0,
        gross_profit numeric(18,2) default 0,
        gross_margin_pct numeric(5,2) default 0,
        total_assets numeric(18,2) default 0,
        total_liabilities numeric(18,2) default 0,
        total_equity numeric(18,2) default 0,
        cash_balance numeric(18,2) default 0,
        accounts_receivable numeric(18,2) default 0,
        accounts_payable numeric(18,2) default 0,
        operating_cash_flow numeric(18,2) default 0,
        source_system varchar(50) default 'quickbooks',
        created_at timestamp default current_timestamp,
        updated_at timestamp default current_timestamp,
        unique(org_id, year, month)
    );
"""
COLUMNS = """
    select attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = %s::regclass and attnum > 0 order by attnum
"""
CONSTRAINTS = """
    select contype::text, pg_get_constraintdef(oid) from pg_constraint
    where conrelid = %s::regclass and contype in ('p', 'u', 'f') order by 1
"""

PROFIT_AND_LOSS = [
    section(
        "Einnahmen",
        [
            section("Garten", [line("Pflege", "90.00", "46"), line("Bau", "1,000.00", "47")], "1100.00", own="10.00"),
            line("Skonto", "(12.50)", "48"),
        ],
        "1087.50",
        group="Income",
    ),
    section("Cost", [line("Material", "400.25", "60")], "400.25", group="COGS"),
    summary("Gross Profit", "687.25", "GrossProfit"),
    section("Expenses", [line("Rent", "100.00", "61"), line("Nothing", "", "62")], "100.00", group="Expenses"),
    section("Other", [line("Interest", "5.00", "63")], "5.00", group="OtherIncome"),
    section("Other", [line("Fine", "2.00", "64")], "2.00", group="OtherExpenses"),
    summary("Net Income", "590.25", "NetIncome"),
]
BALANCE_SHEET = [
    section(
        "AKTIVA",
        [
            section(
                "Current",
                [
                    section("Bank", [line("Giro", "2001.00", "35")], "2001.00", group="BankAccounts"),
                    section("Forderungen", [line("AR", "300.50", "84")], "300.50", group="AR"),
                ],
                "2301.50",
                group="CurrentAssets",
            )
        ],
        "2301.50",
        group="TotalAssets",
    ),
    section(
        "PASSIVA",
        [
            section(
                "Liabilities",
                [section("AP", [line("AP", "-1.50", "33")], "-1.50", group="AP")],
                "-1.50",
                group="Liabilities",
            ),
            section("Equity", [line("Net Income", "2303.00", group="NetIncome")], "2303.00", group="Equity"),
        ],
        "2301.50",
        group="TotalLiabilitiesAndEquity",
    ),
]
CASH_FLOW = [
    section(
        "OPERATING",
        [
            line("Net Income", "590.25", group="NetIncome"),
            section("Adjustments", [line("AR", "-90.25", "84")], "-90.25", group="OperatingAdjustments"),
        ],
        "-90.25",
        group="OperatingActivities",
    ),
    section("INVESTING", [line("Van", "-100.00", "70")], "-100.00", group="InvestingActivities"),
    summary("Cash increase", "400.00", "CashIncrease"),
]
# As recorded: net income has no group, the adjustments no total, and the group of financing is misspelt.
UNGROUPED_CASH_FLOW = [
    section(
        "OPERATING ACTIVITIES",
        [
            line("Net Income", "12725.00"),
            section(
                "Adjustments to reconcile Net Income to Net Cash provided by operations:",
                [
                    line("Accounts Receivable (A/R)", "-13966.80", "54"),
                    line("Inventory Asset", "-28820.00", "51"),
                    line("Accounts Payable (A/P)", "3374.00", "56"),
                    line("CreditCard_Account", "-180.00", "60"),
                    line("A Payable", "121.00", "53"),
                    line("B Payable", "27.80", "52"),
                ],
                None,
                group="OperatingAdjustments",
            ),
        ],
        "-26719.00",
        group="OperatingActivities",
    ),
    section(
        "FINANCING ACTIVITIES",
        [line("Opening Balance Equity", "29000.00", "57")],
        "29000.00",
        group="FinancingActivites",
    ),
    summary("Net cash increase for period", "2281.00", "CashIncrease"),
    summary("Cash at end of period", "2281.00", "EndingCash"),
]
WHOLE = {
    "total_revenue": "1092.50",
    "total_expenses": "502.25",
    "net_income": "590.25",
    "gross_profit": "687.25",
    "gross_margin_pct": "63.20",
    "total_assets": "2301.50",
    "total_liabilities": "-1.50",
    "total_equity": "2303.00",
    "cash_balance": "2001.00",
    "accounts_receivable": "300.50",
    "accounts_payable": "-1.50",
    "operating_cash_flow": "500.00",
}
INCOME = ("total_revenue", "total_expenses", "net_income", "gross_profit", "gross_margin_pct")
BALANCE = (
    "total_assets",
    "total_liabilities",
    "total_equity",
    "cash_balance",
    "accounts_receivable",
    "accounts_payable",
)


def metrics(connection: psycopg.Connection) -> dict[tuple[int, str], dict[str, Any]]:
    """Metrics of the mart as text by organization and month, and what tells whether the row was written."""
    rows = connection.execute("select to_jsonb(m), xmin::text from marts.mart_financial_metrics as m").fetchall()
    return {
        (row["org_id"], row["period_start"][:7]): {
            name: row[name] if row[name] is None else str(Decimal(str(row[name])).quantize(Decimal("0.01")))
            for name in WHOLE
        }
        | {"id": row["id"], "xmin": xmin}
        for row, xmin in rows
    }


def values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in WHOLE}


def found(connection: psycopg.Connection, outcome: Outcome, test: str) -> list[tuple[Any, ...]]:
    """The rows a data test of ``outcome`` found."""
    return connection.execute(outcome.compiled[test]).fetchall()


def written(connection: psycopg.Connection) -> dict[str, tuple[int, int, int]]:
    """Rows inserted, updated and deleted by table in the last build."""
    rows = connection.execute(
        "select model, rows_inserted, rows_updated, rows_deleted from ops.build_models where build_id ="
        " (select build_id from ops.build_runs where command = 'dbt build' order by started_at desc limit 1)"
    ).fetchall()
    return {model: tuple(counts) for model, *counts in rows}


@pytest.fixture
def connection(database: str) -> psycopg.Connection:
    connection = psycopg.connect(database, autocommit=True)
    prepare(connection)
    return connection


def test_the_mart_follows_the_reports_and_is_as_the_document_says(
    database: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    dbt = warehouse(database, tmp_path / "dbt")
    # January is whole; February has no data; March lacks the balance sheet; April has cash flow alone.
    land(connection, 1, "profit_and_loss", [report("profit_and_loss", PROFIT_AND_LOSS, "2024-01")])
    land(connection, 1, "balance_sheet", [report("balance_sheet", BALANCE_SHEET, "2024-01")])
    land(connection, 1, "cash_flow", [report("cash_flow", CASH_FLOW, "2024-01")])
    for stream in ("profit_and_loss", "balance_sheet", "cash_flow"):
        land(connection, 1, stream, [report(stream, [], "2024-02")])
    land(connection, 1, "profit_and_loss", [report("profit_and_loss", PROFIT_AND_LOSS, "2024-03")])
    land(connection, 1, "cash_flow", [report("cash_flow", CASH_FLOW, m) for m in ("2024-03", "2024-04")])
    # May has a cash flow whose groups and totals are not those of the others.
    land(connection, 1, "cash_flow", [report("cash_flow", UNGROUPED_CASH_FLOW, "2024-05")])
    # The other basis stays out of it, and so do totals.
    other = [section("Income", [line("x", "7.00", "46")], "7.00", group="Income")]
    land(connection, 1, "profit_and_loss", [report("profit_and_loss", other, "2024-01", "cash")])
    land(connection, 1, "profit_and_loss", [total_report("profit_and_loss", PROFIT_AND_LOSS, "2024-01", "2024-01")])
    # The second organization's connection says nothing of the basis, its company says Cash.
    connection.execute("update ops.connections set settings = '{}' where org_id = 2")
    land(connection, 2, "preferences", {"1": {"ReportPrefs": {"ReportBasis": "Cash"}}})
    land(connection, 2, "profit_and_loss", [report("profit_and_loss", other, "2024-01", "cash")])
    land(connection, 2, "profit_and_loss", [report("profit_and_loss", PROFIT_AND_LOSS, "2024-01")])

    outcome = dbt.build_source("quickbooks")

    assert set(outcome.statuses.values()) <= {"success", "pass"}, outcome.statuses
    first = metrics(connection)
    assert set(first) == {*((1, f"2024-0{month}") for month in range(1, 6)), (2, "2024-01")}
    assert values(first[1, "2024-01"]) == WHOLE
    assert values(first[1, "2024-02"]) == dict.fromkeys(WHOLE, "0.00") | {"gross_margin_pct": None}
    assert values(first[1, "2024-03"]) == WHOLE | dict.fromkeys(BALANCE)
    assert values(first[1, "2024-04"]) == dict.fromkeys(WHOLE) | {"operating_cash_flow": "500.00"}
    # 12725.00 - 13966.80 - 28820.00 + 3374.00 - 180.00 + 121.00 + 27.80, as the report says itself.
    assert values(first[1, "2024-05"]) == dict.fromkeys(WHOLE) | {"operating_cash_flow": "-26719.00"}
    assert values(first[2, "2024-01"]) == dict.fromkeys(WHOLE) | {
        "total_revenue": "7.00",
        "total_expenses": "0.00",
        "net_income": "7.00",
        "gross_profit": "7.00",
        "gross_margin_pct": "100.00",
    }
    assert_as_documented(connection)
    assert_described(connection)

    dbt.rebuild_source("quickbooks")

    assert metrics(connection) == first
    assert set(written(connection).values()) == {(0, 0, 0)}

    # A restated past month, a withdrawn report and a new month: three rows move, the others don't.
    restated = [section("Income", [line("x", "9.00", "46")], "9.00", group="Income")]
    land(connection, 2, "profit_and_loss", [report("profit_and_loss", restated, "2024-01", "cash")], run_id=2)
    land(connection, 2, "profit_and_loss", [report("profit_and_loss", restated, "2024-02", "cash")], run_id=2)
    land(connection, 1, "cash_flow", [report("cash_flow", CASH_FLOW, "2024-04")], run_id=2, deleted=True)
    dbt.rebuild_source("quickbooks")

    second = metrics(connection)
    assert written(connection)["marts.mart_financial_metrics"] == (1, 1, 1)
    assert (1, "2024-04") not in second
    assert second[2, "2024-01"]["total_revenue"] == second[2, "2024-02"]["total_revenue"] == "9.00"
    assert second[2, "2024-01"]["id"] == first[2, "2024-01"]["id"]
    assert {key: row for key, row in second.items() if key[0] == 1} == {
        key: row for key, row in first.items() if key[0] == 1 and key != (1, "2024-04")
    }


def assert_as_documented(connection: psycopg.Connection) -> None:
    """Columns, order, types, nullability, defaults and keys are the document's."""
    connection.execute(DOCUMENT)
    names = ("marts.mart_financial_metrics", "document.mart_financial_metrics")
    ours, theirs = (connection.execute(COLUMNS, [name]).fetchall() for name in names)
    assert ours[1:] == theirs[1:]
    # An identity numbers as a serial does; nobody but Postgres can hand out its numbers by accident.
    assert ours[0][:3] == theirs[0][:3] == ("id", "integer", True)
    ours, theirs = (connection.execute(CONSTRAINTS, [name]).fetchall() for name in names)
    assert ours == theirs
    assert connection.execute("select to_regclass('marts.idx_mart_financial_org_period')::text").fetchone() == (
        "marts.idx_mart_financial_org_period",
    )


def assert_described(connection: psycopg.Connection) -> None:
    """Every table, view and column that dbt made says in the database what it is."""
    silent = connection.execute(
        """
        select c.oid::regclass::text, a.attname
        from pg_class as c
        inner join pg_attribute as a on a.attrelid = c.oid and a.attnum >= 0 and not a.attisdropped
        where c.relkind in ('r', 'v') and c.relnamespace::regnamespace::text in ('staging', 'intermediate', 'marts')
            and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)
        """
    ).fetchall()
    assert silent == []


def test_what_contradicts_itself_or_cant_be_read_is_named(
    database: str, connection: psycopg.Connection, tmp_path: Path
) -> None:
    dbt = warehouse(database, tmp_path / "dbt")
    wrong_sum = [section("Income", [line("Sales", "90.00", "46")], "100.00", group="Income")]
    land(connection, 1, "profit_and_loss", [report("profit_and_loss", wrong_sum, "2024-01")])
    lopsided = [
        section("A", [line("Bank", "10.00", "35")], "10.00", group="TotalAssets"),
        section("L", [line("Loan", "4.00", "99")], "4.00", group="Liabilities"),
        section("E", [line("Equity", "5.00", "36")], "5.00", group="Equity"),
    ]
    land(connection, 1, "balance_sheet", [report("balance_sheet", lopsided, "2024-01")])
    cash = [line("Net Income", "5.00", group="NetIncome"), summary("Increase", "6.00", "CashIncrease")]
    land(connection, 1, "cash_flow", [report("cash_flow", cash, "2024-01")])
    # Lines of no group that is known: what they amount to is not zero.
    land(connection, 2, "cash_flow", [report("cash_flow", [line("Operations", "5.00")], "2024-07")])
    # A line of operations that got lost on the way: the summary knows of it, and so does the increase in cash.
    lost = [section("O", [line("Net Income", "8.00")], "3.00", group="OperatingActivities")]
    lost.append(section("F", [line("Loan", "-1.00", "35")], "-1.00", group="FinancingActivites"))
    lost.append(summary("Increase", "2.00", "CashIncrease"))
    land(connection, 2, "cash_flow", [report("cash_flow", lost, "2024-10")])
    # Two months and their total, which lacks a cent; an older total of the same months is nobody's fault.
    sales = [section("Income", [line("Sales", "1.00", "46")], "1.00", group="Income")]
    both = [section("Income", [line("Sales", "1.99", "46")], "1.99", group="Income")]
    months = [report("profit_and_loss", sales, month) for month in ("2024-05", "2024-06")]
    land(connection, 2, "profit_and_loss", [total_report("profit_and_loss", both, "2024-04", "2024-06")], run_id=1)
    land(connection, 2, "profit_and_loss", months, run_id=2)
    land(connection, 2, "profit_and_loss", [total_report("profit_and_loss", both, "2024-05", "2024-06")], run_id=2)
    # The organization's books are said to be in dollars.
    pounds = {"ReportName": "ProfitAndLoss", "Currency": "GBP"}
    land(connection, 2, "profit_and_loss", [report("profit_and_loss", [], "2024-12", Header=pounds)])
    # What can't be read, or not be held.
    unreadable = [
        section("Income", [line("Sales", "n/a", "46")], "see note", group="Income"),
        section("COGS", [line("Goods", "5.00", "46")], "5.00", group="COGS"),
    ]
    land(connection, 2, "profit_and_loss", [report("profit_and_loss", unreadable, "2024-07")])
    loss = [
        section("Income", [line("Sales", "1.00", "46")], "1.00", group="Income"),
        section("COGS", [line("Goods", "11.00", "46")], "11.00", group="COGS"),
    ]
    land(connection, 2, "profit_and_loss", [report("profit_and_loss", loss, "2024-08")])
    land(connection, 1, "account", {number: {"Id": number} for number in ("35", "36", "46")})
    # A balance sheet that is right, and read within the day of accounts whose bank has a cent less.
    land(connection, 2, "balance_sheet", [report("balance_sheet", BALANCE_SHEET, "2024-09")])
    bank = {"AccountType": "Bank", "CurrentBalance": 2000.99, "CurrencyRef": {"value": "USD"}}
    land(connection, 2, "account", {"35": bank, **{number: {} for number in ("33", "46", "84")}})
    connection.execute(
        "insert into ops.watermarks (org_id, source, stream, run_id, state, last_success_at)"
        " select 2, 'quickbooks', stream, 0, '{}', '2024-09-20 12:00Z'"
        " from unnest(array['account', 'balance_sheet']) as stream"
    )
    land(connection, 1, "invoice", {"1": {"TxnDate": "2024-02-30", "TotalAmt": {"oops": 1}, "DueDate": "2024-02-29"}})

    outcome = dbt.run("build", *of_source("quickbooks"))

    assert not outcome.success
    failed = {name for name, status in outcome.statuses.items() if status not in ("success", "pass")}
    assert failed == {
        "quickbooks_report_identities",
        "quickbooks_accounts_in_reports",
        "quickbooks_bank_balances",
        "quickbooks_report_currency",
        "quickbooks_operating_cash_flow",
        "quickbooks_unreadable_amounts",
        "financial_metrics_unknown",
        "readable_stg_quickbooks__invoice_",
    }
    identities = {
        (organization, f"{month:%Y-%m}", rule, str(expected), str(actual))
        for organization, month, _, rule, expected, actual in found(connection, outcome, "quickbooks_report_identities")
    }
    assert identities == {
        ("org_1", "2024-01", "line Income: own amount and lines below it = its total", "90.00", "100.00"),
        ("org_1", "2024-01", "liabilities + equity = assets", "9.00", "10.00"),
        *(
            ("org_2", "2024-05", f"{what}: months add up to ProfitAndLoss|accrual|2024-05..2024-06", "2.00", "1.99")
            for what in ("Income", "account 46")
        ),
    }
    accounts = found(connection, outcome, "quickbooks_accounts_in_reports")
    assert [(row[0], row[2], row[3]) for row in accounts] == [("org_1", "99", "Loan")]
    balances = found(connection, outcome, "quickbooks_bank_balances")
    assert [(row[0], f"{row[1]:%Y-%m}", str(row[2]), str(row[3])) for row in balances] == [
        ("org_2", "2024-09", "2001.00", "2000.99")
    ]
    currencies = found(connection, outcome, "quickbooks_report_currency")
    assert [(row[0], f"{row[1]:%Y-%m}", *row[2:]) for row in currencies] == [("org_2", "2024-12", "GBP", "USD")]
    flows = found(connection, outcome, "quickbooks_operating_cash_flow")
    assert sorted((row[0], str(row[3]), str(row[4])) for row in flows) == [
        ("org_1", "5.00", "6.00"),
        ("org_2", "8.00", "3.00"),
        ("org_2", "None", "None"),
    ]
    amounts = found(connection, outcome, "quickbooks_unreadable_amounts")
    assert {(row[0], f"{row[1]:%Y-%m}", row[4], row[6]) for row in amounts} == {
        ("org_2", "2024-07", "Income", "see note"),
        ("org_2", "2024-07", "Sales", "n/a"),
    }
    unknown = {(row[0], f"{row[1]:%Y-%m}", row[2]) for row in found(connection, outcome, "financial_metrics_unknown")}
    assert unknown == {
        *(
            ("org_2", "2024-07", name)
            for name in ("total_revenue", "net_income", "gross_profit", "operating_cash_flow")
        ),
        ("org_2", "2024-08", "gross_margin_pct"),
    }
    invoice = found(connection, outcome, "readable_stg_quickbooks__invoice_")[0]
    assert "TxnDate, TotalAmt" in invoice
    # The bank's cent turns up.
    land(connection, 2, "account", {"35": bank | {"CurrentBalance": 2001}})
    assert dbt.run("test", "--select", "quickbooks_bank_balances").statuses["quickbooks_bank_balances"] == "pass"
    # 1800.00 euros are no 2001.00 dollars, and no contradiction to them.
    euros = {"CurrentBalance": 1800, "CurrencyRef": {"value": "EUR"}}
    land(connection, 2, "account", {"35": bank | euros})
    assert dbt.run("test", "--select", "quickbooks_bank_balances").statuses["quickbooks_bank_balances"] == "pass"
    # Everything else was published all the same.
    rows = metrics(connection)
    assert rows[2, "2024-07"]["total_revenue"] is None
    assert rows[2, "2024-07"]["total_expenses"] == "5.00"
    assert rows[2, "2024-08"]["gross_profit"] == "-10.00"


HOSTILE: list[Any] = [
    None,
    [],
    "text",
    7,
    {"Rows": None},
    {"Rows": {"Row": {"not": "a list"}}},
    {"Rows": {"Row": [None, 1, "x", [], {}, {"ColData": 5}, {"ColData": [1, 2]}, {"Header": [], "Summary": "x"}]}},
    {"Rows": {"Row": [{"ColData": [{"value": {"a": 1}}, {"value": 12.5}], "group": 7, "Rows": {"Row": "x"}}]}},
    {"Rows": {"Row": [{"Summary": {"ColData": [{"value": "Income"}, {"value": "9" * 400}]}, "group": "Income"}]}},
    {"Rows": {"Row": [{"Summary": {"ColData": [{"value": "Income"}, {"value": "1e5"}]}, "group": "Income"}]}},
    {"period_start": "0000-00-00", "period_end": "infinity"},
    {"period_start": 20240101, "basis": ["x"], "is_total": "maybe"},
]
FLIPPED: list[Any] = [None, 1, 1.5, True, "", "x", "9999-12-31", "2023-02-29T00:00:00Z", "1e400000", [], {"a": []}, "é"]


@pytest.mark.slow
def test_no_payload_stops_a_build(database: str, connection: psycopg.Connection, tmp_path: Path) -> None:
    dbt = warehouse(database, tmp_path / "dbt")
    deep: dict[str, Any] = line("bottom", "1.00", "1")
    for depth in range(300):
        deep = section(f"level {depth}", [deep], "1.00")
    base = report("profit_and_loss", PROFIT_AND_LOSS, "2024-01")[1]
    hostile: list[Any] = [payload if not isinstance(payload, dict) else base | payload for payload in HOSTILE]
    hostile.append(base | {"Rows": {"Row": [deep]}})
    for stream in ("profit_and_loss", "balance_sheet", "cash_flow"):
        land(connection, 1, stream, [(f"hostile {number}", payload) for number, payload in enumerate(hostile)])
    fields = ("TxnDate", "TotalAmt", "MetaData", "CustomerRef", "Active", "Line", "ReportPrefs")
    flipped = [dict.fromkeys(fields, value) for value in FLIPPED]
    for stream in ("invoice", "account", "preferences", "company_info", "journal_entry"):
        land(connection, 1, stream, [(str(number), payload) for number, payload in enumerate([*flipped, *HOSTILE])])

    outcome = dbt.run("build", *of_source("quickbooks"))

    errors = [name for name, status in outcome.statuses.items() if status in ("error", "skipped", "runtime error")]
    assert errors == [], outcome.messages
    landed = connection.execute("select count(*) from staging_quickbooks.invoice").fetchone()
    assert connection.execute("select count(*) from staging.stg_quickbooks__invoice").fetchone() == landed
    deepest = connection.execute(
        "select max(cardinality(string_to_array(line_path, '.'))) from intermediate.int_quickbooks__report_lines"
    ).fetchone()
    assert deepest == (301,)
    assert json.loads(json.dumps(values(metrics(connection)[1, "2024-01"])))["total_revenue"] is None
