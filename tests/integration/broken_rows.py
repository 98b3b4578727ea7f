"""For every rule of every suite a landed record that breaks it, and for every stream one that breaks none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from landed_reports import report, section, summary
from quality_world import balance_sheet, invoice, profit_and_loss

from orchestration.sources.core.sql_values import record_key

Payload = dict[str, Any]
NO_INSTANT = "the source does not say when it changed"


@dataclass(frozen=True)
class Rows:
    """``good``: a record's key and payload by a number. ``broken``: by rule, what of the payload is otherwise."""

    good: Callable[[int], tuple[str, Payload]]
    broken: Mapping[str, Any]


def keyed(member: str, **payload: Any) -> Callable[[int], tuple[str, Payload]]:
    """Records under the text of one member."""
    return lambda number: (str(number), {member: str(number), **payload})


def unnamed(**payload: Any) -> Callable[[int], tuple[str, Payload]]:
    return lambda number: (f"k{number}", dict(payload))


# GA4


def _day(number: int) -> tuple[str, Payload]:
    day = date(2026, 1, 1) + timedelta(days=number)
    facts = {"date": day.isoformat(), "table": f"events_{day:%Y%m%d}", "rows": 3, "modified_at": "2026-02-01T00:00:00Z"}
    return f"{day:%Y%m%d}", facts


_COUNTS = {
    **{"first_event_us": 5, "last_event_us": 9, "engagement_ms": 0, "first_opens": 0, "first_visits": 0, "events": 4},
    **{"views": 2, "screen_views": 1, "deliveries": 4, "session_number": 1},
}


def _session(number: int) -> tuple[str, Payload]:
    user = f"{number:032x}"
    screens = [{"name": "Home", "views": 2}]
    facts = {"date": "2026-01-01", "user": user, "session_id": number, "platform": "IOS", "screens": screens}
    return json.dumps(["20260101", "s1", user, number]), facts | _COUNTS


GA4 = {
    "days": Rows(
        _day,
        {
            "date_is_key": {"date": "2020-01-01"},
            "table_is_of_date": {"table": "events_20200101"},
            "modified_at_readable": {"modified_at": "yesterday"},
            "rows_readable": {"rows": 1.5},
        },
    ),
    "sessions": Rows(
        _session,
        {
            "date_begins_key": {"date": "2026-01-02"},
            "date_readable": {"date": "2026-02-30"},
            "first_event_present": {"first_event_us": None},
            "last_event_present": {"last_event_us": None},
            **{f"{name}_readable": {name: "1.5"} for name in _COUNTS},
            "begins_before_it_ends": {"first_event_us": 10},
            "user_is_hashed": {"user": "ann@example.com"},
            "session_has_user": {"user": None},
            "screens_are_the_views": {"views": 3},
            "screen_views_are_views": {"screen_views": 3},
            "platform_known": {"platform": "BEOS"},
        },
    ),
}

# Softbase

_AMOUNTS = {
    f"{name.lower()}_{words}_readable": f"{name}{kind}"
    for name in ("Parts", "Labor", "Misc", "Rental", "Equipment")
    for kind, words in (("Taxable", "taxable"), ("NonTax", "non_tax"))
}


def _composed(**payload: Any) -> Callable[[int], tuple[str, Payload]]:
    """Records under several columns, of which the first is another each time."""

    def made(number: int) -> tuple[str, Payload]:
        row = payload | {next(iter(payload)): str(number)}
        return record_key(row, list(row)), row

    return made


SOFTBASE = {
    "branch": Rows(keyed("Number"), {"number_present": {"Number": " "}, "is_keyed": {"Number": "77"}}),
    "dept": Rows(
        unnamed(Branch=1, Dept=60, Title="Rental"),
        {"branch_present": {"Branch": None}, "dept_present": {"Dept": None}, "title_present": {"Title": ""}},
    ),
    "sale_codes": Rows(
        unnamed(Branch=1, Dept=60, Code="SVE"),
        {"branch_present": {"Branch": None}, "dept_present": {"Dept": None}, "code_present": {"Code": " "}},
    ),
    "customer": Rows(
        keyed("Number"),
        {"number_present": {"Number": None}, "is_keyed": {"Number": "77"}, "no_cards": {"CreditCardNo": None}},
    ),
    "invoice_reg": Rows(
        keyed(
            "InvoiceNo", InvoiceDate="2026-02-03T00:00:00", SaleCode="SVE", TotalTax=1, GrandTotal=11, PartsTaxable=10
        ),
        {
            "invoice_no_present": {"InvoiceNo": None},
            "is_keyed": {"InvoiceNo": "77"},
            "invoice_date_present": {"InvoiceDate": None},
            "invoice_date_readable": {"InvoiceDate": "2026-02-30T00:00:00"},
            "sale_code_present": {"SaleCode": " "},
            **{rule: {column: "twelve"} for rule, column in _AMOUNTS.items()},
            "grand_total_adds_up": {"GrandTotal": 2.02},
        },
    ),
    "wo": Rows(
        keyed("WONo", OpenDate="2026-02-03T00:00:00", ClosedDate="1900-01-01T00:00:00", Type="R"),
        {
            "wono_present": {"WONo": ""},
            "is_keyed": {"WONo": "77"},
            "open_date_present": {"OpenDate": None},
            "open_date_readable": {"OpenDate": "soon"},
            "closed_date_readable": {"ClosedDate": "2026-02-03T25:00:00"},
            "closed_date_follows": {"ClosedDate": "2026-02-02"},
            "type_known": {"Type": "X"},
        },
    ),
    "wo_rental": Rows(
        unnamed(WONo=1, SerialNo="A", SwapEndDate=None),
        {
            "work_order_present": {"WONo": None},
            "serial_no_present": {"SerialNo": ""},
            "swap_end_date_readable": {"SwapEndDate": "later"},
        },
    ),
    "equipment": Rows(
        keyed("SerialNo", Customer=False, DealerSaleDate=None),
        {
            "serial_no_present": {"SerialNo": None},
            "is_keyed": {"SerialNo": "77"},
            "dealer_sale_date_readable": {"DealerSaleDate": "sold"},
            "customer_known": {"Customer": "maybe"},
        },
    ),
    "rental_history": Rows(
        _composed(SerialNo="A", Year=2026, Month=1, DaysRented=31, RentAmount=10),
        {
            "serial_no_present": {"SerialNo": None},
            "year_present": {"Year": None},
            "month_present": {"Month": None},
            "year_plausible": {"Year": 26},
            "month_plausible": {"Month": 13},
            "days_rented_plausible": {"DaysRented": 32},
            "rent_amount_readable": {"RentAmount": "ten"},
        },
    ),
    "depreciation": Rows(keyed("SerialNo"), {"serial_no_present": {"SerialNo": ""}, "is_keyed": {"SerialNo": "77"}}),
    "chart_of_accounts": Rows(
        keyed("AccountNo"), {"account_no_present": {"AccountNo": ""}, "is_keyed": {"AccountNo": "77"}}
    ),
    "gl": Rows(
        _composed(AccountNo="1", AccountField="Actual", Year=2026, Month=13, YTD=1, MTD=1),
        {
            "account_no_present": {"AccountNo": None},
            "account_field_present": {"AccountField": None},
            "year_present": {"Year": None},
            "month_present": {"Month": None},
            "year_plausible": {"Year": 2101},
            "month_plausible": {"Month": 14},
            "ytd_readable": {"YTD": "one"},
            "mtd_readable": {"MTD": "one"},
        },
    ),
    "gl_detail": Rows(
        unnamed(AccountNo="1", EffectiveDate="2026-02-03", Amount=1),
        {
            "account_no_present": {"AccountNo": ""},
            "effective_date_readable": {"EffectiveDate": "2026-02-03T00:00:00Z"},
            "amount_readable": {"Amount": "one"},
        },
    ),
}

# Zoom


def _amounts(*names: str) -> dict[str, Payload]:
    counted = {f"{name}_counts": {name: None} for name in names}
    return counted | {f"{name}_not_negative": {name: -1} for name in names}


ZOOM = {
    "users": Rows(
        keyed("id", status="active"),
        {"status_known": {"status": "odd"}, "status_present": {"status": None}, "id_is_key": {"id": "77"}},
    ),
    "phone_users": Rows(
        unnamed(status="activate"), {"status_known": {"status": "active"}, "status_present": {"status": ""}}
    ),
    "call_queues": Rows(unnamed(status="inactive"), {"status_known": {"status": "closed"}}),
    "daily_report": Rows(
        unnamed(date="2026-02-03", meetings=1, participants=2, meeting_minutes=30),
        {
            "date_present": {"date": None},
            "date_readable": {"date": "02/03/2026"},
            **_amounts("meetings", "participants", "meeting_minutes"),
        },
    ),
    "meetings": Rows(
        unnamed(uuid="a==", start_time="2026-02-03T15:00:00Z", duration=30, total_minutes=55, participants_count=2),
        {
            "uuid_present": {"uuid": ""},
            "start_time_readable": {"start_time": "2026-02-03"},
            **_amounts("duration", "total_minutes", "participants_count"),
        },
    ),
    "participants": Rows(
        unnamed(meeting_uuid="a==", join_time="2026-02-03T15:00:00Z", duration=60),
        {
            "meeting_uuid_present": {"meeting_uuid": None},
            "join_time_readable": {"join_time": "then"},
            "duration_readable": {"duration": "long"},
        },
    ),
    "call_history": Rows(
        unnamed(
            call_id="c", call_result="answered", direction="inbound", start_time="2026-02-03T15:00:00", duration=60
        ),
        {
            "call_id_present": {"call_id": ""},
            "call_result_present": {"call_result": None},
            "direction_known": {"direction": "sideways"},
            "start_time_readable": {"start_time": None},
            **_amounts("duration"),
        },
    ),
}

# The case database

AZURE_SQL = {
    "case_data_summary_nophi": Rows(
        unnamed(
            **{
                "Case Create Date": "2026-01-12",
                "Date Closed": "2026-02-03T10:00:00",
                "Case Type": "EAP",
                "Workflow Status": "Closed",
                "Primary Presenting Problem": "Work",
                "Completed Session Count": 0,
                "Solution": "Case 2026-0012, 3 of 5",
            }
        ),
        {
            "no_email": {"Solution": "write to ann@example.com"},
            "no_phone": {"Solution": "call (312) 555-0182"},
            "no_ssn": {"Solution": "078-05-1120"},
            "no_names_or_comments": {"Provider Name": None},
            "case_create_date_present": {"Case Create Date": None},
            "case_create_date_readable": {"Case Create Date": "2026-02-30"},
            "date_closed_readable": {"Date Closed": "not yet"},
            "closed_after_it_was_made": {"Date Closed": "2026-01-11"},
            "case_type_present": {"Case Type": " "},
            "workflow_status_present": {"Workflow Status": None},
            "presenting_problem_present": {"Primary Presenting Problem": ""},
            "completed_sessions_counted": {"Completed Session Count": -1},
            "cancelled_sessions_counted": {"Cancelled Sessions": -1},
            "virtual_sessions_counted": {"Virtual Sessions": -1},
            "in_person_sessions_counted": {"In-Person Sessions": "-1"},
        },
    )
}

# HubSpot


def _object(rules: Mapping[str, tuple[str, Any]] | None = None) -> Rows:
    """``rules``: of properties, the name and what breaks them."""
    # HubSpot writes what a binary fraction went into to its last decimal.
    amount = "8499.9999999999997779553950749686919152736663818359375"
    held = {"pipeline": "default", "dealstage": "won", "hs_pipeline_stage": "1", "amount": amount}
    return Rows(
        keyed("id", createdAt="2026-01-01T00:00:00Z", properties=held),
        {
            "id_is_key": {"id": "77"},
            "has_properties": {"properties": []},
            "created_at_present": {"createdAt": None},
            "created_at_readable": {"createdAt": "2026-01-01"},
            **{rule: {"properties": held | {name: value}} for rule, (name, value) in (rules or {}).items()},
        },
    )


_TIMED = {"occurred_at_readable": ("hs_timestamp", "noon")}
HUBSPOT = {
    "owners": Rows(
        keyed("id", createdAt="2026-01-01T00:00:00Z"),
        {"id_is_key": {"id": "77"}, "created_at_readable": {"createdAt": "2026-01-01T00:00:00"}},
    ),
    "pipelines": Rows(
        unnamed(id="default", stages=[{"id": "1"}]), {"pipeline_id_present": {"id": ""}, "has_stages": {"stages": []}}
    ),
    "companies": _object({"annual_revenue_readable": ("annualrevenue", "a lot")}),
    "contacts": _object({"create_date_readable": ("createdate", "2026-13-01T00:00:00Z")}),
    "deals": _object(
        {
            "deal_stage_present": ("dealstage", None),
            "pipeline_present": ("pipeline", ""),
            "amount_readable": ("amount", "1,5"),
            "close_date_readable": ("closedate", "soon"),
        }
    ),
    "tickets": _object({"pipeline_stage_present": ("hs_pipeline_stage", None)}),
    "products": _object({"price_readable": ("price", "free")}),
    "line_items": _object({"quantity_readable": ("quantity", "few"), "amount_readable": ("amount", "few")}),
    "quotes": _object({"quote_amount_readable": ("hs_quote_amount", "few")}),
    **{stream: _object(_TIMED) for stream in ("calls", "emails", "meetings", "tasks")},
    "feedback_submissions": _object(),
    "goals": _object({"target_amount_readable": ("hs_target_amount", "more")}),
}

# QuickBooks

_ENTITY = {"id_is_key": {"Id": "77"}, "changed_at_known": NO_INSTANT}
_DOCUMENT = {
    **_ENTITY,
    "transaction_date_present": {"TxnDate": None},
    "transaction_date_readable": {"TxnDate": "2025-02-29"},
    "total_amount_readable": {"TotalAmt": "twelve"},
    "exchange_rate_positive": {"ExchangeRate": 0},
}
_TOTAL = {**_DOCUMENT, "total_amount_present": {"TotalAmt": None}}
_OPEN = {
    **_TOTAL,
    "due_date_readable": {"DueDate": "soon"},
    "open_balance_readable": {"Balance": "some"},
    "open_balance_within_total": {"Balance": 120.01},
}
_LINES = [{"Amount": 10.5, "JournalEntryLineDetail": {"PostingType": side}} for side in ("Debit", "Credit")]


def _month(stream: str, rows: list[Payload]) -> Callable[[int], tuple[str, Payload]]:
    return lambda number: report(stream, rows, f"{2020 + number // 12}-{number % 12 + 1:02d}")


def _report(stream: str, rows: list[Payload], identity: str, wrong: list[Payload]) -> Rows:
    unread = [section("Odd", [], "1OO.00", group=rows[0]["group"]), *rows[1:]]
    return Rows(
        _month(stream, rows),
        {
            "basis_known": {"basis": "modified"},
            "basis_present": {"basis": None},
            "period_readable": {"period_end": "2019-02-30"},
            "key_is_period": {"period_start": "2019-01-01"},
            "amounts_readable": {"Rows": {"Row": unread}},
            "groups_known": {"Rows": {"Row": [section("Umsatz", [], "1.00", group="Umsatz")]}},
            identity: {"Rows": {"Row": wrong}},
        },
    )


def _cash(end: str) -> list[Payload]:
    return [
        summary("At beginning", "10.00", "BeginningCash"),
        summary("Increase", "5.00", "CashIncrease"),
        summary("At end", end, "EndingCash"),
    ]


QUICKBOOKS = {
    "company_info": Rows(keyed("Id", CompanyName="One"), {**_ENTITY, "company_name_present": {"CompanyName": " "}}),
    "preferences": Rows(keyed("Id"), {**_ENTITY, "report_basis_known": {"ReportPrefs": {"ReportBasis": "Modified"}}}),
    "account": Rows(
        keyed("Id", Name="Bank", Classification="Asset", CurrentBalance=-1.5),
        {
            **_ENTITY,
            "account_name_present": {"Name": None},
            "classification_known": {"Classification": "Treasure"},
            "current_balance_readable": {"CurrentBalance": "some"},
        },
    ),
    **{
        stream: Rows(
            keyed("Id", DisplayName="One", Balance=1),
            {**_ENTITY, "display_name_present": {"DisplayName": ""}, "balance_readable": {"Balance": "some"}},
        )
        for stream in ("customer", "vendor")
    },
    "item": Rows(
        keyed("Id", Name="Oil", Type="Service", UnitPrice=2),
        {
            **_ENTITY,
            "item_name_present": {"Name": None},
            "item_type_known": {"Type": "Idea"},
            "unit_price_readable": {"UnitPrice": "2,50"},
        },
    ),
    "invoice": Rows(invoice, _OPEN),
    "bill": Rows(invoice, _OPEN),
    "payment": Rows(
        keyed("Id", TxnDate="2025-03-01", TotalAmt=5, UnappliedAmt=5),
        {**_TOTAL, "unapplied_amount_within_total": {"UnappliedAmt": -1}},
    ),
    "bill_payment": Rows(keyed("Id", TxnDate="2025-03-01", TotalAmt=5), _TOTAL),
    "journal_entry": Rows(
        keyed("Id", TxnDate="2025-03-01", Line=_LINES),
        {**_DOCUMENT, "debits_equal_credits": {"Line": [*_LINES, _LINES[0]]}},
    ),
    "purchase": Rows(
        keyed("Id", TxnDate="2025-03-01", TotalAmt=5, PaymentType="Cash"),
        {**_TOTAL, "payment_type_known": {"PaymentType": "Barter"}},
    ),
    "deposit": Rows(keyed("Id", TxnDate="2025-03-01", TotalAmt=5), _TOTAL),
    "profit_and_loss": _report(
        "profit_and_loss", profit_and_loss(), "net_income_adds_up", profit_and_loss(net="60.01")
    ),
    "balance_sheet": _report(
        "balance_sheet", balance_sheet(), "balance_sheet_balances", balance_sheet(equity="700.01")
    ),
    "cash_flow": _report("cash_flow", _cash("15.00"), "cash_adds_up", _cash("15.01")),
}

BROKEN = {
    "quickbooks": QUICKBOOKS,
    "hubspot": HUBSPOT,
    "zoom": ZOOM,
    "softbase": SOFTBASE,
    "azure_sql": AZURE_SQL,
    "ga4": GA4,
}
