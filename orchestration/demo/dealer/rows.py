"""A dealership's records as rows of Softbase's views: values by column name, money as Decimal, times naive."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time
from typing import Any

from orchestration.demo.dealer import gl
from orchestration.demo.dealer.chart import ACCOUNTS
from orchestration.demo.dealer.documents import CATEGORIES, Invoice, Kept, Machine, Order, RentalLine
from orchestration.demo.dealer.life import Life
from orchestration.demo.dealer.rows_of_books import account_row, money, postings

Row = dict[str, Any]
BRANCHES = {1: "Main", 2: "North"}


def rows_of(life: Life, today: date) -> dict[str, list[Row]]:
    """All rows by view, deleted ones among them; every column any tenant has. ``today`` ends the ledger."""
    records = life.records
    billed = _billed(life)
    lines = [line for order in records.orders.values() for line in order.lines]
    return {
        "InvoiceReg": [_invoice(life, invoice) for invoice in records.invoices.values()],
        "WO": [_order(life, order) for order in records.orders.values()],
        "WORental": [_line(life, line) for line in lines],
        "Equipment": [_machine(life, machine, billed) for machine in records.machines.values()],
        "RentalHistory": [
            {"SerialNo": serial, "Year": year, "Month": month, "DaysRented": days, "RentAmount": money(cents)}
            for (serial, year, month), (days, cents) in records.history.items()
        ],
        "GL": list(gl.ledger_rows(life.dealership, records, today)),
        "GLDetail": list(postings(life)),
        "ChartOfAccounts": [account_row(account.key) for account in ACCOUNTS],
        "Dept": [
            {"Branch": branch, "Dept": dept, "Title": _title(branch, title), "SaleGroup": title.split()[-1]}
            for branch in BRANCHES
            for dept, title in life.departments.titles.items()
        ],
        "Branch": [{"Number": number, "Name": name} for number, name in BRANCHES.items()],
        "SaleCodes": [
            {"Branch": branch, "Dept": code.dept, "Code": code.code, "Description": f"{code.code} sales"}
            for branch in BRANCHES
            for code in life.departments.all_codes
        ],
        "Customer": [
            {
                "Number": customer.number,
                "Name": customer.name,
                "State": customer.state or None,
                "Terms": "Net 30",
                "Address": f"{customer.number} Industrial Drive",
                "Phone": "612-555-0100",
                "EMail": f"ap{customer.number}@example.com",
                "CreditCardNo": "4111111111111111",
                "CreditCardExp": "12/29",
                "CreditCardName": customer.name,
                "CreditCardCVV": "737",
            }
            for customer in records.customers.values()
        ],
        "Depreciation": [
            {
                "SerialNo": machine.serial,
                "StartingValue": money(machine.cost),
                "NetBookValue": money(machine.cost - machine.written_off),
                "Inactive": machine.sold is not None,
            }
            for machine in records.machines.values()
            if machine.place in ("rental", "sold_fleet")
        ],
    }


def _kept(record: Kept) -> Row:
    return {
        "CreationTime": record.created,
        "LastModificationTime": record.modified,
        "IsDeleted": record.deleted is not None,
        "DeletionTime": record.deleted,
    }


def _branch(number: int) -> int:
    return 1 + number % 2


def _title(branch: int, title: str) -> str:
    return title if branch == 1 else f"{title} - {BRANCHES[branch]}"


def _invoice(life: Life, invoice: Invoice) -> Row:
    row: Row = {
        "InvoiceNo": invoice.number,
        "SaleBranch": _branch(invoice.number),
        "SaleDept": invoice.dept,
        "SaleCode": invoice.code,
        # A flag, not the customer.
        "Customer": 1,
        "BillTo": invoice.customer,
        "BillToName": life.records.customers[invoice.customer].name,
        "BillToZipCode": "55401",
        "ShipTo": invoice.customer,
        "SerialNo": invoice.serial or None,
        "OpenDate": invoice.opened,
        "ClosedDate": invoice.closed,
        "InvoiceDate": invoice.date,
        "TotalTax": money(invoice.tax),
        "GrandTotal": money(invoice.revenue + invoice.tax),
        "CurrencyType": "USD",
        "Comments": "",
    }
    for category in CATEGORIES:
        cost, taxable, untaxed = invoice.amounts.get(category, (0, 0, 0))
        row |= {
            f"{category}Cost": money(cost),
            f"{category}Taxable": money(taxable),
            f"{category}NonTax": money(untaxed) if untaxed else None,
        }
    return row | _kept(invoice)


def _order(life: Life, order: Order) -> Row:
    invoice = life.records.invoices.get(order.number)
    machine = life.records.machines.get(order.serial)
    ends = datetime.combine(order.rental_end, time()) if order.rental_end else None
    return {
        "WONo": order.number,
        "Disposition": order.disposition,
        "SaleBranch": _branch(order.number),
        "SaleDept": order.dept,
        "SaleCode": order.code,
        "Type": order.kind,
        "BillTo": order.customer,
        "ShipTo": order.customer,
        "ShipName": life.records.customers[order.customer].name,
        "SerialNo": order.serial or None,
        "UnitNo": machine.unit if machine else None,
        "Make": machine.make if machine else None,
        "Model": machine.model if machine else None,
        "Comments": "call before delivery",
        "RentalStart": order.opened if order.kind == "R" else None,
        "RentalEnd": ends,
        "RentalContractNo": order.contract or None,
        "OpenDate": order.opened,
        "ChangedDate": order.modified,
        "CompletedDate": order.completed,
        "ClosedDate": order.closed,
        "InvoiceDate": invoice.date if invoice and invoice.lives else None,
        "CustomerSale": -1,
        "CreditFlag": -1 if order.credit_of else 0,
        "AssociatedWONo": order.credit_of or None,
        **_kept(order),
    }


def _line(life: Life, line: RentalLine) -> Row:
    machine = life.records.machines.get(line.serial)
    return {
        "Id": line.id,
        "WONo": line.order,
        "SerialNo": line.serial,
        "UnitNo": machine.unit if machine else None,
        "Make": machine.make if machine else None,
        "Model": machine.model if machine else None,
        "SaleCode": None,
        "Sell": money(line.day_rent * 28),
        "Cost": money(0),
        **_rents(line.day_rent),
        "PeriodsBilled": 0,
        "SwapOutStatus": "Out" if line.ended else None,
        "SwapStartDate": line.started,
        "SwapEndDate": line.ended,
        "DeletionTime": line.deleted,
    }


def _billed(life: Life) -> Counter[tuple[str, int]]:
    """Cents by unit and the year its fiscal year began in; under year 0 all of them."""
    billed: Counter[tuple[str, int]] = Counter()
    for (serial, year, month), (_, cents) in life.records.history.items():
        billed[serial, life.dealership.fiscal_start(date(year, month, 1)).year] += cents
        billed[serial, 0] += cents
    return billed


def _machine(life: Life, machine: Machine, billed: Counter[tuple[str, int]]) -> Row:
    departments = life.departments
    number = int(machine.unit[1:])
    dept = {"new": departments.new, "sold_stock": departments.new, "used": departments.used, "customer": None}
    return {
        "SerialNo": machine.serial,
        "Make": machine.make,
        "Model": machine.model,
        "ModelGroup": machine.group,
        "UnitNo": machine.unit,
        "Location": "Yard",
        "CustomerNo": machine.customer or None,
        "Customer": machine.owned,
        "InventoryBranch": _branch(number),
        "InventoryDept": dept.get(machine.place, departments.rental),
        "Cost": money(machine.cost),
        "Sell": money(machine.cost * 12 // 10),
        **_rents(machine.day_rent),
        "RentalStatus": machine.status or None,
        "RentalYTD": money(billed.get((machine.serial, life.dealership.fiscal_start(life.today).year), 0)),
        "RentalITD": money(billed.get((machine.serial, 0), 0)),
        "ModelYear": "2021",
        "DealerSaleDate": machine.sold,
        "CreatedDate": machine.created,
        "UpdateDate": machine.modified,
        **_kept(machine),
    }


def _rents(day: int) -> Row:
    return {
        "DayRent": money(day),
        "WeekRent": money(day * 4),
        "FourWeekRent": money(day * 12),
        "MonthRent": money(day * 13),
    }
