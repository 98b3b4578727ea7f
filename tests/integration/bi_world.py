"""A warehouse whose marts hold a handful of rows that can be reckoned with by eye, and logins to read them with.

Thirteen organizations: the fiscal years of 2 to 12 begin in the month of their number, that of the first in November,
of the last in January. Rows have the first two: the second's are the first's with other numbers.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from dbt_runs import Dbt, warehouse
from mart_tables import make_marts
from psycopg import sql

from orchestration.warehouse import roles
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.embedded_bootstrap import create_database

_ORGANIZATIONS = """
insert into ops.organizations (id, slug, name, organization_id, timezone, currency, fiscal_year_start_month)
select
    n, 'org_' || n, 'Organization ' || n, gen_random_uuid(), 'America/Chicago', 'USD',
    case n when 1 then 11 when 13 then 1 else n end
from generate_series(1, 13) as n
"""
_FRESHNESS = """
insert into marts.data_freshness (
    org_id, source, status, last_success_at, late_after, failing_since, stream_count, failing_streams, held_back_since,
    error
) values
    (1, 'quickbooks', 'ok', '2026-03-01 02:00Z', '2026-03-03 04:00Z', null, 16, null, null, null),
    (1, 'hubspot', 'held back', '2026-03-01 03:00Z', '9999-01-01 00:00Z', null, 14, null, '2026-02-20 03:00Z',
        'deals: 0 rows'),
    (1, 'zoom', 'failing', '2026-02-04 04:00Z', '2026-02-06 06:00Z', '2026-02-05 04:00Z', 6, 'phone_calls', null,
        'The connection needs …'),
    (1, 'azure_sql', 'ok', '2026-03-01 05:00Z', '9999-01-01 00:00Z', null, 1, null, null, null),
    (1, 'ga4', 'never synced', null, null, null, 0, null, null, null),
    (1, 'softbase', 'ok', '2026-03-01 01:00Z', '9999-01-01 00:00Z', null, 12, null, null, null)
"""
_ROWS = """
insert into marts.mart_financial_metrics (
    org_id, year, month, period_start, period_end, total_revenue, total_expenses, net_income,
    total_assets, total_liabilities, total_equity, cash_balance, accounts_receivable, accounts_payable,
    operating_cash_flow, gross_profit, gross_margin_pct
) values
    (1, 2025, 2, '2025-02-01', '2025-02-28', 50, 40, 10, 900, 400, 500, 90, 10, 10, 1, 5, 10),
    (1, 2025, 11, '2025-11-01', '2025-11-30', 100, 60, 40, 1000, 450, 550, 100, 60, 20, 2, 10, 10),
    (1, 2026, 1, '2026-01-01', '2026-01-31', null, null, null, 1200, 480, 720, 250, null, 90, null, null, null),
    (1, 2026, 2, '2026-02-01', '2026-02-28', 120.50, 80.25, 40.25, 1300, 500, 800, 300, 200, 150, 12, 12, null);
insert into marts.mart_crm_contacts (
    org_id, snapshot_date, total_contacts, new_contacts_30d, new_contacts_7d, subscribers, leads, marketing_qualified,
    opportunities, customers, other_lifecycle
) values
    (1, '2026-02-27', 9, 4, 1, 1, 2, 3, 0, 2, 1),
    (1, '2026-02-28', 10, 5, 2, 1, 2, 3, 1, 2, 1);
insert into marts.mart_crm_deals (
    org_id, snapshot_date, total_deals, open_deals, won_deals, lost_deals, total_pipeline_value, won_value, lost_value,
    average_deal_size, deals_by_stage
) values
    (1, '2026-02-26', 1, 1, 0, 0, 1000, 0, 0, null, '{}'),
    (1, '2026-02-27', 8, 4, 3, 1, null, 300, 50, 100, '{}'),
    (1, '2026-02-28', 8, 3, 4, 1, 900, 400, 50, 100,
        '{"default/new": 2, "default/talk": 1, "default/won": 4, "default/lost": 1}');
insert into marts.mart_zoom_metrics (
    org_id, metric_date, total_users, phone_users, queue_count, total_meetings, total_participants,
    total_meeting_minutes, total_calls, inbound_calls, outbound_calls, missed_calls
) values
    (1, '2026-02-01', 12, 5, 2, 2, 10, 100, 11, 10, 1, 1),
    (1, '2026-02-02', 12, 6, 2, 3, 15, 200, 25, 20, 5, 5),
    (1, '2026-02-03', null, null, null, 1, 5, 50, 21, 20, 1, 3);
insert into marts.mart_case_metrics (
    org_id, snapshot_date, total_cases, new_cases_30d, closed_cases_30d, cases_by_type, cases_by_status
) values
    (1, '2026-02-27', 99, 11, 6, '{"EAP": 59, "Coaching": 40}', '{"Open": 30, "Closed": 69}'),
    (1, '2026-02-28', 100, 10, 7, '{"EAP": 60, "Coaching": 40}', '{"Open": 30, "Closed": 70}');
insert into marts.mart_app_analytics (
    org_id, metric_date, daily_active_users, weekly_active_users, monthly_active_users, new_users, total_sessions,
    avg_session_duration_secs, screens_per_session, top_screens
) values
    (1, '2026-02-26', 0, 90, null, 0, 0, null, null, '[]'),
    (1, '2026-02-27', 40, 90, 125, 5, 60, 90, null, '[]'),
    (1, '2026-02-28', 30, 80, 120, 3, 50, 95.50, 3.25,
        '[{"screen_name": "Home", "views": 9, "users": 5}, {"screen_name": "Chat", "views": 4, "users": 4}]');
insert into marts.mart_sales_daily (
    org_id, sales_date, year, month, day_of_week, service_revenue, parts_revenue, rental_revenue, sales_revenue,
    total_revenue, service_invoices, parts_invoices, rental_invoices, sales_invoices, total_invoices
) values
    (1, '2025-10-31', 2025, 10, 5, 5, 0, 0, 0, 5, 1, 0, 0, 0, 1),
    (1, '2025-11-01', 2025, 11, 6, 7.50, 0, 0, 0, 7.50, 1, 0, 0, 0, 1),
    (1, '2026-02-02', 2026, 2, 1, null, 10, 0, 0, 10, 0, 1, 0, 0, 1),
    (1, '2026-02-28', 2026, 2, 6, 8, 6, 4, 1, 20, 1, 0, 1, 0, 3);
insert into marts.mart_rental_fleet (
    org_id, snapshot_date, year, month, total_units, rented_units, available_units, maintenance_units, utilization_rate,
    units_by_type, revenue_by_type
) values
    (1, '2026-02-27', 2026, 2, 10, 6, 3, 1, 60, '{}', null),
    (1, '2026-02-28', 2026, 2, 10, 7, 2, 1, 70, '{"Forklift": 8, "Lift": 2}', '{"Forklift": 100.50}');
insert into marts.mart_cash_flow (
    org_id, year, month, period_end, cash_balance, cash_change_mtd, operating_cash_flow, ar_change, health_status
) values
    (1, 2025, 12, '2025-12-31', 100, -20, -5, null, 'warning'),
    (1, 2026, 1, '2026-01-31', 90, -10, 5, null, 'healthy'),
    (1, 2026, 2, '2026-02-28', 60, -30, -25, 0, 'critical');
"""
_COLUMNS = """
select attname::text, format_type(atttypid, null)
from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped
    and attname not in ('id', 'org_id', 'created_at', 'updated_at')
order by attnum
"""
_KEPT = {"year", "month", "day_of_week"}
MARTS = (
    "mart_financial_metrics",
    "mart_crm_contacts",
    "mart_crm_deals",
    "mart_zoom_metrics",
    "mart_case_metrics",
    "mart_app_analytics",
    "mart_sales_daily",
    "mart_rental_fleet",
    "mart_cash_flow",
)


@dataclass(frozen=True)
class BiWorld:
    """Open sessions: ``owner`` is the builder, ``tenants`` those of organizations 1 and 2, ``everyone`` of all."""

    dbt: Dbt
    owner: psycopg.Connection
    tenants: dict[int, psycopg.Connection]
    everyone: psycopg.Connection

    def rows(self, connection: psycopg.Connection, statement: str) -> list[tuple[Any, ...]]:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


@contextmanager
def bi_world(server: EmbeddedPostgres, home: Path, template: str) -> Iterator[BiWorld]:
    """Build the project once in a database of its own and fill its marts."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as administrator:
        create_database(administrator, name, template=template)
        try:
            with ExitStack() as sessions:
                url = server.builder_url(name)

                def session(address: str) -> psycopg.Connection:
                    return sessions.enter_context(psycopg.connect(address, autocommit=True))

                owner = session(url)
                owner.execute(_ORGANIZATIONS)
                dbt = warehouse(url, home / "state")
                # The session goes on to other tests: none of them may find these variables.
                with pytest.MonkeyPatch.context() as environment:
                    environment.setenv("AIOP_HOME", str(home))
                    environment.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
                    environment.setenv("DATABASE_URL", url)
                    # What stands on ops alone; the marts' own models have tests of theirs.
                    outcome = dbt.run("run", "--select", "path:models/marts/core")
                    assert outcome.success, outcome.messages
                    manifest = json.loads((home / "state" / "target" / "manifest.json").read_text(encoding="utf-8"))
                    make_marts(owner, manifest)
                    _fill(owner)
                    tenants = {number: session(roles.credentials(owner, f"org_{number}")) for number in (1, 2)}
                    everybody = session(roles.all_credentials(owner))
                yield BiWorld(dbt, owner, tenants, everybody)
        finally:
            administrator.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _fill(owner: psycopg.Connection) -> None:
    owner.execute(_FRESHNESS)
    owner.execute(_ROWS)
    owner.execute(
        "insert into marts.data_freshness (org_id, source, status, last_success_at, stream_count)"
        " values (2, 'quickbooks', 'disconnected', '2026-01-01 00:00Z', 1)"
    )
    for mart in MARTS:
        columns = owner.execute(_COLUMNS, [f"marts.{mart}"]).fetchall()
        given = ", ".join(column for column, _ in columns)
        others = ", ".join(
            f"{column} + 7" if kind in ("integer", "numeric") and column not in _KEPT else column
            for column, kind in columns
        )
        owner.execute(f"insert into marts.{mart} (org_id, {given}) select 2, {others} from marts.{mart}")
