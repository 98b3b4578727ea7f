"""Charts of accounts: types as QuickBooks knows them, and the accounts a company starts with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from orchestration.demo.books.company import Company


class AccountType(NamedTuple):
    """``classification`` as in the API; ``statement`` is ``pl`` or ``bs``; ``cash_flow`` names the section its
    changes appear in (None: the account is itself cash, or its changes are net income)."""

    classification: str
    statement: str
    cash_flow: str | None


ACCOUNT_TYPES: dict[str, AccountType] = {
    "Bank": AccountType("Asset", "bs", None),
    "Accounts Receivable": AccountType("Asset", "bs", "operating"),
    "Other Current Asset": AccountType("Asset", "bs", "operating"),
    "Fixed Asset": AccountType("Asset", "bs", "investing"),
    "Other Asset": AccountType("Asset", "bs", "investing"),
    "Accounts Payable": AccountType("Liability", "bs", "operating"),
    "Credit Card": AccountType("Liability", "bs", "operating"),
    "Other Current Liability": AccountType("Liability", "bs", "operating"),
    "Long Term Liability": AccountType("Liability", "bs", "financing"),
    "Equity": AccountType("Equity", "bs", "financing"),
    "Income": AccountType("Revenue", "pl", None),
    "Other Income": AccountType("Revenue", "pl", None),
    "Cost of Goods Sold": AccountType("Expense", "pl", None),
    "Expense": AccountType("Expense", "pl", None),
    "Other Expense": AccountType("Expense", "pl", None),
}


class Spec(NamedTuple):
    key: str
    name: str
    type: str
    subtype: str
    parent: str = ""


BASE = (
    Spec("checking", "Checking", "Bank", "Checking"),
    Spec("savings", "Savings", "Bank", "Savings"),
    Spec("old_bank", "First National (closed)", "Bank", "Checking"),
    Spec("ar", "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable"),
    Spec("undeposited", "Undeposited Funds", "Other Current Asset", "UndepositedFunds"),
    Spec("prepaid", "Prepaid Expenses", "Other Current Asset", "PrepaidExpenses"),
    Spec("prepaid_insurance", "Prepaid Insurance", "Other Current Asset", "PrepaidExpenses", "prepaid"),
    Spec("vehicles", "Vehicles", "Fixed Asset", "Vehicles"),
    Spec("vehicles_cost", "Original Cost", "Fixed Asset", "Vehicles", "vehicles"),
    Spec("vehicles_depreciation", "Depreciation", "Fixed Asset", "AccumulatedDepreciation", "vehicles"),
    Spec("equipment", "Machinery & Equipment", "Fixed Asset", "MachineryAndEquipment"),
    Spec("deposits_paid", "Security Deposits", "Other Asset", "SecurityDeposits"),
    Spec("ap", "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable"),
    Spec("card", "Visa", "Credit Card", "CreditCard"),
    Spec("sales_tax", "Sales Tax Payable", "Other Current Liability", "SalesTaxPayable"),
    Spec("payroll_due", "Payroll Liabilities", "Other Current Liability", "PayrollTaxPayable"),
    Spec(
        "payroll_due_federal", "Federal Taxes (941/944)", "Other Current Liability", "PayrollTaxPayable", "payroll_due"
    ),
    Spec("loan", "Notes Payable", "Long Term Liability", "NotesPayable"),
    Spec("opening", "Opening Balance Equity", "Equity", "OpeningBalanceEquity"),
    Spec("owner", "Owner's Investment", "Equity", "OwnersEquity"),
    Spec("draws", "Owner's Draws", "Equity", "OwnersEquity"),
    Spec("retained", "Retained Earnings", "Equity", "RetainedEarnings"),
    Spec("services", "Services", "Income", "ServiceFeeIncome"),
    Spec("field_service", "Field Service", "Income", "ServiceFeeIncome", "services"),
    Spec("emergency", "Emergency Calls", "Income", "ServiceFeeIncome", "field_service"),
    Spec("discounts", "Discounts given", "Income", "DiscountsRefundsGiven"),
    Spec("unapplied_income", "Unapplied Cash Payment Income", "Income", "UnappliedCashPaymentIncome"),
    Spec("advertising", "Advertising", "Expense", "AdvertisingPromotional"),
    Spec("auto", "Automobile", "Expense", "Auto"),
    Spec("fuel", "Fuel", "Expense", "Auto", "auto"),
    Spec("bank_charges", "Bank Charges", "Expense", "BankCharges"),
    Spec("insurance", "Insurance", "Expense", "Insurance"),
    Spec("legal", "Legal & Professional Fees", "Expense", "LegalProfessionalFees"),
    Spec("accounting", "Accounting", "Expense", "LegalProfessionalFees", "legal"),
    Spec("office", "Office Expenses", "Expense", "OfficeGeneralAdministrativeExpenses"),
    Spec("payroll", "Payroll Expenses", "Expense", "PayrollExpenses"),
    Spec("wages", "Wages", "Expense", "PayrollExpenses", "payroll"),
    Spec("payroll_taxes", "Taxes", "Expense", "PayrollExpenses", "payroll"),
    Spec("rent", "Rent or Lease", "Expense", "RentOrLeaseOfBuildings"),
    Spec("travel", "Travel", "Expense", "Travel"),
    Spec("utilities", "Utilities", "Expense", "Utilities"),
    Spec("electricity", "Gas and Electric", "Expense", "Utilities", "utilities"),
    Spec("telephone", "Telephone", "Expense", "Utilities", "utilities"),
    Spec("unapplied_expense", "Unapplied Cash Bill Payment Expense", "Expense", "UnappliedCashBillPaymentExpense"),
    Spec("depreciation", "Depreciation", "Other Expense", "Depreciation"),
    Spec("interest_paid", "Interest Paid", "Other Expense", "OtherMiscellaneousExpense"),
)
GOODS = (
    Spec("sales", "Sales of Product Income", "Income", "SalesOfProductIncome"),
    Spec("equipment_sales", "Equipment Sales", "Income", "SalesOfProductIncome", "sales"),
    Spec("parts_sales", "Parts Sales", "Income", "SalesOfProductIncome", "sales"),
    Spec("cogs", "Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs"),
    Spec("equipment_cost", "Equipment", "Cost of Goods Sold", "SuppliesMaterialsCogs", "cogs"),
    Spec("parts_cost", "Parts", "Cost of Goods Sold", "SuppliesMaterialsCogs", "cogs"),
    Spec("freight", "Freight & Delivery", "Cost of Goods Sold", "ShippingFreightDeliveryCos"),
)
OTHER_INCOME = (
    Spec("interest", "Interest Earned", "Other Income", "InterestEarned"),
    Spec("miscellaneous", "Miscellaneous Income", "Other Income", "OtherMiscellaneousIncome"),
)
FRENCH = {
    "checking": "Compte chèques",
    "savings": "Épargne",
    "ar": "Comptes clients (C/C)",
    "undeposited": "Fonds non déposés",
    "ap": "Comptes fournisseurs (C/F)",
    "sales_tax": "TPS/TVQ à payer",
    "opening": "Solde d'ouverture des capitaux propres",
    "retained": "Bénéfices non répartis",
    "services": "Prestations de services",
    "field_service": "Service sur place",
    "emergency": "Appels d'urgence",
    "discounts": "Remises accordées",
    "sales": "Ventes de produits",
    "cogs": "Coût des marchandises vendues",
    "freight": "Fret et livraison",
    "payroll": "Charges salariales",
    "wages": "Salaires",
    "rent": "Loyer ou bail",
    "utilities": "Services publics",
    "electricity": "Gaz et électricité",
    "telephone": "Téléphone",
    "auto": "Véhicules à moteur",
    "fuel": "Carburant",
    "depreciation": "Amortissement",
    "interest_paid": "Intérêts payés",
}


@dataclass
class Account:
    """An account of the books. ``key`` is the demo's own name for it; ``id`` is what the API shows."""

    id: int
    key: str
    name: str
    type: str
    subtype: str
    parent: int = 0
    number: str = ""
    active: bool = True

    @property
    def facts(self) -> AccountType:
        return ACCOUNT_TYPES[self.type]

    @property
    def is_cash(self) -> bool:
        """What QuickBooks' cash flow statement reconciles: bank accounts and undeposited funds."""
        return self.type == "Bank" or self.subtype == "UndepositedFunds"

    @property
    def cash_flow(self) -> str | None:
        """Section of the cash flow statement that shows this account's changes. Depreciation isn't an outlay, so
        its accumulated account reconciles net income instead of counting as an investment."""
        if self.is_cash:
            return None
        return "operating" if self.subtype == "AccumulatedDepreciation" else self.facts.cash_flow


def chart_of(company: Company) -> list[Account]:
    """The accounts a company opens its books with, parents before their children, ids from 1."""
    specs = BASE + (GOODS if company.sells_goods else ()) + (OTHER_INCOME if company.other_income else ())
    ids: dict[str, int] = {}
    accounts = []
    for number, spec in enumerate(specs, start=1):
        ids[spec.key] = number
        name = FRENCH.get(spec.key, spec.name) if company.language == "fr" else spec.name
        accounts.append(
            Account(
                id=number,
                key=spec.key,
                name=name,
                type=spec.type,
                subtype=spec.subtype,
                parent=ids[spec.parent] if spec.parent else 0,
                number=str(1000 + 10 * number) if company.account_numbers else "",
            )
        )
    return accounts
