"""Nights of a dealership in which everything moves: days of sales are those of counting everything again, in Python."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from dbt_runs import Dbt, warehouse
from landed_softbase import Landing, Row, invoice, order, prepare

ORG, OTHER = 1, 2
FIRST = date(2026, 2, 1)
CODES = {"SVE": "service", "PARTS": "parts", "RENTAL": "rental", "NEWEQ": "sales", "OWN": None}
DEPARTMENTS = ("service", "parts", "rental", "sales")
SUMMED = ("int_softbase__invoice_days", "int_softbase__order_days", "mart_sales_daily")
MODELS = (
    "int_softbase__invoice_register",
    "int_softbase__work_orders",
    "int_softbase__invoices",
    "int_softbase__document_reads",
    *SUMMED,
)


@dataclass
class Books:
    """What a dealership holds now, by number."""

    invoices: dict[int, Row]
    orders: dict[int, Row]
    dice: random.Random

    def night(self, landing: Landing, today: date) -> None:
        """Things happen, and land: new, moved, recoded, deleted, restored, closed, opened again, quotes after all."""
        touched: dict[str, dict[int, Row]] = {"invoice_reg": {}, "wo": {}}
        for _ in range(self.dice.randint(0, 6)):
            number = 100 + len(self.orders)
            day = today - timedelta(days=self.dice.randint(0, 12))
            closed = self.dice.choice([None, (day + timedelta(days=self.dice.randint(-1, 3))).isoformat()])
            self.orders[number] = order(number, day.isoformat(), closed, Disposition=self.dice.choice([1, 1, 1, 11]))
            touched["wo"][number] = self.orders[number]
            if self.dice.random() < 0.7:
                amount = self.dice.randint(-500, 5000) / 4
                code = self.dice.choice(list(CODES))
                self.invoices[number] = invoice(number, day.isoformat(), code, SaleDept=90, LaborNonTax=amount)
                touched["invoice_reg"][number] = self.invoices[number]
        for number in self.dice.sample(sorted(self.invoices), min(4, len(self.invoices))):
            self.invoices[number] = self.invoices[number] | self.dice.choice(
                [
                    {"InvoiceDate": f"{today - timedelta(days=self.dice.randint(-2, 12))}T23:30:00"},
                    {"InvoiceDate": None},
                    {"SaleCode": self.dice.choice(list(CODES))},
                    {"IsDeleted": not self.invoices[number]["IsDeleted"]},
                    {"LaborNonTax": self.dice.randint(1, 99)},
                ]
            )
            touched["invoice_reg"][number] = self.invoices[number]
        for number in self.dice.sample(sorted(self.orders), min(4, len(self.orders))):
            self.orders[number] = self.orders[number] | self.dice.choice(
                [
                    {"ClosedDate": None},
                    {"ClosedDate": f"{today}T00:30:00"},
                    {"OpenDate": f"{today - timedelta(days=self.dice.randint(0, 20))}T08:00:00"},
                    {"Disposition": self.dice.choice([1, 11, 13])},
                    {"IsDeleted": not self.orders[number]["IsDeleted"]},
                ]
            )
            touched["wo"][number] = self.orders[number]
        for stream, rows in touched.items():
            landing.land(ORG, stream, *rows.values())

    def expected(self, today: date) -> dict[date, tuple[Any, ...]]:
        """By day: revenue and invoices of each department and in total, open and closed orders."""
        revenue: Counter[tuple[date, str]] = Counter()
        count: Counter[tuple[date, str]] = Counter()
        for number, row in self.invoices.items():
            made = self.orders.get(number)
            quote = made and not made["IsDeleted"] and made["Disposition"] in (11, 13)
            if row["IsDeleted"] or row["InvoiceDate"] is None or quote:
                continue
            day = date.fromisoformat(row["InvoiceDate"][:10])
            for name in {"total", CODES[row["SaleCode"]] or "total"}:
                revenue[day, name] += Decimal(str(row["LaborNonTax"]))
                count[day, name] += 1
        lives = [
            (row["OpenDate"][:10], row["ClosedDate"] and row["ClosedDate"][:10])
            for row in self.orders.values()
            if not row["IsDeleted"] and row["Disposition"] == 1
        ]
        sold = [day for day, _ in count]
        opened = [date.fromisoformat(day) for day, _ in lives]
        first = min([today, min(sold or opened or [today])])
        days = {}
        for offset in range((today - first).days + 1):
            day = first + timedelta(days=offset)
            text = day.isoformat()
            days[day] = (
                *((revenue[day, name], count[day, name]) for name in (*DEPARTMENTS, "total")),
                sum(since <= text and (until is None or until > text) for since, until in lives),
                sum(until == text for _, until in lives),
            )
        return days


def stored(connection: psycopg.Connection, org_id: int = ORG) -> dict[date, tuple[Any, ...]]:
    names = ", ".join(f"{name}_revenue, {name}_invoices" for name in (*DEPARTMENTS, "total"))
    rows = connection.execute(
        f"select sales_date, open_work_orders, closed_work_orders, {names} from marts.mart_sales_daily"
        " where org_id = %s",
        [org_id],
    ).fetchall()
    return {day: (*zip(sums[::2], sums[1::2], strict=True), opened, closed) for day, opened, closed, *sums in rows}


def run(dbt: Dbt, *arguments: str) -> None:
    outcome = dbt.run("run", *arguments)
    assert outcome.success, outcome.messages


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2])
def test_days_are_those_of_counting_everything_again_night_after_night(
    database: str, tmp_path: Path, seed: int
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        prepare(connection)
        landing, dbt = Landing(connection), warehouse(database, tmp_path / "dbt")
        books = Books({}, {}, random.Random(seed))
        landing.land(OTHER, "invoice_reg", invoice(1, FIRST.isoformat()))
        dbt.build(
            "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test", "--select", "+mart_sales_daily"
        )
        xmin = "select count(*), count(distinct xmin::text) from marts.mart_sales_daily where org_id = 2"
        for night in range(7):
            today = FIRST + timedelta(days=night)
            books.night(landing, today)
            # At noon in Chicago, and so on the same day everywhere in this test.
            landing.was_read(ORG, f"{today}T18:00:00+00:00", "invoice_reg", "wo")
            if night == 0:
                landing.was_read(OTHER, f"{today}T18:00:00+00:00", "invoice_reg", "wo")
            if night in (2, 4):
                # A build that dies on the way: invoices and orders were taken in, their days not counted.
                run(dbt, "--select", "int_softbase__invoice_register", "int_softbase__work_orders")
                continue
            if night == 5:
                # Taken in anew: what was kept of dates before is lost, the days have to be right all the same.
                run(dbt, "--full-refresh", "--select", "int_softbase__invoice_register", "int_softbase__work_orders")
            run(dbt, "--select", *MODELS)
            assert stored(connection) == books.expected(today), f"night {night}"

        # The other organization's only row was written once, on its first night.
        assert connection.execute(xmin).fetchone() == (1, 1)
        nightly = stored(connection)
        run(dbt, "--full-refresh", "--select", *MODELS)
        assert stored(connection) == nightly


def test_another_rule_of_which_invoices_count_makes_all_days_due(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days are stored with a hash of the rules they were counted by; which invoices count, a view says."""
    dbt = warehouse(database, tmp_path / "dbt")
    before = _compiled(dbt)
    manifest = dbt._manifest()
    assert manifest is not None
    manifest.nodes["model.aiop.int_softbase__invoices"].raw_code += "-- and not on Sundays"
    manifest.build_flat_graph()
    monkeypatch.setattr(Dbt, "_manifest", lambda _: manifest)
    assert _compiled(dbt) != before


def _compiled(dbt: Dbt) -> str:
    return dbt.run("compile", "--select", "int_softbase__invoice_days").compiled["int_softbase__invoice_days"]
