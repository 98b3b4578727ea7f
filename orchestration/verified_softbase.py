"""Sales, fleet and cash of a dealership: the figures that the marts have, and the same from its own database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import psycopg

from orchestration.sources.core.records import Session
from orchestration.sources.softbase.verified_cash import cash_figures
from orchestration.sources.softbase.verified_rent import rent_figures
from orchestration.sources.softbase.verify import fleet_figures, sales_figures
from orchestration.verified import UNTOLD, Figures, Stated, Subject, Untold, Value
from orchestration.warehouse.organizations import Organization

# Mart, the column that names its rows, what the source can say of them.
_MARTS = (
    (
        "sales",
        "mart_sales_daily",
        "sales_date",
        ("total_revenue", "total_invoices", "open_work_orders", "closed_work_orders"),
    ),
    (
        "fleet",
        "mart_rental_fleet",
        "snapshot_date",
        (
            "total_units",
            "rented_units",
            "maintenance_units",
            "available_units",
            "utilization_rate",
            "rental_revenue_mtd",
            "rental_revenue_ytd",
            "units_by_type",
            "active_rental_customers",
        ),
    ),
    (
        "cash",
        "mart_cash_flow",
        "period_end",
        (
            "cash_balance",
            "cash_change_mtd",
            "operating_cash_flow",
            "ar_change",
            "inventory_change",
            "ap_change",
            "investing_cash_flow",
            "financing_cash_flow",
        ),
    ),
)


def _stored(connection: psycopg.Connection, organization: Organization) -> Figures:
    """Every day of sales and month of cash, and the newest snapshot of the fleet; figures by mart and name."""
    found: Figures = {}
    for subject, mart, day, metrics in _MARTS:
        rows = connection.execute(
            f"select {day}, {', '.join(metrics)} from marts.{mart} where org_id = %s order by {day}",  # noqa: S608
            [organization.id],
        ).fetchall()
        for row in rows[-1:] if subject == "fleet" else rows:
            figures = dict(zip(metrics, row[1:], strict=True))
            by_type = figures.pop("units_by_type", None) or {}
            figures |= {f"units_by_type {name}": units for name, units in by_type.items()}
            found.setdefault(row[0], {}).update({f"{subject} {name}": value for name, value in figures.items()})
    return found


def _fresh(session: Session, marted: Figures, organization: Organization) -> Stated:
    """Asks for the days that the mart has; a fleet is known as it is now alone: the newest snapshot's.

    Untold is cash where the ledger does not say which months its rows are of, and what was financed in a month that
    does not add up.
    """

    def days(subject: str) -> list[date]:
        return [day for day, figures in marted.items() if any(name.startswith(subject) for name in figures)]

    fresh: dict[date, dict[str, Value | Untold]] = {day: {} for day in marted}

    def note(subject: str, day: date, figures: Mapping[str, Value]) -> None:
        fresh.setdefault(day, {}).update({f"{subject} {name}": value for name, value in figures.items()})

    if sales := days("sales"):
        for day, figures in sales_figures(session, min(sales), max(sales)).items():
            note("sales", day, figures)
    if fleet := days("fleet"):
        newest = max(fleet)
        note("fleet", newest, fleet_figures(session))
        note("fleet", newest, rent_figures(session, newest, organization.fiscal_year_start_month))
    if cash := days("cash"):
        told = cash_figures(session)
        for day, figures in (told or {}).items():
            note("cash", day, figures)
        for day in cash if told is None else told.keys() & cash:
            names = marted[day].keys() - fresh[day].keys()
            fresh[day] |= {name: UNTOLD for name in names if name.startswith("cash")}
    return fresh


SOFTBASE = Subject(_stored, _fresh, "day", "%Y-%m-%d")
