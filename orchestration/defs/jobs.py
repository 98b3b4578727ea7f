"""Jobs by the names of the data mart document, and their schedules."""

from __future__ import annotations

import dagster as dg

from orchestration.defs.sources import landed_key
from orchestration.schedule import CRONS, schedules_on
from orchestration.settings import schedule_timezone
from orchestration.sources import SOURCES

# What readers of any mart look at first belongs to every build: who, how fresh, which days, how tables are joined.
CORE = dg.AssetSelection.assets(
    *(
        ["marts", name]
        for name in ("organizations", "data_freshness", "calendar", "organization_calendar", "relationships")
    )
)


def landed(source: str) -> dg.AssetSelection:
    """All landed streams of a source."""
    return dg.AssetSelection.assets(*(landed_key(source, stream.name) for stream in SOURCES[source].streams))


def into_mart(mart: str) -> dg.AssetSelection:
    """One mart with all it is built from, landed streams included, and what stands on it."""
    built = dg.AssetSelection.assets(["marts", mart])
    return built.upstream().materializable() | built.downstream() | CORE


JOBS = [
    dg.define_asset_job(
        "etl_sales_daily",
        selection=into_mart("mart_sales_daily"),
        description="Softbase into mart_sales_daily and what stands on it.",
    ),
    dg.define_asset_job(
        "etl_rental_fleet",
        selection=into_mart("mart_rental_fleet"),
        description="Softbase into mart_rental_fleet and what stands on it.",
    ),
    dg.define_asset_job(
        "etl_cash_flow",
        selection=into_mart("mart_cash_flow"),
        description="Softbase into mart_cash_flow and what stands on it.",
    ),
    dg.define_asset_job(
        "etl_quickbooks_financial",
        selection=landed("quickbooks").downstream() | CORE,
        description="QuickBooks into mart_financial_metrics and what stands on it.",
    ),
    dg.define_asset_job(
        "etl_hubspot_contacts",
        selection=into_mart("mart_crm_contacts"),
        description="HubSpot into mart_crm_contacts and what stands on it.",
    ),
    dg.define_asset_job(
        "etl_hubspot_deals",
        selection=into_mart("mart_crm_deals"),
        description="HubSpot into mart_crm_deals and what stands on it.",
    ),
    dg.define_asset_job(
        "etl_zoom_metrics",
        selection=into_mart("mart_zoom_metrics"),
        description="Zoom into mart_zoom_metrics and what stands on it.",
    ),
    dg.define_asset_job(
        "etl_case_metrics",
        selection=into_mart("mart_case_metrics"),
        description="The case database into mart_case_metrics and what stands on it.",
    ),
    dg.define_asset_job(
        "etl_app_analytics",
        # With what its dates' tables hold: the mart is not built from it, its check compares with it.
        selection=into_mart("mart_app_analytics") | landed("ga4").downstream(),
        description="GA4 into mart_app_analytics and what stands on it.",
    ),
    dg.define_asset_job(
        "nightly",
        selection=dg.AssetSelection.all(),
        description="Every source, every model, every check.",
    ),
]


def schedules() -> list[dg.ScheduleDefinition]:
    """One schedule a job, in ``AIOP_TIMEZONE`` (default UTC); they run where ``AIOP_SCHEDULES=on``."""
    status = dg.DefaultScheduleStatus.RUNNING if schedules_on() else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.ScheduleDefinition(
            job_name=name,
            cron_schedule=cron,
            execution_timezone=schedule_timezone(),
            default_status=status,
            # By then the sources' own jobs have run: only what they missed is read again.
            run_config={"ops": {f"sync_{source}": {"config": {"stale_only": True}} for source in SOURCES}}
            if name == "nightly"
            else None,
        )
        for name, cron in CRONS.items()
    ]
