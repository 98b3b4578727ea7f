"""Records as the accounting API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from orchestration.demo.books.documents import TRANSACTIONS, Books, Document, Line, Name, Stamp

NAME_LISTS = ("Account", "Customer", "Vendor", "Item")
SINGLETONS = ("CompanyInfo", "Preferences")
ENTITIES = NAME_LISTS + TRANSACTIONS + SINGLETONS
CURRENCY_NAMES = {"USD": "United States Dollar", "CAD": "Canadian Dollar", "GBP": "British Pound Sterling"}
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

Payload = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A record with what queries filter and order by. ``payload`` makes its JSON content when it is wanted."""

    entity: str
    id: int
    stamp: Stamp
    active: bool
    deleted: bool
    payload: Callable[[], Payload]


@lru_cache(maxsize=200_000)
def local(instant: int, zone: ZoneInfo) -> str:
    """Epoch seconds as ISO with the zone's offset, as all times of the API are."""
    return datetime.fromtimestamp(instant, UTC).astimezone(zone).isoformat()


def money(cents: int) -> Decimal:
    """Cents as the exact number of currency units that stands in the JSON."""
    return Decimal(cents).scaleb(-2)


class Payloads:
    """All records of one company, by entity, as API objects."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.company = books.company
        self.currency = {
            "value": self.company.currency,
            "name": CURRENCY_NAMES.get(self.company.currency, self.company.currency),
        }

    def rows(self, entity: str) -> Iterator[Row]:
        """Every record of an entity, inactive and deleted ones too, in no order that matters."""
        books = self.books
        if entity == "Account":
            for account in books.accounts.values():
                stamp = books.account_stamps[account.id]
                yield Row(entity, account.id, stamp, account.active, False, lambda a=account.id: self.account(a))
        elif entity in NAME_LISTS:
            shelf = {"Customer": books.customers, "Vendor": books.vendors, "Item": books.items}[entity]
            make = {"Customer": self.customer, "Vendor": self.vendor, "Item": self.item}[entity]
            for name in shelf.values():
                yield Row(entity, name.id, name.stamp, name.active, False, lambda n=name: make(n))
        elif entity in TRANSACTIONS:
            make = getattr(self, f"_{entity.lower()}")
            for document in books.documents.values():
                if document.kind == entity:
                    payload = lambda d=document: make(d)  # noqa: E731
                    yield Row(entity, document.id, document.stamp, True, document.deleted, payload)
        else:
            make = {"CompanyInfo": self.company_info, "Preferences": self.preferences}[entity]
            yield Row(entity, 1, books.settings, True, False, make)

    # Lists

    def account(self, number: int) -> Payload:
        books = self.books
        account = books.accounts[number]
        balance = books.running[number] if account.facts.statement == "bs" else 0
        family = sum(books.running[n] for n in self._family(number)) if account.facts.statement == "bs" else 0
        path = [account.name]
        parent = account.parent
        while parent:
            path.insert(0, books.accounts[parent].name)
            parent = books.accounts[parent].parent
        payload: Payload = {"Name": account.name, "SubAccount": bool(account.parent)}
        if account.parent:
            payload["ParentRef"] = {"value": str(account.parent)}
        payload |= {
            "FullyQualifiedName": ":".join(path),
            "Active": account.active,
            "Classification": account.facts.classification,
            "AccountType": account.type,
            "AccountSubType": account.subtype,
        }
        if account.number:
            payload["AcctNum"] = account.number
        payload |= {
            "CurrentBalance": money(balance),
            "CurrentBalanceWithSubAccounts": money(family),
            "CurrencyRef": self.currency,
        }
        return self._record(payload, number, books.account_stamps[number])

    def customer(self, name: Name) -> Payload:
        payload = {
            "Taxable": bool(self.company.sales_tax_bp),
            "Job": False,
            "BillWithParent": False,
            "Balance": money(name.balance),
            "BalanceWithJobs": money(name.balance),
            "CurrencyRef": self.currency,
            "PreferredDeliveryMethod": "Print",
            "FullyQualifiedName": name.name,
            "CompanyName": name.name,
            "DisplayName": name.name,
            "PrintOnCheckName": name.name,
            "Active": name.active,
        }
        return self._record(payload, name.id, name.stamp)

    def vendor(self, name: Name) -> Payload:
        payload = {
            "Balance": money(-name.balance),
            "Vendor1099": False,
            "CurrencyRef": self.currency,
            "CompanyName": name.name,
            "DisplayName": name.name,
            "PrintOnCheckName": name.name,
            "Active": name.active,
        }
        return self._record(payload, name.id, name.stamp)

    def item(self, name: Name) -> Payload:
        payload: Payload = {
            "Name": name.name,
            "Active": name.active,
            "FullyQualifiedName": name.name,
            "Taxable": bool(self.company.sales_tax_bp),
            "UnitPrice": money(name.price),
            "Type": "NonInventory" if name.expense_account else "Service",
            "IncomeAccountRef": self._account_ref(name.account, name.stamp),
        }
        if name.expense_account:
            payload["PurchaseCost"] = money(name.price * 55 // 100)
            payload["ExpenseAccountRef"] = self._account_ref(name.expense_account, name.stamp)
        payload["TrackQtyOnHand"] = False
        return self._record(payload, name.id, name.stamp)

    # Transactions

    def _invoice(self, document: Document) -> Payload:
        lines = []
        for number, line in enumerate(document.lines, start=1):
            if line.item:
                item = {"value": str(line.item), "name": line.description}
                detail: Payload = {"ItemRef": item, "UnitPrice": money(line.cents), "Qty": 1}
                detail["ItemAccountRef"] = self._account_ref(line.account, document.stamp)
                detail["TaxCodeRef"] = {"value": "TAX" if document.tax else "NON"}
                kind = "SalesItemLineDetail"
            else:
                kind = "DiscountLineDetail"
                detail = {
                    "PercentBased": False,
                    "DiscountAccountRef": self._account_ref(line.account, document.stamp),
                }
            # The API shows discounts as positive amounts: their kind says that they are taken off.
            cents = line.cents if line.item else -line.cents
            lines.append(self._line(number, line, kind, detail, cents))
        subtotal = sum(line.cents for line in document.lines if line.item)
        lines.append({"Amount": money(subtotal), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
        return self._transaction(
            document,
            {
                "AllowIPNPayment": False,
                "AllowOnlinePayment": False,
                "LinkedTxn": self._settlers(document),
                "Line": lines,
                "TxnTaxDetail": {"TotalTax": money(document.tax)},
                "CustomerRef": self._party(document),
                "DueDate": document.due.isoformat() if document.due else None,
                "TotalAmt": money(document.amount),
                "ApplyTaxAfterDiscount": False,
                "PrintStatus": "NeedToPrint",
                "EmailStatus": "NotSet",
                "Balance": money(self.books.open_amount(document)),
            },
        )

    def _payment(self, document: Document) -> Payload:
        return self._transaction(
            document,
            {
                "CustomerRef": self._party(document),
                "DepositToAccountRef": {"value": str(document.account)},
                "TotalAmt": money(document.amount),
                "UnappliedAmt": money(document.amount - sum(document.applied.values())),
                "ProcessPayment": False,
                "LinkedTxn": self._settlers(document),
                "Line": self._applied_lines(document, "Invoice"),
            },
        )

    def _bill(self, document: Document) -> Payload:
        return self._transaction(
            document,
            {
                "DueDate": document.due.isoformat() if document.due else None,
                "Balance": money(self.books.open_amount(document)),
                "LinkedTxn": self._settlers(document),
                "Line": self._expense_lines(document),
                "VendorRef": self._party(document),
                "APAccountRef": self._account_ref(self.books.key["ap"], document.stamp),
                "TotalAmt": money(document.amount),
            },
        )

    def _billpayment(self, document: Document) -> Payload:
        ref = self._account_ref(document.account, document.stamp)
        if document.method == "CreditCard":
            paid = {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": ref}}
        else:
            paid = {"PayType": "Check", "CheckPayment": {"BankAccountRef": ref, "PrintStatus": "NotSet"}}
        lines = self._applied_lines(document, "Bill")
        return self._transaction(
            document,
            {"VendorRef": self._party(document), **paid, "TotalAmt": money(document.amount), "Line": lines},
        )

    def _purchase(self, document: Document) -> Payload:
        return self._transaction(
            document,
            {
                "AccountRef": self._account_ref(document.account, document.stamp),
                "PaymentType": document.method,
                "EntityRef": {**self._party(document), "type": "Vendor"},
                "Credit": document.credit,
                "TotalAmt": money(document.amount),
                "Line": self._expense_lines(document),
            },
        )

    def _deposit(self, document: Document) -> Payload:
        lines = [
            {
                "Id": str(number),
                "LineNum": number,
                "Amount": money(cents),
                "LinkedTxn": [{"TxnId": str(payment), "TxnType": "Payment", "TxnLineId": "0"}],
                "DetailType": "DepositLineDetail",
                "DepositLineDetail": {},
            }
            for number, (payment, cents) in enumerate(document.applied.items(), start=1)
        ]
        for number, line in enumerate(document.lines, start=len(lines) + 1):
            detail = {"AccountRef": self._account_ref(line.account, document.stamp)}
            lines.append(self._line(number, line, "DepositLineDetail", detail, line.cents))
        account = self._account_ref(document.account, document.stamp)
        return self._transaction(
            document,
            {"DepositToAccountRef": account, "TotalAmt": money(document.amount), "Line": lines},
        )

    def _journalentry(self, document: Document) -> Payload:
        lines = []
        for number, line in enumerate(document.lines, start=1):
            side = "Debit" if line.cents >= 0 else "Credit"
            detail = {"PostingType": side, "AccountRef": self._account_ref(line.account, document.stamp)}
            lines.append(self._line(number, line, "JournalEntryLineDetail", detail, abs(line.cents)))
        return self._transaction(document, {"Adjustment": False, "Line": lines})

    # The company itself

    def company_info(self) -> Payload:
        company = self.company
        payload = {
            "CompanyName": company.name,
            "LegalName": company.name,
            "CompanyStartDate": company.books_start.isoformat(),
            "FiscalYearStartMonth": MONTHS[company.fiscal_year_start_month - 1],
            "Country": company.country,
            "SupportedLanguages": company.language,
            "DefaultTimeZone": company.timezone,
            "NameValue": [{"Name": "NeoEnabled", "Value": "true"}],
        }
        return self._record(payload, 1, self.books.settings)

    def preferences(self) -> Payload:
        company = self.company
        payload = {
            "AccountingInfoPrefs": {
                "UseAccountNumbers": company.account_numbers,
                "FirstMonthOfFiscalYear": MONTHS[company.fiscal_year_start_month - 1],
                "TaxYearMonth": "January",
                "TrackDepartments": False,
                "CustomerTerminology": "Customers",
            },
            "SalesFormsPrefs": {"AllowDeposit": True, "AllowDiscount": True, "AutoApplyCredit": True},
            "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": company.currency}},
            "ReportPrefs": {"ReportBasis": company.report_basis, "CalcAgingReportFromTxnDate": False},
            "TaxPrefs": {"UsingSalesTax": bool(company.sales_tax_bp)},
            "OtherPrefs": {"NameValue": [{"Name": "SalesFormsPrefs.DefaultCustomerMessage", "Value": "Thank you!"}]},
        }
        return self._record(payload, 1, self.books.settings)

    def deleted(self, row: Row) -> Payload:
        """What change capture shows of a record that is gone."""
        updated = {"LastUpdatedTime": local(row.stamp.updated, self.company.zone)}
        return {"domain": "QBO", "status": "Deleted", "Id": str(row.id), "MetaData": updated}

    # Parts

    def _record(self, payload: Payload, number: int, stamp: Stamp) -> Payload:
        zone = self.company.zone
        return {
            **payload,
            "domain": "QBO",
            "sparse": False,
            "Id": str(number),
            "SyncToken": str(stamp.token),
            "MetaData": {
                "CreateTime": local(stamp.created, zone),
                "LastUpdatedTime": local(stamp.updated, zone),
            },
        }

    def _transaction(self, document: Document, own: Payload) -> Payload:
        payload: Payload = {"DocNumber": document.number} if document.number else {}
        payload |= {"TxnDate": document.date.isoformat(), "CurrencyRef": self.currency}
        if document.note:
            payload["PrivateNote"] = document.note
        payload |= {key: value for key, value in own.items() if value is not None}
        return self._record(payload, document.id, document.stamp)

    def _line(self, number: int, line: Line, kind: str, detail: Payload, cents: int) -> Payload:
        shown: Payload = {"Id": str(number), "LineNum": number}
        if line.description:
            shown["Description"] = line.description
        return shown | {"Amount": money(cents), "DetailType": kind, kind: detail}

    def _expense_lines(self, document: Document) -> list[Payload]:
        kind = "AccountBasedExpenseLineDetail"
        return [
            self._line(
                number,
                line,
                kind,
                {
                    "AccountRef": self._account_ref(line.account, document.stamp),
                    "BillableStatus": "NotBillable",
                    "TaxCodeRef": {"value": "NON"},
                },
                line.cents,
            )
            for number, line in enumerate(document.lines, start=1)
        ]

    def _applied_lines(self, document: Document, kind: str) -> list[Payload]:
        return [
            {"Amount": money(cents), "LinkedTxn": [{"TxnId": str(target), "TxnType": kind}]}
            for target, cents in document.applied.items()
        ]

    def _settlers(self, document: Document) -> list[Payload]:
        settlers = [self.books.documents[number] for number in self.books.settled_by.get(document.id, ())]
        return [
            {"TxnId": str(d.id), "TxnType": "BillPaymentCheck" if d.kind == "BillPayment" else d.kind} for d in settlers
        ]

    def _account_ref(self, number: int, stamp: Stamp) -> Payload:
        return {"value": str(number), "name": self.books.account_name_at(number, stamp.updated)}

    def _party(self, document: Document) -> Payload:
        books = self.books
        party = books.customers.get(document.party) or books.vendors[document.party]
        return {"value": str(party.id), "name": party.name_at(document.stamp.updated)}

    def _family(self, number: int) -> list[int]:
        family = [number]
        for account in self.books.accounts.values():
            if account.parent in family:
                family.append(account.id)
        return family
