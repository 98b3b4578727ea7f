"""Every query of docs/queries.md over ten thousand organizations' marts, as a tenant asks it.

Beside each stands the same query as the owner asks it, without row-level security and with the filter written out on
every table: what keeping tenants apart costs. Rows lie as nights leave them, day by day, so that one organization's are
scattered over the whole table.

Both sessions and the client share one processor: most queries take less than half a millisecond, and a client that
wakes a server on another processor waits a tenth of one for it, now and then for one session and not for the other.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from cryptography.fernet import Fernet

from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse import database, roles
from orchestration.warehouse.dbt import current_manifest, dbt_environment, run_dbt
from tests.benchmarks.harness import Figure, administrator, own_warehouse, show

# Where pytest finds them too.
sys.path += [str(PROJECT_ROOT / "tests"), str(PROJECT_ROOT / "tests" / "integration")]
from catalogue import Query, read_catalogue, scoped
from mart_tables import make_marts

ORGANIZATIONS = int(os.environ.get("AIOP_BENCH_ORGANIZATIONS") or 10_000)
DAYS = int(os.environ.get("AIOP_BENCH_DAYS") or 120)
MONTHS = 60
LAST_DAY = "2026-02-28"
TENANT = ORGANIZATIONS // 2
ROUNDS = 100
LIMIT = 0.050
RATIO = 1.3

_ORGANIZATION = """
insert into ops.organizations (id, slug, name, organization_id, timezone, currency, fiscal_year_start_month)
select n, 'org_' || n, 'Organization ' || n, gen_random_uuid(), 'America/Chicago', 'USD', 1 + n %% 12
from generate_series(%s::int, %s::int) as n
on conflict do nothing
"""
_SOURCES = ("quickbooks", "hubspot", "zoom", "azure_sql", "ga4", "softbase")
_FRESHNESS = """
insert into marts.data_freshness (org_id, source, status, last_success_at, last_attempt_at, stream_count)
select n, source, case when n %% 50 = 0 then 'failing' else 'ok' end, now(), now(), 10
from generate_series(1, %s) as n cross join unnest(%s::text[]) as source
"""
_COLUMNS = """
select attname::text, format_type(atttypid, null)
from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped
    and attname not in ('id', 'org_id', 'source_system', 'source_table', 'created_at', 'updated_at')
order by attnum
"""
_KEYS = """
select conname::text, pg_get_constraintdef(oid) from pg_constraint
where conrelid = %s::regclass and contype in ('p', 'u')
"""
_PARTS = {"year": "extract(year from day)::int", "month": "extract(month from day)::int", "day_of_week": "1"}


def _value(column: str, kind: str, number: int) -> str:
    """An expression for a column, a figure of its own for every organization and day."""
    figure = f"((n::bigint * 7919 + step * 104729 + {number} * 1299709) % 1000)"
    if column in _PARTS:
        return _PARTS[column]
    match kind:
        case "date":
            return "day"
        case "integer":
            return f"{figure}::int"
        case "numeric":
            return f"{figure} / 10.0"
        case "jsonb" if column == "top_screens":
            return """'[{"screen_name": "Home", "views": 90, "users": 9}]'::jsonb"""
        case "jsonb":
            return f"jsonb_build_object('first', {figure}, 'second', {figure} + 1, 'third', 3)"
        case _:
            return "'healthy'"


def _fill(mart: str) -> int:
    """Fill a mart, the newest day last; keys are made when the rows are there. Returns how many there are."""
    with administrator() as connection:
        # Rows refer to organizations that exist; checking each would take longer than all the rest.
        connection.execute("set session_replication_role = replica; set maintenance_work_mem = '1GB'")
        columns = connection.execute(_COLUMNS, [f"marts.{mart}"]).fetchall()
        keys = connection.execute(_KEYS, [f"marts.{mart}"]).fetchall()
        for name, _ in keys:
            connection.execute(f"alter table marts.{mart} drop constraint {name}")
        # What is read is the same; what would be written twice is not measured here.
        connection.execute(f"alter table marts.{mart} set unlogged")
        is_monthly = any(name == "period_end" for name, _ in columns)
        step = (
            f"date '{LAST_DAY}' - step"
            if not is_monthly
            else (
                f"(date_trunc('month', date '{LAST_DAY}') - (step - 1) * interval '1 month' - interval '1 day')::date"
            )
        )
        values = ", ".join(_value(name, kind, number) for number, (name, kind) in enumerate(columns))
        connection.execute(
            f"insert into marts.{mart} (org_id, {', '.join(name for name, _ in columns)})"
            f" select n, {values} from generate_series({(MONTHS if is_monthly else DAYS) - 1}, 0, -1) as step"
            f" cross join lateral (select {step} as day) as days"
            f" cross join lateral generate_series(1, {ORGANIZATIONS} + 0 * step) as n"
        )
        for name, definition in keys:
            connection.execute(f"alter table marts.{mart} add constraint {name} {definition}")
        connection.execute(f"vacuum marts.{mart}")
        row = connection.execute(f"select count(*) from marts.{mart}").fetchone()
    assert row is not None
    return int(row[0])


def _set_up() -> tuple[str, int]:
    """The tenant's URL and how many rows the marts have."""
    os.environ["AIOP_SECRET_KEY"] = Fernet.generate_key().decode()
    with database.connect(autocommit=True) as connection:
        connection.execute(_ORGANIZATION, [TENANT, TENANT])
        # Before the others are there: ten thousand logins are another benchmark.
        url = roles.credentials(connection, f"org_{TENANT}")
        connection.execute(_ORGANIZATION, [1, ORGANIZATIONS])
        connection.execute("analyze ops.organizations")
        run_dbt(["run", "--select", "path:models/marts/core"], dbt_environment())
        make_marts(connection, json.loads(current_manifest().read_text(encoding="utf-8")))
        connection.execute(_FRESHNESS, [ORGANIZATIONS, list(_SOURCES)])
        marts = [
            name
            for (name,) in connection.execute(
                "select tablename from pg_tables where schemaname = 'marts' and tablename like 'mart\\_%' order by 1"
            ).fetchall()
        ]
        with ThreadPoolExecutor(2) as pool:
            rows = sum(pool.map(_fill, marts))
    with administrator() as session:
        session.execute("vacuum marts.organizations")
        session.execute("vacuum marts.data_freshness")
        session.execute("vacuum analyze marts.calendar")
    return url, rows


@dataclass
class Timing:
    """Seconds of each run of one query, as the tenant and as the owner."""

    query: Query
    tenant: list[float]
    owner: list[float]


def _measure(query: Query, tenant: psycopg.Connection, owner: psycopg.Connection, filled: str) -> Timing:
    """In turns, so that what else the machine does falls on both alike; the first runs of each are not counted."""
    statements = ((tenant, filled), (owner, scoped(filled, TENANT)))
    answers = [connection.execute(statement).fetchall() for connection, statement in statements]
    assert answers[0] == answers[1], f"{query.name}: a tenant and the owner get different answers"
    timing = Timing(query, [], [])
    for turn in range(ROUNDS + 2):
        for (connection, statement), seconds in zip(statements, (timing.tenant, timing.owner), strict=True):
            begun = time.perf_counter()
            connection.execute(statement).fetchall()
            if turn >= 2:
                seconds.append(time.perf_counter() - begun)
    return timing


def _share_a_processor(*connections: psycopg.Connection) -> None:
    """Where the system lets one choose (Linux)."""
    if hasattr(os, "sched_setaffinity"):
        processor = min(os.sched_getaffinity(0))
        for process in (0, *(connection.info.backend_pid for connection in connections)):
            os.sched_setaffinity(process, {processor})


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def main() -> None:
    """Run the benchmark and print its table."""
    queries, parameters = read_catalogue()
    with own_warehouse():
        begun = time.perf_counter()
        url, rows = _set_up()
        set_up = time.perf_counter() - begun
        # As a BI tool asks: nothing is prepared.
        with (
            psycopg.connect(url, autocommit=True, prepare_threshold=None) as tenant,
            psycopg.connect(database.database_url(), autocommit=True, prepare_threshold=None) as owner,
        ):
            _share_a_processor(tenant, owner)
            timings = [_measure(query, tenant, owner, query.filled(parameters)) for query in queries]
            size = owner.execute("select pg_size_pretty(pg_database_size(current_database()))").fetchone()
    everything = [seconds for timing in timings for seconds in timing.tenant]
    worst = max(timings, key=lambda timing: _p95(timing.tenant))
    both = (
        sum(min(timing.tenant) for timing in timings),
        sum(min(timing.owner) for timing in timings),
    )
    show(
        f"{len(queries)} queries of the catalogue, {ORGANIZATIONS:,} organizations, {rows:,} rows in the marts",
        [
            Figure("all queries, p95", _p95(everything), LIMIT, "the limit", 1),
            Figure(f"slowest, p95: {worst.query.name}", _p95(worst.tenant), LIMIT, "the limit", 1),
            Figure("all queries once", *both, "owner, filter written out", RATIO),
            *(
                Figure(
                    timing.query.name,
                    min(timing.tenant),
                    min(timing.owner),
                    "owner, filter written out",
                    RATIO,
                )
                for timing in sorted(timings, key=lambda timing: -min(timing.tenant))
            ),
        ],
        [
            f"{DAYS} days of daily marts, {MONTHS} months of monthly ones; {size[0] if size else '?'}",
            f"set up in {set_up:.0f} s; each query: the best of {ROUNDS} runs, in turns, on one processor",
            "p95 over all runs",
        ],
    )


if __name__ == "__main__":
    main()
