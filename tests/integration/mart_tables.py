"""Empty mart tables as their models' contracts say, for tests that fill them by hand: no model below has to be built.

Marts that have no model yet are made as the data mart document has them.
"""

from __future__ import annotations

from typing import Any

import psycopg

_STAMPS = "created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp"


def _counts(*names: str) -> str:
    return ", ".join(f"{name} integer default 0" for name in names)


def _amounts(*names: str) -> str:
    return ", ".join(f"{name} numeric(18,2) default 0" for name in names)


def _objects(*names: str) -> str:
    return ", ".join(f"{name} jsonb default '{{}}'" for name in names)


# Columns between org_id and source_system, the source's name there, and the key after org_id.
DOCUMENTED: dict[str, tuple[str, str, str]] = {
    "mart_zoom_metrics": (
        f"""metric_date date not null, {_counts("total_users", "phone_users", "total_meetings")},
        {_counts("total_meeting_minutes", "total_participants")}, avg_meeting_duration_mins numeric(8,2) default 0,
        {_counts("total_calls", "inbound_calls", "outbound_calls", "missed_calls", "total_call_minutes")},
        avg_call_duration_mins numeric(8,2) default 0, {_counts("queue_count")}""",
        "zoom",
        "metric_date",
    ),
    "mart_case_metrics": (
        f"""snapshot_date date not null, {_counts("total_cases", "new_cases_30d", "closed_cases_30d")},
        {_objects("cases_by_type", "cases_by_status", "cases_by_category")}""",
        "azure_sql",
        "snapshot_date",
    ),
    "mart_app_analytics": (
        f"""metric_date date not null, {_counts("daily_active_users", "weekly_active_users", "monthly_active_users")},
        {_counts("new_users", "returning_users", "total_sessions")}, avg_session_duration_secs numeric(10,2) default 0,
        screens_per_session numeric(8,2) default 0, {_counts("ios_downloads", "android_downloads")},
        top_screens jsonb default '[]'""",
        "bigquery_ga4",
        "metric_date",
    ),
    "mart_sales_daily": (
        f"""sales_date date not null, year integer not null, month integer not null, day_of_week integer,
        {_amounts("service_revenue", "parts_revenue", "rental_revenue", "sales_revenue", "total_revenue")},
        {_counts("service_invoices", "parts_invoices", "rental_invoices", "sales_invoices", "total_invoices")},
        {_counts("open_work_orders", "closed_work_orders")}""",
        "softbase",
        "sales_date",
    ),
    "mart_rental_fleet": (
        f"""snapshot_date date not null, year integer not null, month integer not null,
        {_counts("total_units", "available_units", "rented_units", "maintenance_units")},
        utilization_rate numeric(5,2) default 0, {_amounts("rental_revenue_mtd", "rental_revenue_ytd")},
        {_objects("units_by_type", "revenue_by_type")}, {_counts("active_rental_customers")}""",
        "softbase",
        "snapshot_date",
    ),
    "mart_cash_flow": (
        f"""year integer not null, month integer not null, period_end date not null,
        {_amounts("cash_balance", "cash_change_mtd", "operating_cash_flow", "ar_change", "inventory_change")},
        {_amounts("ap_change", "investing_cash_flow", "financing_cash_flow")},
        health_status varchar(20) default 'unknown', {_objects("non_operating_breakdown")}""",
        "softbase_gl",
        "year, month",
    ),
}


def make_marts(connection: psycopg.Connection, manifest: dict[str, Any]) -> None:
    """Make every ``mart_*`` table with its indexes, secured as dbt does it."""
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    for name, model in models.items():
        if name.startswith("mart_"):
            connection.execute(f"create table marts.{name} ({_contract(model)})")
            for index in model["config"].get("indexes") or ():
                connection.execute(f"create index on marts.{name} ({', '.join(index['columns'])})")
            connection.execute("select ops.secure_table(%s)", [f"marts.{name}"])
    for name in DOCUMENTED.keys() - models.keys():
        connection.execute(f"create table marts.{name} ({_document(name)})")
        if name == "mart_sales_daily":
            connection.execute(f"create index on marts.{name} (org_id, year, month)")
        connection.execute("select ops.secure_table(%s)", [f"marts.{name}"])


_KINDS = {"not_null": "not null", "primary_key": "primary key", "unique": "unique"}


def _contract(model: dict[str, Any]) -> str:
    parts = [
        " ".join(
            [column["name"], column["data_type"]]
            + [_KINDS.get(constraint["type"]) or constraint["expression"] for constraint in column["constraints"]]
        )
        for column in model["columns"].values()
    ]
    for constraint in model["constraints"]:
        columns = ", ".join(constraint["columns"])
        if constraint["type"] == "foreign_key":
            parts.append(f"foreign key ({columns}) references ops.organizations (id)")
        else:
            parts.append(f"{_KINDS[constraint['type']]} ({columns})")
    return ", ".join(parts)


def _document(name: str) -> str:
    columns, source, key = DOCUMENTED[name]
    table = "source_table varchar(100) default 'Case_Data_Summary_NOPHI'," if name == "mart_case_metrics" else ""
    return (
        "id integer primary key generated by default as identity,"
        f" org_id integer not null references ops.organizations (id), {columns},"
        f" source_system varchar(50) default '{source}', {table} {_STAMPS}, unique (org_id, {key})"
    )
