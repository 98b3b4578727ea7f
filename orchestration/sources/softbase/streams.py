"""What is read from Softbase, as data: views, and of each the columns that may be read.

No name, address, remark or payment card of a person is among them. Column names are those of the vendor's tables, its
spellings kept; what a tenant's view lacks is left out where it is optional.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.sources.core.records import Stream
from orchestration.sources.core.sql_tables import Table

CREATED, MODIFIED, GONE, GONE_AT = "CreationTime", "LastModificationTime", "IsDeleted", "DeletionTime"
AUDIT = (CREATED, MODIFIED, GONE, GONE_AT)
_CATEGORIES = ("Parts", "Labor", "Misc", "Rental", "Equipment")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True)
class ViewStream(Stream):
    """One view of a tenant.

    key
        Columns that name a row. Where one of them is optional and missing, rows have no key.
    dates
        Business dates: a row with a recent one of them is read every night, whatever its audit columns say.
    closing
        The date whose absence means that the row is still open: such rows are read every night.
    begins
        The date that the connection's ``start_date`` is compared with; rows without it are read.
    may_lack
        Whether a tenant may be without the view: no mart is made of it.
    """

    view: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    closing: str = ""
    begins: str = ""
    may_lack: bool = False

    @property
    def table(self) -> Table:
        """Every column that may be read; the key where it is there for certain."""
        key = self.key if set(self.key) <= set(self.required) else ()
        return Table(self.view, self.required, self.optional, key)


STREAMS: tuple[ViewStream, ...] = (
    ViewStream(
        "branch",
        "Branches",
        "Branch",
        required=("Number",),
        optional=("Name", *AUDIT),
        key=("Number",),
        may_lack=True,
    ),
    ViewStream(
        "dept",
        "Departments of the branches",
        "Dept",
        required=("Branch", "Dept", "Title"),
        optional=("SaleGroup", *AUDIT),
        key=("Branch", "Dept"),
    ),
    ViewStream(
        "sale_codes",
        "Codes that departments sell under",
        "SaleCodes",
        required=("Branch", "Dept", "Code"),
        optional=("Description", *AUDIT),
        key=("Branch", "Dept", "Code"),
        may_lack=True,
    ),
    ViewStream(
        "customer",
        "Customers: number, name, state and terms, and nothing else of them",
        "Customer",
        required=("Number",),
        optional=("Name", "State", "Terms"),
        key=("Number",),
        may_lack=True,
    ),
    ViewStream(
        "invoice_reg",
        "The invoice register, credits among it",
        "InvoiceReg",
        required=(
            *_names("InvoiceNo SaleCode InvoiceDate"),
            *(f"{category}{kind}" for kind in ("Taxable", "NonTax") for category in _CATEGORIES),
        ),
        optional=(
            *_names(
                "SaleBranch SaleDept ExpBranch ExpDept ExpCode Customer BillTo ShipTo ControlNo SerialNo "
                "HourMeter OpenDate ClosedDate RecvAccount"
            ),
            *(f"{category}Cost" for category in _CATEGORIES),
            *_names(
                "TaxRate TotalTax GrandTotal StateTax CountyTax CityTax LocalTax CurrencyType "
                "ConversionRate ConvertedGrandTotal"
            ),
            *AUDIT,
        ),
        key=("InvoiceNo",),
        dates=("InvoiceDate", "ClosedDate", "OpenDate"),
        begins="InvoiceDate",
    ),
    ViewStream(
        "wo",
        "Work orders, and quotes among them",
        "WO",
        required=("WONo", "Disposition", "Type", "BillTo", "OpenDate", "ClosedDate"),
        optional=(
            *_names(
                "SaleBranch SaleDept SaleCode ShipTo ControlNo SerialNo UnitNo Make Model RentalPeriod "
                "RentalStart RentalEnd RentalContractNo ChangedDate CompletedDate InvoiceDate "
                "CustomerSale CreditFlag CreditAmount CreditDate AssociatedWONo ScheduleDate "
                "LaborDiscount"
            ),
            *AUDIT,
        ),
        key=("WONo",),
        dates=("OpenDate", "ChangedDate", "CompletedDate", "ClosedDate", "InvoiceDate"),
        closing="ClosedDate",
        begins="ClosedDate",
    ),
    ViewStream(
        "wo_rental",
        "Units on rental orders",
        "WORental",
        required=("WONo", "SerialNo"),
        optional=(
            *_names(
                "Id UnitNo Make Model Sell Cost SaleBranch SaleDept SaleCode DayRent WeekRent "
                "FourWeekRent MonthRent QuarterRent PeriodsBilled SwapOutStatus SwapStartDate SwapEndDate"
            ),
            *AUDIT,
        ),
        key=("Id",),
    ),
    ViewStream(
        "equipment",
        "Machines: the fleet, stock, and those of customers",
        "Equipment",
        required=("SerialNo", "Customer", "InventoryBranch", "InventoryDept", "RentalStatus"),
        optional=(
            *_names(
                "Make Model ModelGroup ModelYear UnitNo Location CustomerNo ControlNo Cost Sell Retail "
                "DayRent WeekRent FourWeekRent MonthRent RentalYTD RentalITD WebRentalFlag DealerSaleDate "
                "CreatedDate UpdateDate"
            ),
            *AUDIT,
        ),
        key=("SerialNo",),
    ),
    ViewStream(
        "rental_history",
        "Days on rent and amounts billed, by unit and month",
        "RentalHistory",
        required=("SerialNo", "Year", "Month", "RentAmount"),
        optional=("DaysRented", *AUDIT),
        key=("SerialNo", "Year", "Month"),
    ),
    ViewStream(
        "depreciation",
        "Book values of units",
        "Depreciation",
        required=("SerialNo",),
        optional=("StartingValue", "NetBookValue", "Inactive", *AUDIT),
        key=("SerialNo",),
        may_lack=True,
    ),
    ViewStream(
        "chart_of_accounts",
        "Accounts of the general ledger",
        "ChartOfAccounts",
        required=("AccountNo",),
        optional=(
            *_names(
                "Description Type CashAccount AccountsRecievable AccountsPayable ReportType Department "
                "Section SectionGroup Inactive"
            ),
            *AUDIT,
        ),
        key=("AccountNo",),
    ),
    ViewStream(
        "gl",
        "Balances and movements of the general ledger, budgets among them",
        "GL",
        required=("AccountNo", "AccountField", "Year", "Month", "YTD", "MTD"),
        optional=(
            *_names("LastTransAmount LastTransDate LastEffectiveDate NumberOfTrans LastTransJournal"),
            *AUDIT,
        ),
        key=("AccountNo", "AccountField", "Year", "Month"),
    ),
    ViewStream(
        "gl_detail",
        "Postings of the general ledger",
        "GLDetail",
        required=("AccountNo", "EffectiveDate", "Amount"),
        optional=(
            *_names(
                "Id Journal ControlNo AccountField Source InvoiceNo APInvoiceNo CustomerNo VendorNo "
                "PostedDate Posted HistoryDate HistoryFlag"
            ),
            *AUDIT,
        ),
        key=("Id",),
        dates=("PostedDate", "EffectiveDate"),
        begins="EffectiveDate",
        may_lack=True,
    ),
)
