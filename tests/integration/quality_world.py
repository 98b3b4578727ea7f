"""Organizations with landed QuickBooks rows, put there by the loader, and checks of their quality."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from landed_reports import line, prepare, report, section, summary

from orchestration.quality.check import QualityReport, check
from orchestration.sources.core.records import Extract, Record
from orchestration.warehouse import database
from orchestration.warehouse.loader import load

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
# What no page, result or message may show.
CANARY = "Canaria Zwetschgenbaum"


def profit_and_loss(income: str = "100.00", net: str = "60.00") -> list[dict[str, Any]]:
    return [
        section("Income", [line("Sales", income, "1")], income, group="Income"),
        section("Expenses", [line("Rent", "40.00", "2")], "40.00", group="Expenses"),
        summary("Net Income", net, "NetIncome"),
    ]


def balance_sheet(assets: str = "1,000.00", equity: str = "700.00") -> list[dict[str, Any]]:
    return [
        section("Assets", [line("Bank", assets, "3")], assets, group="TotalAssets"),
        section(
            "Both",
            [
                section("Owed", [line("Loan", "300.00", "4")], "300.00", group="Liabilities"),
                section("Own", [line("Capital", equity, "5")], equity, group="Equity"),
            ],
            "1000.00",
            group="TotalLiabilitiesAndEquity",
        ),
    ]


def invoice(number: int, **fields: Any) -> tuple[str, dict[str, Any]]:
    payload = {
        "Id": str(number),
        "TxnDate": "2025-03-01",
        "DueDate": "2025-03-31",
        "TotalAmt": 120,
        "Balance": 20,
        "CustomerRef": {"value": "7", "name": CANARY},
        "MetaData": {"LastUpdatedTime": "2025-03-01T00:00:00Z"},
    }
    return str(number), payload | fields


class QualityWorld:
    """``connection`` is the builder's, in autocommit."""

    def __init__(self, organizations: int = 3) -> None:
        self.connection: psycopg.Connection = database.connect(autocommit=True)
        prepare(self.connection, organizations)

    def land(
        self,
        org_id: int,
        stream: str,
        records: Iterable[tuple[str, Mapping[str, Any]]],
        *,
        gone: Sequence[str] = (),
        archived: Iterable[tuple[str, Mapping[str, Any] | None]] = (),
        source: str = "quickbooks",
    ) -> None:
        """One load, as a night's. ``gone`` is not there any more; ``archived`` is what the source names as deleted."""
        changes = [Record(key, payload, NOON) for key, payload in records]
        changes += [Record(key, payload, NOON, deleted=True) for key, payload in archived]
        kept = self._live(org_id, source, stream, gone) if gone else []
        load(
            self.connection,
            org_id=org_id,
            source=source,
            stream=stream,
            extract=Extract([*kept, *changes], "full" if gone else "incremental"),
            batch_id=uuid.uuid4(),
            allow_deletes=True,
        )

    def _live(self, org_id: int, source: str, stream: str, but: Sequence[str]) -> list[Record]:
        rows = self.query(
            f"select record_id, payload from staging_{source}.{stream}"
            " where org_id = %s and deleted_at is null and record_id <> all(%s)",
            org_id,
            list(but),
        )
        return [Record(key, payload, NOON) for key, payload in rows]

    def land_reports(self, org_id: int, months: Sequence[str] = ("2025-01", "2025-02"), **net: str) -> None:
        self.land(org_id, "profit_and_loss", [report("profit_and_loss", profit_and_loss(**net), m) for m in months])
        self.land(org_id, "balance_sheet", [report("balance_sheet", balance_sheet(), month) for month in months])

    def check(self, *, document: bool = False, source: str = "quickbooks") -> QualityReport:
        return check(source, document=document)

    def query(self, statement: str, *parameters: Any) -> list[tuple]:
        return self.connection.execute(statement, parameters).fetchall()
