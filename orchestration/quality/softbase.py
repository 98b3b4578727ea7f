"""What is expected of Softbase's landed rows.

Amounts and dates that marts are made of are critical where they can't be read; what people may have left out or
mistyped is noted.
"""

from __future__ import annotations

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

SOURCE = "softbase"

_CATEGORIES = ("Parts", "Labor", "Misc", "Rental", "Equipment")
_AMOUNTS = tuple(f"{category}{kind}" for kind in ("Taxable", "NonTax") for category in _CATEGORIES)
_ROW = "case jsonb_typeof(landed.payload) when 'object' then landed.payload else '{}' end"
# A dealership's own time of day, which has no offset.
_TIME = r"^([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?)?$"
# Types of work orders that Softbase knows.
_TYPES = ("S", "SH", "PM", "P", "R", "E", "I")

_NO_CARDS = Expectation(
    "no_cards",
    "no row has a column of a payment card",
    f"exists (select from jsonb_object_keys({_ROW}) as name where name ~* '(card|cvv|expir)')",
    critical=True,
)


def _field(column: str) -> str:
    return f'field."{column}"'


def _key(*columns: str) -> tuple[Expectation, ...]:
    """Rows stand under the key that the view has; without it they would be others the next night.

    A row that somebody left without one is noted: it is one among many, and stands under what it says.
    """
    present = tuple(required(_name(column), _field(column)) for column in columns)
    if len(columns) > 1:
        return present
    text = _field(columns[0])
    # The loader cuts what no index can hold, and what Postgres can't, and adds a hash (warehouse/rows.py).
    cut = (
        f"(octet_length({text}) > 1000 or strpos({text}, U&'\\FFFD') > 0)"
        f" and starts_with(landed.record_id, left({text}, 200) || '#')"
    )
    broken = f"btrim({text}) <> '' and landed.record_id <> {text} and not ({cut})"
    return (*present, Expectation("is_keyed", f"{columns[0]} is the row's key", broken, critical=True))


def _time(column: str, *, critical: bool = False) -> Expectation:
    """The column, where it says something, is a date, or a time without an offset."""
    text = _field(column)
    broken = f"{text} <> '' and not (substr({text}, 11) ~ '{_TIME}' and {is_date(f'left({text}, 10)')})"
    return Expectation(f"{_name(column)}_readable", f"{column} is a date or a local time", broken, critical)


def _amount(column: str) -> Expectation:
    return readable(_name(column), _field(column), "number", critical=True)


def _within(column: str, low: int, high: int) -> Expectation:
    broken = f"{number(_field(column))} not between {low} and {high}"
    return Expectation(f"{_name(column)}_plausible", f"{column} is from {low} to {high}", broken)


def _ordered(first: str, second: str) -> Expectation:
    # Systems that know no empty date write one of 1900.
    broken = f"left({_field(second)}, 10) between '1990-01-01' and '9999-12-31'"
    broken += f" and left({_field(second)}, 10) < left({_field(first)}, 10)"
    return Expectation(f"{_name(second)}_follows", f"{second} is not before {first}", broken)


def _name(column: str) -> str:
    """GrandTotal -> grand_total; WONo -> wono."""
    return "".join(
        f"_{letter.lower()}" if letter.isupper() and column[at - 1 : at].islower() else letter.lower()
        for at, letter in enumerate(column)
    )


def _suite(stream: str, *expectations: Expectation, columns: tuple[str, ...], publishes: bool = False) -> Suite:
    return Suite(SOURCE, stream, (*EVERY_RECORD, *expectations), dict.fromkeys(columns, "text"), publishes=publishes)


_BILLED = " + ".join(f"coalesce({number(_field(column))}, 0)" for column in _AMOUNTS)

SUITES = (
    _suite("branch", *_key("Number"), columns=("Number",)),
    _suite(
        "dept",
        *_key("Branch", "Dept"),
        required("title", _field("Title")),
        columns=("Branch", "Dept", "Title"),
        publishes=True,
    ),
    _suite("sale_codes", *_key("Branch", "Dept", "Code"), columns=("Branch", "Dept", "Code")),
    _suite("customer", *_key("Number"), _NO_CARDS, columns=("Number",)),
    _suite(
        "invoice_reg",
        *_key("InvoiceNo"),
        required("invoice_date", _field("InvoiceDate")),
        _time("InvoiceDate", critical=True),
        required("sale_code", _field("SaleCode")),
        *map(_amount, _AMOUNTS),
        Expectation(
            "grand_total_adds_up",
            "GrandTotal is what is billed and the tax on it",
            f"abs({number(_field('GrandTotal'))} - coalesce({number(_field('TotalTax'))}, 0) - ({_BILLED})) > 0.01",
        ),
        columns=("InvoiceNo", "InvoiceDate", "SaleCode", "TotalTax", "GrandTotal", *_AMOUNTS),
        publishes=True,
    ),
    _suite(
        "wo",
        *_key("WONo"),
        required("open_date", _field("OpenDate")),
        _time("OpenDate", critical=True),
        _time("ClosedDate", critical=True),
        _ordered("OpenDate", "ClosedDate"),
        one_of("type", _field("Type"), _TYPES),
        columns=("WONo", "OpenDate", "ClosedDate", "Type"),
        publishes=True,
    ),
    _suite(
        "wo_rental",
        required("work_order", _field("WONo"), critical=True),
        required("serial_no", _field("SerialNo")),
        _time("SwapEndDate", critical=True),
        columns=("WONo", "SerialNo", "SwapEndDate"),
        publishes=True,
    ),
    _suite(
        "equipment",
        *_key("SerialNo"),
        _time("DealerSaleDate", critical=True),
        one_of("customer", _field("Customer"), ("true", "false", "0", "1", "-1"), critical=True),
        columns=("SerialNo", "DealerSaleDate", "Customer"),
        publishes=True,
    ),
    _suite(
        "rental_history",
        *_key("SerialNo", "Year", "Month"),
        _within("Year", 1980, 2100),
        _within("Month", 1, 12),
        _within("DaysRented", 0, 31),
        _amount("RentAmount"),
        columns=("SerialNo", "Year", "Month", "DaysRented", "RentAmount"),
        publishes=True,
    ),
    _suite("depreciation", *_key("SerialNo"), columns=("SerialNo",)),
    _suite("chart_of_accounts", *_key("AccountNo"), columns=("AccountNo",), publishes=True),
    _suite(
        "gl",
        *_key("AccountNo", "AccountField", "Year", "Month"),
        _within("Year", 1980, 2100),
        # Some ledgers have a thirteenth period for the year's closing entries.
        _within("Month", 0, 13),
        _amount("YTD"),
        _amount("MTD"),
        columns=("AccountNo", "AccountField", "Year", "Month", "YTD", "MTD"),
        publishes=True,
    ),
    _suite(
        "gl_detail",
        required("account_no", _field("AccountNo")),
        _time("EffectiveDate"),
        readable("amount", _field("Amount"), "number"),
        columns=("AccountNo", "EffectiveDate", "Amount"),
    ),
)
