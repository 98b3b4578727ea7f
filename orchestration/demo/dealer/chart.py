"""A dealership's chart of accounts, and its departments with the codes they sell under."""

from __future__ import annotations

from dataclasses import dataclass

INCOME_STATEMENT = ("revenue", "cogs", "expense")


@dataclass(frozen=True)
class Account:
    """One ledger account. ``kind`` says what it is; its number and flags are what the source shows of that."""

    key: str
    number: str
    title: str
    kind: str
    flag: str = ""

    @property
    def in_income_statement(self) -> bool:
        return self.kind in INCOME_STATEMENT


# Numbers do not say all: cash in transit is numbered among other assets, employee advances among cash, an allowance
# among receivables and accruals among payables; the flags are right.
ACCOUNTS = tuple(
    Account(*facts)
    for facts in (
        ("checking", "110100", "Cash - Operating", "cash", "cash"),
        ("savings", "110200", "Cash - Reserve", "cash", "cash"),
        ("petty", "110900", "Petty Cash", "cash", "cash"),
        ("transit", "140100", "Cash in Transit", "cash", "cash"),
        ("advances", "119000", "Employee Advances", "other"),
        ("receivable", "120100", "Accounts Receivable - Trade", "receivable", "receivable"),
        ("warranty", "120500", "Accounts Receivable - Factory Warranty", "receivable", "receivable"),
        ("allowance", "129000", "Allowance for Doubtful Accounts", "other"),
        ("new_inventory", "130100", "Inventory - New Equipment", "inventory"),
        ("used_inventory", "130200", "Inventory - Used Equipment", "inventory"),
        ("parts_inventory", "135000", "Inventory - Parts", "inventory"),
        ("prepaid", "142000", "Prepaid Insurance", "other"),
        ("fleet_cost", "180100", "Rental Fleet", "fixed"),
        ("vehicles", "182000", "Service Vehicles", "fixed"),
        ("fleet_depreciation", "190100", "Accumulated Depreciation - Rental Fleet", "depreciation"),
        ("vehicle_depreciation", "192000", "Accumulated Depreciation - Vehicles", "depreciation"),
        ("payable", "200100", "Accounts Payable - Trade", "payable", "payable"),
        ("accrued", "209000", "Accrued Payroll", "other"),
        ("sales_tax", "210100", "Sales Tax Payable", "other"),
        ("term_loan", "220100", "Term Loan", "debt"),
        ("floor_plan", "230100", "Notes Payable - Floor Plan", "debt"),
        ("stock", "300100", "Common Stock", "equity"),
        ("retained", "310100", "Retained Earnings", "retained"),
        ("dividends", "320100", "Dividends", "equity"),
        ("service_sales", "410100", "Sales - Service", "revenue"),
        ("parts_sales", "420100", "Sales - Parts", "revenue"),
        ("rental_sales", "430100", "Sales - Rental", "revenue"),
        ("equipment_sales", "440100", "Sales - Equipment", "revenue"),
        ("other_sales", "490100", "Sales - Other", "revenue"),
        ("service_cost", "510100", "Cost of Service", "cogs"),
        ("parts_cost", "520100", "Cost of Parts", "cogs"),
        ("rental_cost", "530100", "Rental Depreciation", "cogs"),
        ("equipment_cost", "540100", "Cost of Equipment", "cogs"),
        ("wages", "610100", "Wages", "expense"),
        ("rent", "620100", "Rent and Utilities", "expense"),
        ("insurance", "630100", "Insurance", "expense"),
        ("interest", "640100", "Interest", "expense"),
        ("vehicle_expense", "650100", "Vehicle Depreciation", "expense"),
        ("bad_debts", "660100", "Bad Debts", "expense"),
        ("office", "670100", "Office", "expense"),
    )
)
BY_KEY = {account.key: account for account in ACCOUNTS}

SECTIONS = {
    "1": ("Balance Sheet", "Assets"),
    "2": ("Balance Sheet", "Liabilities"),
    "3": ("Balance Sheet", "Equity"),
    "4": ("Income Statement", "Sales"),
    "5": ("Income Statement", "Cost of Sales"),
    "6": ("Income Statement", "Expenses"),
}


@dataclass(frozen=True)
class Code:
    """A sale code: the department number it belongs to, and what it is a sale of (None: nobody has said)."""

    code: str
    dept: int
    department: str | None


@dataclass(frozen=True)
class Departments:
    """``titles``: by number. ``codes``: by what is sold. ``rental``, ``new``, ``used``: inventory departments."""

    titles: dict[int, str]
    codes: dict[str, tuple[Code, ...]]
    rental: int
    new: int
    used: int

    @property
    def all_codes(self) -> tuple[Code, ...]:
        return tuple(code for codes in self.codes.values() for code in codes)


def _codes(department: str | None, dept: int, *codes: str) -> tuple[Code, ...]:
    return tuple(Code(code, dept, department) for code in codes)


DEPARTMENTS = {
    "tens": Departments(
        {
            10: "New Equipment",
            20: "Used Equipment",
            30: "Allied Equipment",
            40: "Field Service",
            45: "Shop Service",
            47: "Planned Maintenance",
            50: "Parts",
            60: "Rental",
            90: "Administration",
        },
        {
            "S": _codes("service", 40, "SVE", "RDCST", "FMROAD"),
            "SH": _codes("service", 45, "SHPCST", "FMSHOP"),
            "PM": _codes("service", 47, "PM", "PM-FM"),
            "P": _codes("parts", 50, "CSTPRT", "PARTS"),
            "R": _codes("rental", 60, "RENTR", "RENTAL", "RENTPM"),
            "new": _codes("sales", 10, "LINDE", "LINDEN", "NEWEQ") + _codes("sales", 30, "ALLIED"),
            "used": _codes("sales", 20, "USEDEQ"),
            # A fleet unit is sold by the rental department, and it is a sale.
            "fleet": _codes("sales", 60, "RNTSALE"),
            "other": _codes(None, 90, "TRNG"),
        },
        rental=60,
        new=10,
        used=20,
    ),
    "ones": Departments(
        {1: "Equipment Sales", 2: "Pre-Owned", 3: "Service", 5: "Parts Counter", 6: "Rental Fleet", 9: "Office"},
        {
            "S": _codes("service", 3, "SVE"),
            "SH": _codes("service", 3, "SHPCST"),
            "PM": _codes("service", 3, "PM"),
            "P": _codes("parts", 5, "PARTS", "CSTPRT"),
            "R": _codes("rental", 6, "RENTAL"),
            "new": _codes("sales", 1, "NEWEQ"),
            "used": _codes("sales", 2, "USEDEQ"),
            "fleet": _codes("sales", 6, "RNTSALE"),
            "other": _codes(None, 9, "SEMINAR"),
        },
        rental=6,
        new=1,
        used=2,
    ),
}
