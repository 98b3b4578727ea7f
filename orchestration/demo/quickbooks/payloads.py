"""All records of a company by entity, and what there is one of: the company and its preferences."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestration.demo.books.documents import TRANSACTIONS, Books
from orchestration.demo.quickbooks.lists import ListRecords
from orchestration.demo.quickbooks.records import NAME_LISTS, Payload, Records, Row, local
from orchestration.demo.quickbooks.transactions import TransactionRecords

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Payloads(Records):
    """All records of one company, by entity, as API objects."""

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self.lists = ListRecords(books)
        self.transactions = TransactionRecords(books)

    def rows(self, entity: str) -> Iterator[Row]:
        """Every record of an entity, inactive and deleted ones too, in no order that matters."""
        books, lists = self.books, self.lists
        if entity == "Account":
            for account in books.accounts.values():
                stamp = books.account_stamps[account.id]
                yield Row(entity, account.id, stamp, account.active, False, partial(lists.account, account.id))
        elif entity in NAME_LISTS:
            shelf = {"Customer": books.customers, "Vendor": books.vendors, "Item": books.items}[entity]
            make = {"Customer": lists.customer, "Vendor": lists.vendor, "Item": lists.item}[entity]
            for name in shelf.values():
                yield Row(entity, name.id, name.stamp, name.active, False, partial(make, name))
        elif entity in TRANSACTIONS:
            for document in books.documents.values():
                if document.kind == entity:
                    payload = partial(self.transactions.payload, document)
                    yield Row(entity, document.id, document.stamp, True, document.deleted, payload)
        else:
            whole = {"CompanyInfo": self.company_info, "Preferences": self.preferences}[entity]
            yield Row(entity, 1, books.settings, True, False, whole)

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
        return self.record(payload, 1, self.books.settings)

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
        return self.record(payload, 1, self.books.settings)

    def deleted(self, row: Row) -> Payload:
        """What change capture shows of a record that is gone."""
        updated = {"LastUpdatedTime": local(row.stamp.updated, self.company.zone)}
        return {"domain": "QBO", "status": "Deleted", "Id": str(row.id), "MetaData": updated}
