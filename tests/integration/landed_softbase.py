"""Landed Softbase rows for tests of the models: written by hand as the loader leaves them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from orchestration.sources import SOURCES
from orchestration.warehouse.landed_tables import ensure_tables, landed_table

Row = dict[str, Any]

KEYS = {
    "invoice_reg": ("InvoiceNo",),
    "wo": ("WONo",),
    "wo_rental": ("Id",),
    "equipment": ("SerialNo",),
    "rental_history": ("SerialNo", "Year", "Month"),
    "gl": ("AccountNo", "AccountField", "Year", "Month"),
    "gl_detail": ("Id",),
    "chart_of_accounts": ("AccountNo",),
    "dept": ("Branch", "Dept"),
    "branch": ("Number",),
    "sale_codes": ("Branch", "Dept", "Code"),
    "customer": ("Number",),
    "depreciation": ("SerialNo",),
}
STREAMS = tuple(KEYS)
CHARGES = {"parts": "Parts", "labor": "Labor", "misc": "Misc", "rental": "Rental", "equipment": "Equipment"}


def invoice(number: int, day: str | None, code: str | None = "SVE", **more: Any) -> Row:
    """An invoice with these columns, and 100.00 of untaxed labour unless ``more`` says otherwise."""
    row = {"InvoiceNo": number, "SaleBranch": 1, "SaleDept": 40, "SaleCode": code, "Customer": 1, "BillTo": "10001"}
    row |= {"InvoiceDate": day and f"{day}T00:00:00", "LaborNonTax": 100.0000, "TotalTax": 6.8800}
    row |= {"GrandTotal": 106.8800, "IsDeleted": False, "DeletionTime": None}
    return row | more


def order(number: int, opened: str | None, closed: str | None = None, kind: str = "S", **more: Any) -> Row:
    """A work order; days or whole local times."""
    row = {"WONo": number, "Disposition": 1, "Type": kind, "BillTo": "10001", "OpenDate": _local(opened)}
    return row | {"ClosedDate": _local(closed), "CompletedDate": _local(closed), "IsDeleted": False} | more


def rental_line(number: int, order_number: int, serial: str | None, **more: Any) -> Row:
    """A unit on a rental order."""
    return {"Id": number, "WONo": order_number, "SerialNo": serial, "DayRent": 75.0000, "DeletionTime": None} | more


def unit(serial: str, group: str | None = "Forklift", status: str | None = "Ready To Rent", **more: Any) -> Row:
    """A machine in department 60."""
    row = {"SerialNo": serial, "ModelGroup": group, "Model": "H25", "Make": "Linde", "UnitNo": f"U-{serial}"}
    row |= {"Customer": False, "InventoryBranch": 1, "InventoryDept": 60, "RentalStatus": status}
    return row | {"DealerSaleDate": None, "IsDeleted": False} | more


def balance(account: str, month: tuple[int, int], ytd: Any, mtd: Any, field: str = "Actual", **more: Any) -> Row:
    """A balance of the ledger."""
    year, number = month
    return {"AccountNo": account, "AccountField": field, "Year": year, "Month": number, "YTD": ytd, "MTD": mtd} | more


def account(number: str, section: str | None = None, **flags: bool) -> Row:
    """An account of the chart; ``flags``: cash, receivable, payable."""
    row: Row = {"AccountNo": number, "Description": f"Account {number}", "Type": None, "Section": section}
    names = {"cash": "CashAccount", "receivable": "AccountsRecievable", "payable": "AccountsPayable"}
    return row | {column: flags.get(name, False) for name, column in names.items()}


def _local(moment: str | None) -> str | None:
    return moment if moment is None or "T" in moment else f"{moment}T08:00:00"


def prepare(connection: psycopg.Connection, organizations: Iterable[Mapping[str, Any]] = ({}, {})) -> None:
    """Organizations 1..n in Chicago, connected to Softbase, and empty landed tables. Each mapping overrides columns."""
    ensure_tables(connection, "softbase", SOURCES["softbase"].streams)
    for number, more in enumerate(organizations, start=1):
        values = {"slug": f"org_{number}", "timezone": "America/Chicago", "fiscal_year_start_month": 1} | dict(more)
        connection.execute(
            "insert into ops.organizations"
            " (id, slug, name, organization_id, timezone, currency, fiscal_year_start_month)"
            " values (%s, %s, %s, gen_random_uuid(), %s, 'USD', %s)",
            [number, values["slug"], values["slug"], values["timezone"], values["fiscal_year_start_month"]],
        )
        connection.execute(
            "insert into ops.connections (org_id, source, settings) values (%s, 'softbase', '{}')", [number]
        )


class Landing:
    """Loads rows one after the other, each in a run of its own, as the loader does."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.run = 0

    def land(self, org_id: int, stream: str, *rows: Any, deleted: bool = False) -> None:
        """Put rows where the loader would; one that did not change stays untouched, as there."""
        self.run += 1
        for row in rows:
            text = json.dumps(row, sort_keys=True)
            self.connection.execute(
                sql.SQL(
                    "insert into {table} as landed"
                    " (org_id, record_id, payload, payload_hash, deleted_at, extracted_at, run_id)"
                    " values (%s, %s, %s, %s, case when %s then now() end, now(), %s)"
                    " on conflict (org_id, record_id) do update set payload = excluded.payload,"
                    " payload_hash = excluded.payload_hash, deleted_at = excluded.deleted_at,"
                    " extracted_at = excluded.extracted_at, run_id = excluded.run_id"
                    " where (landed.payload_hash, landed.deleted_at is null)"
                    " is distinct from (excluded.payload_hash, excluded.deleted_at is null)"
                ).format(table=landed_table("softbase", stream)),
                [org_id, key_of(stream, row), text, blake2b(text.encode(), digest_size=16).digest(), deleted, self.run],
            )

    def was_read(self, org_id: int, at: str, *streams: str) -> None:
        """Watermarks of streams (all unless named) read at an instant of the server's clock."""
        for stream in streams or STREAMS:
            self.connection.execute(
                "insert into ops.watermarks (org_id, source, stream, run_id, state, last_success_at)"
                " values (%s, 'softbase', %s, 0, %s, now())"
                " on conflict (org_id, source, stream) do update set state = excluded.state",
                [org_id, stream, Jsonb({"read_at": at})],
            )


def key_of(stream: str, row: Any) -> str:
    """The record's key, as extraction makes it; of what is no row of the stream, the text itself."""
    if not isinstance(row, dict) or not all(name in row for name in KEYS[stream]):
        return json.dumps(row)
    values = [row[name] for name in KEYS[stream]]
    return str(values[0]) if len(values) == 1 else json.dumps(values)
