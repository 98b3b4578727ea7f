"""Landed QuickBooks reports for tests of the models: written by hand as the loader leaves them, one month each."""

from __future__ import annotations

import calendar
import json
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any

import psycopg

from orchestration.sources.quickbooks.streams import STREAMS
from orchestration.warehouse.landed_tables import ensure_tables, landed_table

NAMES = {"profit_and_loss": "ProfitAndLoss", "balance_sheet": "BalanceSheet", "cash_flow": "CashFlow"}


def cell(label: str, amount: str, account: str | None = None) -> list[dict[str, str]]:
    """A row's cells as landed: label and one month's amount."""
    first = {"value": label} if account is None else {"value": label, "id": account}
    return [first, {"value": amount}]


def line(label: str, amount: str, account: str | None = None, group: str | None = None) -> dict[str, Any]:
    """A plain line."""
    return {"ColData": cell(label, amount, account), "type": "Data"} | ({"group": group} if group else {})


def section(
    label: str,
    rows: Sequence[dict[str, Any]],
    total: str | None,
    *,
    group: str | None = None,
    own: str = "",
    account: str | None = None,
) -> dict[str, Any]:
    """A section: heading (with the parent account's own postings), lines below it, summary unless there is none."""
    parts: dict[str, Any] = {
        "Header": {"ColData": cell(label, own, account)},
        "Rows": {"Row": list(rows)},
        "type": "Section",
    }
    if total is not None:
        parts["Summary"] = {"ColData": cell(f"Total {label}", total)}
    return parts | ({"group": group} if group else {})


def summary(label: str, total: str, group: str) -> dict[str, Any]:
    """A section that is a summary alone, such as gross profit."""
    return {"Summary": {"ColData": cell(label, total)}, "type": "Section", "group": group}


def report(
    stream: str, rows: Sequence[dict[str, Any]], month: str, basis: str = "accrual", **more: Any
) -> tuple[str, dict[str, Any]]:
    """(record_id, payload) of one month ('2024-01'). ``more`` goes over the payload's own keys."""
    basis = "none" if stream == "cash_flow" else basis
    year, number = (int(part) for part in month.split("-"))
    payload = {
        "report": NAMES[stream],
        "basis": basis,
        "period_start": date(year, number, 1).isoformat(),
        "period_end": date(year, number, calendar.monthrange(year, number)[1]).isoformat(),
        "no_data": not rows,
        "Header": {"ReportName": NAMES[stream], "Currency": "USD"},
        "Rows": {"Row": list(rows)} if rows else {},
    }
    return f"{NAMES[stream]}|{basis}|{month}", payload | more


def total_report(
    stream: str, rows: Sequence[dict[str, Any]], first: str, last: str, basis: str = "accrual"
) -> tuple[str, dict[str, Any]]:
    """(record_id, payload) of the Total column over the months ``first`` to ``last``."""
    _, start = report(stream, rows, first, basis)
    record_id, end = report(stream, rows, last, basis)
    prefix = record_id.rpartition("|")[0]
    return f"{prefix}|{first}..{last}", end | {"period_start": start["period_start"], "is_total": True}


def prepare(connection: psycopg.Connection, organizations: int = 2) -> None:
    """Organizations 1..n connected to QuickBooks on accrual basis, and empty landed tables."""
    for number in range(1, organizations + 1):
        connection.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (%s, %s, %s, gen_random_uuid(), 'America/Chicago', 'USD')",
            [number, f"org_{number}", f"Organization {number}"],
        )
        connection.execute(
            "insert into ops.connections (org_id, source, settings) values (%s, 'quickbooks', %s)",
            [number, json.dumps({"accounting_method": "Accrual"})],
        )
    connection.commit()
    ensure_tables(connection, "quickbooks", STREAMS)


def land(
    connection: psycopg.Connection,
    org_id: int,
    stream: str,
    records: Mapping[str, Any] | Sequence[tuple[str, Any]],
    *,
    run_id: int = 1,
    deleted: bool = False,
) -> None:
    """Put records where the loader would; an unchanged one stays untouched, as there."""
    for record_id, payload in dict(records).items():
        text = json.dumps(payload, sort_keys=True)
        connection.execute(
            psycopg.sql.SQL(
                "insert into {table} as landed"
                " (org_id, record_id, payload, payload_hash, deleted_at, extracted_at, run_id)"
                " values (%s, %s, %s, %s, case when %s then now() end, now(), %s)"
                " on conflict (org_id, record_id) do update set payload = excluded.payload,"
                " payload_hash = excluded.payload_hash, deleted_at = excluded.deleted_at,"
                " extracted_at = excluded.extracted_at, run_id = excluded.run_id"
                " where (landed.payload_hash, landed.deleted_at is null)"
                " is distinct from (excluded.payload_hash, excluded.deleted_at is null)"
            ).format(table=landed_table("quickbooks", stream)),
            [org_id, record_id, text, blake2b(text.encode(), digest_size=16).digest(), deleted, run_id],
        )
    connection.commit()
