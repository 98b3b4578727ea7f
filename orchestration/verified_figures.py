"""What of each source is compared: the figures a mart has, and the same asked for from the source."""

from __future__ import annotations

import psycopg

from orchestration.sources.azure_sql.verify import GROUPS as _CASE_GROUPS
from orchestration.sources.azure_sql.verify import case_figures
from orchestration.sources.core.records import Session
from orchestration.sources.ga4.verify import app_figures
from orchestration.sources.hubspot.verify import contact_figures, deal_figures
from orchestration.sources.quickbooks.verify import report_totals
from orchestration.sources.zoom.verify import day_figures
from orchestration.verified import UNTOLD, Figures, Stated, Subject
from orchestration.verified_softbase import SOFTBASE
from orchestration.warehouse.organizations import Organization

_FINANCIAL_METRICS = (
    "total_revenue",
    "total_expenses",
    "net_income",
    "gross_profit",
    "gross_margin_pct",
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


def _financial_source(session: Session, marted: Figures, _: Organization) -> Figures:
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


def _crm_source(session: Session, marted: Figures, _: Organization) -> Figures:
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


def _zoom_source(session: Session, marted: Figures, _: Organization) -> Stated:
    told = day_figures(session, marted)
    return {day: {name: told[day].get(name, UNTOLD) for name in figures} for day, figures in marted.items()}


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


def _case_source(session: Session, marted: Figures, _: Organization) -> Figures:
    return {day: dict(case_figures(session, day)) for day in marted}


_APP_METRICS = (
    "daily_active_users",
    "weekly_active_users",
    "monthly_active_users",
    "new_users",
    "returning_users",
    "total_sessions",
    "avg_session_duration_secs",
    "screens_per_session",
    "ios_downloads",
    "android_downloads",
)


def _app_mart(connection: psycopg.Connection, organization: Organization) -> Figures:
    """The three newest dates that were read from their daily tables: counting one anew reads a month of tables.

    Where none was, as with the streaming export alone, the three newest of all.
    """
    rows = connection.execute(
        f"""
        select metric_date, {", ".join(_APP_METRICS)}
        from (
            select mart.*, days.is_provisional, bool_and(days.is_provisional) over () as is_streamed_only
            from marts.mart_app_analytics as mart
            inner join intermediate.int_ga4__known_days as days
                on days.org_id = mart.org_id and days.event_date = mart.metric_date
            where mart.org_id = %s
        ) as dates
        where is_streamed_only or not is_provisional
        order by metric_date desc
        limit 3
        """,  # noqa: S608
        [organization.id],
    ).fetchall()
    return {row[0]: dict(zip(_APP_METRICS, row[1:], strict=True)) for row in rows}


def _app_source(session: Session, marted: Figures, _: Organization) -> Figures:
    return {day: dict(app_figures(session, day)) for day in marted}


SUBJECTS = {
    "quickbooks": Subject(_financial_mart, _financial_source, "month", "%Y-%m"),
    "hubspot": Subject(_crm_marts, _crm_source, "snapshot", "%Y-%m-%d"),
    "softbase": SOFTBASE,
    "zoom": Subject(_zoom_mart, _zoom_source, "day", "%Y-%m-%d"),
    "azure_sql": Subject(_case_mart, _case_source, "snapshot", "%Y-%m-%d"),
    "ga4": Subject(_app_mart, _app_source, "date", "%Y-%m-%d"),
}
