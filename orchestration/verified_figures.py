"""What of each source is compared: the figures a mart has, and the same asked for from the source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg

from orchestration.sources.azure_sql.verify import GROUPS as _CASE_GROUPS
from orchestration.sources.azure_sql.verify import case_figures
from orchestration.sources.core.records import Session
from orchestration.sources.ga4.verify import app_figures
from orchestration.sources.hubspot.verify import contact_figures, deal_figures
from orchestration.sources.quickbooks.verify import report_totals
from orchestration.sources.softbase.verified_cash import cash_figures, tells_cash
from orchestration.sources.softbase.verify import fleet_figures, sales_figures
from orchestration.sources.zoom.verify import day_figures
from orchestration.warehouse.organizations import Organization

Value = Decimal | int | None
# By the first day of a month, or by the day of a snapshot.
Figures = dict[date, dict[str, Value]]


_FINANCIAL_METRICS = (
    "total_revenue",
    "total_expenses",
    "net_income",
    "gross_profit",
    "total_assets",
    "total_liabilities",
    "total_equity",
    "cash_balance",
    "accounts_receivable",
    "accounts_payable",
    "operating_cash_flow",
)


def _financial_mart(connection: psycopg.Connection, organization: Organization) -> Figures:
    columns = ", ".join(_FINANCIAL_METRICS)
    rows = connection.execute(
        f"select period_start, {columns} from marts.mart_financial_metrics where org_id = %s",  # noqa: S608
        [organization.id],
    ).fetchall()
    return {row[0]: dict(zip(_FINANCIAL_METRICS, row[1:], strict=True)) for row in rows}


def _financial_source(session: Session, marted: Figures) -> Figures:
    return {month: dict(figures) for month, figures in report_totals(session, min(marted), max(marted)).items()}


_CONTACT_METRICS = (
    "total_contacts",
    "new_contacts_30d",
    "new_contacts_7d",
    "subscribers",
    "leads",
    "marketing_qualified",
    "sales_qualified",
    "opportunities",
    "customers",
    "evangelists",
    "other_lifecycle",
)
_DEAL_METRICS = (
    "total_deals",
    "open_deals",
    "won_deals",
    "lost_deals",
    "total_pipeline_value",
    "won_value",
    "lost_value",
    "average_deal_size",
    "deals_by_stage",
)


def _crm_marts(connection: psycopg.Connection, organization: Organization) -> Figures:
    """The newest snapshot of contacts and that of deals; they are of one day unless one of them could not be read."""
    found: Figures = {}
    for mart, metrics in (
        ("mart_crm_contacts", _CONTACT_METRICS),
        ("mart_crm_deals", _DEAL_METRICS),
    ):
        row = connection.execute(
            f"select snapshot_date, {', '.join(metrics)} from marts.{mart} where org_id = %s"  # noqa: S608
            " order by snapshot_date desc limit 1",
            [organization.id],
        ).fetchone()
        if row is not None:
            figures = dict(zip(metrics, row[1:], strict=True))
            # Unknown where the mart has none; of contacts there is none.
            stages = figures.pop("deals_by_stage", None) or {}
            figures |= {f"deals_by_stage {key}": number for key, number in stages.items()}
            found.setdefault(row[0], {}).update(figures)
    return found


def _crm_source(session: Session, marted: Figures) -> Figures:
    """Asks for that alone which a mart has: what a portal does not let be read has no snapshot."""
    fresh: Figures = {}
    for day, figures in marted.items():
        fresh[day] = dict(contact_figures(session, day)) if "total_contacts" in figures else {}
        if "total_deals" in figures:
            fresh[day] |= deal_figures(session)
    return fresh


_ZOOM_METRICS = (
    "total_users",
    "phone_users",
    "queue_count",
    "total_meetings",
    "total_meeting_minutes",
    "total_participants",
    "avg_meeting_duration_mins",
    "total_calls",
    "inbound_calls",
    "outbound_calls",
    "missed_calls",
    "total_call_minutes",
    "avg_call_duration_mins",
)


def _zoom_mart(connection: psycopg.Connection, organization: Organization) -> Figures:
    """The newest fortnight, without what is unknown: counts of days before can't be asked for again."""
    rows = connection.execute(
        f"select metric_date, {', '.join(_ZOOM_METRICS)} from marts.mart_zoom_metrics where org_id = %s"  # noqa: S608
        " order by metric_date desc limit 14",
        [organization.id],
    ).fetchall()
    found = {row[0]: dict(zip(_ZOOM_METRICS, row[1:], strict=True)) for row in rows}
    for day in sorted(found)[:-1]:
        for name in _ZOOM_METRICS[:3]:
            del found[day][name]
    return found


_CASE_METRICS = ("total_cases", "new_cases_30d", "closed_cases_30d", *_CASE_GROUPS)


def _case_mart(connection: psycopg.Connection, organization: Organization) -> Figures:
    """The newest snapshot of cases, each of the values that they are grouped by as a figure of its own."""
    row = connection.execute(
        f"select snapshot_date, {', '.join(_CASE_METRICS)} from marts.mart_case_metrics where org_id = %s"  # noqa: S608
        " order by snapshot_date desc limit 1",
        [organization.id],
    ).fetchone()
    if row is None:
        return {}
    figures = dict(zip(_CASE_METRICS, row[1:], strict=True))
    for name in _CASE_GROUPS:
        figures |= {f"{name} {label}": count for label, count in (figures.pop(name) or {}).items()}
    return {row[0]: figures}


def _case_source(session: Session, marted: Figures) -> Figures:
    return {day: dict(case_figures(session, day)) for day in marted}


# Mart, the column that names its rows, what the source can say of them.
_SOFTBASE_MARTS = (
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
            "active_rental_customers",
        ),
    ),
    ("cash", "mart_cash_flow", "period_end", ("cash_balance", "cash_change_mtd")),
)


def _softbase_marts(connection: psycopg.Connection, organization: Organization) -> Figures:
    """Every day of sales and month of cash, and the newest snapshot of the fleet; figures by mart and name."""
    found: Figures = {}
    for subject, mart, day, metrics in _SOFTBASE_MARTS:
        rows = connection.execute(
            f"select {day}, {', '.join(metrics)} from marts.{mart} where org_id = %s order by {day}",  # noqa: S608
            [organization.id],
        ).fetchall()
        for row in rows[-1:] if subject == "fleet" else rows:
            figures = zip(metrics, row[1:], strict=True)
            found.setdefault(row[0], {}).update({f"{subject} {name}": value for name, value in figures})
    return found


def _softbase_asked(session: Session, marted: Figures) -> Figures:
    """Without cash where rows of the ledger do not say which months they are of: there is nothing to compare with."""
    if tells_cash(session):
        return marted
    return {
        day: {name: value for name, value in figures.items() if not name.startswith("cash")}
        for day, figures in marted.items()
    }


def _softbase_source(session: Session, marted: Figures) -> Figures:
    """Asks for the days that the mart has; a fleet is known as it is now alone: the newest snapshot's."""

    def days(subject: str) -> list[date]:
        return [day for day, figures in marted.items() if any(name.startswith(subject) for name in figures)]

    fresh: Figures = {day: {} for day in marted}

    def note(subject: str, day: date, figures: Mapping[str, Value]) -> None:
        fresh.setdefault(day, {}).update({f"{subject} {name}": value for name, value in figures.items()})

    if sales := days("sales"):
        for day, figures in sales_figures(session, min(sales), max(sales)).items():
            note("sales", day, figures)
    if fleet := days("fleet"):
        note("fleet", max(fleet), fleet_figures(session))
    if days("cash"):
        for day, figures in cash_figures(session).items():
            note("cash", day, figures)
    return fresh


_APP_METRICS = (
    "daily_active_users",
    "weekly_active_users",
    "monthly_active_users",
    "new_users",
    "returning_users",
    "total_sessions",
    "ios_downloads",
    "android_downloads",
)


def _app_mart(connection: psycopg.Connection, organization: Organization) -> Figures:
    """The newest date: counting it anew reads a month of tables."""
    row = connection.execute(
        f"select metric_date, {', '.join(_APP_METRICS)} from marts.mart_app_analytics where org_id = %s"  # noqa: S608
        " order by metric_date desc limit 1",
        [organization.id],
    ).fetchone()
    return {} if row is None else {row[0]: dict(zip(_APP_METRICS, row[1:], strict=True))}


def _app_source(session: Session, marted: Figures) -> Figures:
    return {day: dict(app_figures(session, day)) for day in marted}


@dataclass(frozen=True)
class Subject:
    """What of a source is compared: ``mart`` gives what is stored, ``source`` asks for the same.

    asked
        What of the mart the source can be asked for; all of it unless said otherwise.
    """

    mart: Callable[[psycopg.Connection, Organization], Figures]
    source: Callable[[Session, Figures], Figures]
    period: str
    shown: str
    asked: Callable[[Session, Figures], Figures] = lambda _, marted: marted


SUBJECTS = {
    "quickbooks": Subject(_financial_mart, _financial_source, "month", "%Y-%m"),
    "hubspot": Subject(_crm_marts, _crm_source, "snapshot", "%Y-%m-%d"),
    "softbase": Subject(_softbase_marts, _softbase_source, "day", "%Y-%m-%d", _softbase_asked),
    "zoom": Subject(_zoom_mart, day_figures, "day", "%Y-%m-%d"),
    "azure_sql": Subject(_case_mart, _case_source, "snapshot", "%Y-%m-%d"),
    "ga4": Subject(_app_mart, _app_source, "date", "%Y-%m-%d"),
}
