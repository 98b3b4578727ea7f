"""The views a dealership sees its Softbase through: names, columns and their types, and what varies between tenants."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.demo.dealer.dealership import CARD_COLUMNS, Dealership

AUDIT = {"CreationTime": "datetime", "LastModificationTime": "datetime", "IsDeleted": "bit", "DeletionTime": "datetime"}
# SQL Server's types as Postgres has them.
POSTGRES_TYPES = {
    "int": "integer",
    "smallint": "smallint",
    "bigint": "bigint",
    "nvarchar": "text",
    "decimal": "numeric(19,4)",
    "datetime": "timestamp(3)",
    "bit": "boolean",
}


@dataclass(frozen=True)
class View:
    """``columns``: name -> SQL Server's type, the key's first."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)


def _columns(**named: str) -> dict[str, str]:
    return {name: kind for kind, names in named.items() for name in names.split()}


def _money(*suffixes: str) -> str:
    return " ".join(
        f"{kind}{suffix}" for suffix in suffixes for kind in ("Parts", "Labor", "Misc", "Rental", "Equipment")
    )


_VIEWS = (
    View(
        "InvoiceReg",
        ("InvoiceNo",),
        _columns(
            int="InvoiceNo",
            smallint="SaleBranch SaleDept Customer",
            nvarchar="SaleCode BillTo BillToName BillToZipCode ShipTo ControlNo SerialNo PONo CurrencyType Comments",
            datetime="OpenDate ClosedDate InvoiceDate",
            decimal=f"{_money('Cost', 'Taxable', 'NonTax')} TotalTax GrandTotal",
        )
        | AUDIT,
    ),
    View(
        "WO",
        ("WONo",),
        _columns(
            int="WONo RentalContractNo AssociatedWONo",
            smallint="Disposition SaleBranch SaleDept CreditFlag CustomerSale",
            nvarchar="SaleCode Type BillTo ShipTo ShipName Salesman Technician SerialNo UnitNo Make Model Comments",
            datetime="RentalStart RentalEnd OpenDate ChangedDate CompletedDate ClosedDate InvoiceDate",
        )
        | AUDIT,
    ),
    View(
        "WORental",
        ("Id",),
        _columns(
            bigint="Id",
            int="WONo",
            smallint="PeriodsBilled",
            nvarchar="SerialNo UnitNo Make Model SaleCode SwapOutStatus",
            decimal="Sell Cost DayRent WeekRent FourWeekRent MonthRent",
            datetime="SwapStartDate SwapEndDate DeletionTime",
        ),
    ),
    View(
        "Equipment",
        ("SerialNo",),
        _columns(
            nvarchar="SerialNo Make Model ModelGroup UnitNo Location CustomerNo RentalStatus ModelYear",
            bit="Customer",
            smallint="InventoryBranch InventoryDept",
            decimal="Cost Sell DayRent WeekRent FourWeekRent MonthRent RentalYTD RentalITD",
            datetime="DealerSaleDate CreatedDate UpdateDate",
        )
        | {name: kind for name, kind in AUDIT.items() if name != "CreationTime"},
    ),
    View(
        "RentalHistory",
        ("SerialNo", "Year", "Month"),
        _columns(nvarchar="SerialNo", smallint="Year Month", int="DaysRented", decimal="RentAmount"),
    ),
    View(
        "GL",
        ("AccountNo", "AccountField", "Year", "Month"),
        _columns(
            nvarchar="AccountNo AccountField LastTransJournal",
            smallint="Year Month",
            decimal="YTD MTD LastTransAmount",
            datetime="LastTransDate LastEffectiveDate",
            int="NumberOfTrans",
        ),
    ),
    View(
        "GLDetail",
        ("Id",),
        _columns(
            bigint="Id",
            nvarchar="Journal AccountNo ControlNo Description AccountField Source CustomerNo",
            int="InvoiceNo",
            datetime="EffectiveDate PostedDate",
            decimal="Amount",
            bit="HistoryFlag",
        ),
    ),
    View(
        "ChartOfAccounts",
        ("AccountNo",),
        _columns(
            nvarchar="AccountNo Description Type Section SectionGroup",
            bit="CashAccount AccountsRecievable AccountsPayable Inactive",
        ),
    ),
    View("Dept", ("Branch", "Dept"), _columns(smallint="Branch Dept", nvarchar="Title SaleGroup")),
    View("Branch", ("Number",), _columns(smallint="Number", nvarchar="Name")),
    View("SaleCodes", ("Branch", "Dept", "Code"), _columns(smallint="Branch Dept", nvarchar="Code Description")),
    View(
        "Customer",
        ("Number",),
        _columns(
            nvarchar=" ".join(("Number Name State Terms Address Phone EMail Salesman1", *CARD_COLUMNS)),
        ),
    ),
    View(
        "Depreciation",
        ("SerialNo",),
        _columns(nvarchar="SerialNo", decimal="StartingValue NetBookValue", bit="Inactive"),
    ),
)


def views_of(dealership: Dealership) -> tuple[View, ...]:
    """A dealership's views. One without audit columns also lacks what newer versions brought, and depreciation."""
    if dealership.audited:
        return _VIEWS
    newer = {
        *AUDIT,
        "Id",
        "LastTransAmount",
        "LastTransJournal",
        "NumberOfTrans",
        "ControlNo",
        "UpdateDate",
        "ModelYear",
    }
    lacking = {"GLDetail": newer, "WORental": newer - {"Id"}}
    return tuple(
        View(
            view.name,
            () if view.name == "GLDetail" else view.key,
            {name: kind for name, kind in view.columns.items() if name not in lacking.get(view.name, newer)},
        )
        for view in _VIEWS
        if view.name != "Depreciation"
    )
