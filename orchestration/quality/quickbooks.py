"""What is expected of QuickBooks' landed streams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestration.quality.expectations import (
    EVERY_RECORD,
    Expectation,
    Suite,
    is_date,
    number,
    one_of,
    readable,
    required,
)

SOURCE = "quickbooks"

_ID_IS_KEY = Expectation(
    "id_is_key", "the record's Id is the key it landed under", 'field."Id" is distinct from landed.record_id', True
)
_CHANGED_AT = Expectation("changed_at_known", "the source says when it changed", "landed.source_updated_at is null")

_CLASSES = ("Asset", "Equity", "Expense", "Liability", "Revenue")
_ITEM_TYPES = ("Assembly", "Bundle", "Category", "Fixed Asset", "Group", "Inventory", "NonInventory", "Service")


def _entity(stream: str, fields: Mapping[str, str], *expectations: Expectation) -> Suite:
    return Suite(SOURCE, stream, (*EVERY_RECORD, _ID_IS_KEY, _CHANGED_AT, *expectations), {"Id": "text", **fields})


def _text(name: str) -> str:
    return f'field."{name}"'


def _document(stream: str, fields: Mapping[str, str], *expectations: Expectation) -> Suite:
    """A transaction: dated, with a total."""
    return _entity(
        stream,
        {"TxnDate": "text", "TotalAmt": "text", "ExchangeRate": "text", "Line": "jsonb", **fields},
        required("transaction_date", _text("TxnDate")),
        readable("transaction_date", _text("TxnDate"), "date"),
        readable("total_amount", _text("TotalAmt"), "number"),
        Expectation(
            "exchange_rate_positive", "an exchange rate is above zero", f"{number(_text('ExchangeRate'))} <= 0"
        ),
        *expectations,
    )


def _open_part(name: str, text: str) -> Expectation:
    """What is open of a document lies between nothing and all of it, whichever sign it has."""
    part, total = number(_text(text)), number(_text("TotalAmt"))
    return Expectation(
        f"{name}_within_total",
        f"{name.replace('_', ' ')} lies between 0 and the total",
        # least and greatest leave out what is NULL.
        f"{part} not between least(0, {total}) and greatest(0, {total}) and {total} is not null",
    )


_BALANCED = Expectation(
    "debits_equal_credits",
    "debits and credits of an entry are equal",
    """(
        select sum(
            case line #>> '{JournalEntryLineDetail,PostingType}' when 'Debit' then 1 when 'Credit' then -1 end
            * case when jsonb_typeof(line -> 'Amount') = 'number' then (line ->> 'Amount')::numeric end
        )
        from jsonb_array_elements(case jsonb_typeof(field."Line") when 'array' then field."Line" else '[]' end) as line
    ) <> 0""",
)

# Amounts in reports are text: empty is zero, thousands may have commas, negatives may stand in parentheses.
_AMOUNT = (
    r"^-?([0-9]{1,30}|[0-9]{1,3}(,[0-9]{3}){1,9})(\.[0-9]{1,30})?$|^-?\.[0-9]{1,30}$"
    r"|^\(([0-9]{1,30}|[0-9]{1,3}(,[0-9]{3}){1,9})(\.[0-9]{1,30})?\)$"
)
_NEGATIVE = (
    "translate(total.amount_text, '(),', '')::numeric * case when left(total.amount_text, 1) = '(' then -1 else 1 end"
)

# Groups that QuickBooks is known to put into each report.
REPORT_GROUPS = {
    "profit_and_loss": (
        *("Income", "COGS", "GrossProfit", "Expenses", "NetOperatingIncome"),
        *("OtherIncome", "OtherExpenses", "NetOtherIncome", "NetIncome"),
    ),
    "balance_sheet": (
        *("TotalAssets", "CurrentAssets", "BankAccounts", "AR", "OtherCurrentAssets", "FixedAssets", "OtherAssets"),
        *("TotalLiabilitiesAndEquity", "Liabilities", "CurrentLiabilities", "AP", "CreditCards"),
        *("OtherCurrentLiabilities", "LongTermLiabilities", "Equity"),
    ),
    "cash_flow": (
        *("OperatingActivities", "NetIncome", "OperatingAdjustments", "InvestingActivities", "FinancingActivities"),
        # As some companies' reports spell it.
        *("FinancingActivites", "CashIncrease", "BeginningCash", "EndingCash"),
    ),
}

# A group of lines without a total is not zero: what they add up to is only known once they are walked.
_NO_TOTAL = "no total"

# Totals of a report's groups, wherever they stand in it; a group that a report lacks has nothing to say: zero.
_GROUPS = """
cross join lateral (
    select
        {sums},
        bool_or(total.amount_text <> '' and total.amount_text !~ '{amount}') filter (where {compared}) as is_unreadable,
        bool_or(total.line_group = 'NetIncome') as has_net_income,
        bool_or(total.line_group in {known}) as has_known
    from (
        select
            line ->> 'group' as line_group,
            coalesce(
                line #>> '{{Summary,ColData,1,value}}',
                line #>> '{{ColData,1,value}}',
                case
                    when not line ?| array['Summary', 'ColData'] and line #> '{{Rows,Row,0}}' is not null
                        then '{no_total}'
                    else line #>> '{{Header,ColData,1,value}}'
                end,
                ''
            ) as amount_text
        from jsonb_path_query(landed.payload, 'strict $.Rows.** ? (exists (@.group))', '{{}}', true) as line
    ) as total
) as groups
"""


def _listed(names: Iterable[str]) -> str:
    return "(" + ", ".join(f"'{name}'" for name in names) + ")"


def _groups(known: tuple[str, ...], *names: str) -> str:
    sums = ",\n        ".join(
        f"coalesce(sum(case when total.amount_text ~ '{_AMOUNT}' then {_NEGATIVE} end)"
        f" filter (where total.line_group = '{name}'), 0) as \"{name}\""
        for name in names
    )
    compared = f"total.line_group in {_listed(names)}"
    return _GROUPS.format(sums=sums, amount=_AMOUNT, compared=compared, known=_listed(known), no_total=_NO_TOTAL)


def _report(stream: str, bases: tuple[str, ...], groups: tuple[str, ...], *identities: Expectation) -> Suite:
    escaped = _AMOUNT.replace("\\", "\\\\")
    return Suite(
        SOURCE,
        stream,
        (
            *EVERY_RECORD,
            one_of("basis", "field.basis", bases, critical=True),
            required("basis", "field.basis", critical=True),
            Expectation(
                "period_readable",
                "the period begins and ends on days, in this order",
                f"not coalesce({is_date('field.period_start')} and {is_date('field.period_end')}"
                " and field.period_start <= field.period_end, false)",
                critical=True,
            ),
            Expectation(
                "key_is_period",
                "the key names the month that the record holds",
                "not coalesce(field.is_total = 'true', false)"
                " and split_part(landed.record_id, '|', 3) is distinct from left(field.period_start, 7)",
                critical=True,
            ),
            Expectation(
                "amounts_readable",
                "every amount of a line, heading or total is a number",
                "jsonb_path_exists(landed.payload, '$.Rows.**.ColData[1].value"
                f' ? (@.type() == "string" && @ != "" && !(@ like_regex "{escaped}"))\', \'{{}}\', true)',
                critical=True,
            ),
            # Its figures are NULL then, which contradicts nothing.
            Expectation(
                "groups_known",
                "a report with lines has one of the groups that QuickBooks is known to use",
                "field.no_data is distinct from 'true' and groups.has_known is not true"
                " and jsonb_path_exists(landed.payload, '$.Rows.Row[0]', '{}', true)",
            ),
            *identities,
        ),
        {"basis": "text", "period_start": "text", "period_end": "text", "is_total": "text", "no_data": "text"},
        joins=_groups(REPORT_GROUPS[stream], *groups),
        publishes=True,
    )


def _identity(name: str, says: str, left: str, right: str, *, when: str = "true", critical: bool = True) -> Expectation:
    return Expectation(name, says, f"{when} and groups.is_unreadable is not true and {left} <> {right}", critical)


SUITES = (
    _entity("company_info", {"CompanyName": "text"}, required("company_name", _text("CompanyName"))),
    _entity(
        "preferences",
        {"ReportPrefs": "jsonb"},
        one_of("report_basis", "field.\"ReportPrefs\" ->> 'ReportBasis'", ("Accrual", "Cash")),
    ),
    _entity(
        "account",
        {"Name": "text", "Classification": "text", "CurrentBalance": "text"},
        required("account_name", _text("Name")),
        one_of("classification", _text("Classification"), _CLASSES),
        readable("current_balance", _text("CurrentBalance"), "number"),
    ),
    *(
        _entity(
            stream,
            {"DisplayName": "text", "Balance": "text"},
            required("display_name", _text("DisplayName")),
            readable("balance", _text("Balance"), "number"),
        )
        for stream in ("customer", "vendor")
    ),
    _entity(
        "item",
        {"Name": "text", "Type": "text", "UnitPrice": "text"},
        required("item_name", _text("Name")),
        one_of("item_type", _text("Type"), _ITEM_TYPES),
        readable("unit_price", _text("UnitPrice"), "number"),
    ),
    *(
        _document(
            stream,
            {"DueDate": "text", "Balance": "text"},
            required("total_amount", _text("TotalAmt")),
            readable("due_date", _text("DueDate"), "date"),
            readable("open_balance", _text("Balance"), "number"),
            _open_part("open_balance", "Balance"),
        )
        for stream in ("invoice", "bill")
    ),
    _document(
        "payment",
        {"UnappliedAmt": "text"},
        required("total_amount", _text("TotalAmt")),
        _open_part("unapplied_amount", "UnappliedAmt"),
    ),
    _document("bill_payment", {}, required("total_amount", _text("TotalAmt"))),
    _document("journal_entry", {}, _BALANCED),
    _document(
        "purchase",
        {"PaymentType": "text"},
        required("total_amount", _text("TotalAmt")),
        one_of("payment_type", _text("PaymentType"), ("Cash", "Check", "CreditCard")),
    ),
    _document("deposit", {}, required("total_amount", _text("TotalAmt"))),
    _report(
        "profit_and_loss",
        ("accrual", "cash"),
        ("Income", "COGS", "Expenses", "OtherIncome", "OtherExpenses", "GrossProfit", "NetIncome"),
        _identity(
            "net_income_adds_up",
            "income less costs and expenses is net income",
            'groups."Income" + groups."OtherIncome" - groups."COGS" - groups."Expenses" - groups."OtherExpenses"',
            'groups."NetIncome"',
            when="groups.has_net_income",
        ),
    ),
    _report(
        "balance_sheet",
        ("accrual", "cash"),
        ("TotalAssets", "Liabilities", "Equity"),
        _identity(
            "balance_sheet_balances",
            "assets are liabilities plus equity",
            'groups."Liabilities" + groups."Equity"',
            'groups."TotalAssets"',
        ),
    ),
    _report(
        "cash_flow",
        ("none",),
        ("BeginningCash", "CashIncrease", "EndingCash"),
        _identity(
            "cash_adds_up",
            "cash at the beginning plus its increase is cash at the end",
            'groups."BeginningCash" + groups."CashIncrease"',
            'groups."EndingCash"',
            critical=False,
        ),
    ),
)
