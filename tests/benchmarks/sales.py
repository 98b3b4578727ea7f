"""`python -m tests.benchmarks.sales`: mart_sales_daily over half a million invoices, and the night after.

50 organizations × 3 years of invoices with a work order each. Naive form: every night reads every invoice and order
again, as a model without memory does. The night: each organization has new invoices, some dated days ago, a few moved
to another day or deleted, and orders that were opened again.
"""

from __future__ import annotations

import sys

import psycopg

from orchestration.settings import PROJECT_ROOT
from orchestration.sources import SOURCES
from orchestration.warehouse.database import connect, database_url
from orchestration.warehouse.landed_tables import ensure_tables
from tests.benchmarks.harness import Figure, own_warehouse, seconds, show

# Where pytest finds them too.
sys.path += [str(PROJECT_ROOT / "tests"), str(PROJECT_ROOT / "tests" / "integration")]
from dbt_runs import warehouse

ORGANIZATIONS = 50
INVOICES = 500_000
DAYS = 3 * 365
LAST_DAY = "2026-03-09"
MODELS = (
    *("int_softbase__invoice_register", "int_softbase__work_orders", "int_softbase__invoice_days"),
    *("int_softbase__order_days", "int_softbase__invoices", "int_softbase__document_reads", "mart_sales_daily"),
)

WITHOUT_TESTS = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")

PREPARE = f"""
    insert into ops.organizations (id, slug, name, organization_id, timezone, currency)
    select n, 'org_' || n, 'Organization', gen_random_uuid(), 'America/Chicago', 'USD'
    from generate_series(1, {ORGANIZATIONS}) as n;
    insert into ops.connections (org_id, source, settings)
    select n, 'softbase', '{{}}' from generate_series(1, {ORGANIZATIONS}) as n;
    insert into staging_softbase.dept (org_id, record_id, payload, payload_hash, extracted_at, run_id)
    select
        org, jsonb_build_array(1, dept)::text,
        jsonb_build_object('Branch', 1, 'Dept', dept, 'Title', title), decode(md5(title), 'hex'), now(), 1
    from generate_series(1, {ORGANIZATIONS}) as org
    cross join (values (40, 'Service'), (50, 'Parts'), (60, 'Rental'), (10, 'New Equipment')) as d (dept, title);
    insert into ops.watermarks (org_id, source, stream, run_id, state, last_success_at)
    select org, 'softbase', stream, 0, jsonb_build_object('read_at', '{LAST_DAY}T18:00:00Z'), now()
    from generate_series(1, {ORGANIZATIONS}) as org
    cross join unnest(array['invoice_reg', 'wo', 'dept']) as stream;
"""
# Columns as a tenant's view has them, so that a row is as wide as a real one.
INVOICE = """
    jsonb_build_object(
        'InvoiceNo', n, 'SaleBranch', 1, 'SaleDept', (array[40, 50, 60, 10])[1 + n % 4],
        'SaleCode', (array['SVE', 'CSTPRT', 'RENTAL', 'NEWEQ', 'OWN'])[1 + n % 5], 'Customer', 1,
        'BillTo', (10000 + n % 300)::text, 'BillToName', 'Prairie Warehousing ' || n % 300,
        'ShipTo', (10000 + n % 300)::text,
        'ControlNo', null, 'SerialNo', 'LI' || n % 9000, 'PONo', 'PO-' || n,
        'OpenDate', to_char(day - 5, 'YYYY-MM-DD"T"08:15:00'), 'ClosedDate', to_char(day, 'YYYY-MM-DD"T"16:40:00'),
        'InvoiceDate', to_char(day, 'YYYY-MM-DD"T"00:00:00'), 'CurrencyType', 'USD',
        'PartsCost', 61.1100, 'LaborCost', 120.0000, 'MiscCost', 0.0000, 'RentalCost', 0.0000, 'EquipmentCost', 0.0000
    ) || jsonb_build_object(
        'PartsTaxable', (n % 977) + 0.2500, 'LaborTaxable', 0.0000, 'MiscTaxable', 3.5000, 'RentalTaxable', 0.0000,
        'EquipmentTaxable', 0.0000, 'PartsNonTax', null, 'LaborNonTax', (n % 1013) + 0.5000, 'MiscNonTax', null,
        'RentalNonTax', (n % 89) * 1.0000, 'EquipmentNonTax', null, 'TotalTax', 14.2500, 'GrandTotal', 1000.0000,
        'CreationTime', to_char(day, 'YYYY-MM-DD"T"16:40:11.337'), 'LastModificationTime', null, 'IsDeleted', false,
        'DeletionTime', null
    )
"""
ORDER = """
    jsonb_build_object(
        'WONo', n, 'Disposition', 1, 'SaleBranch', 1, 'SaleDept', 40, 'SaleCode', 'SVE', 'Type', 'S',
        'BillTo', (10000 + n % 300)::text, 'ShipTo', (10000 + n % 300)::text, 'Salesman', 'Anne',
        'SerialNo', 'LI' || n % 9000, 'UnitNo', 'U' || n % 9000, 'Make', 'Linde', 'Model', 'H25',
        'RentalStart', null, 'RentalEnd', null,
        'RentalContractNo', null, 'OpenDate', to_char(day - 5, 'YYYY-MM-DD"T"08:15:00'), 'ChangedDate', null,
        'CompletedDate', to_char(day, 'YYYY-MM-DD"T"16:30:00'), 'ClosedDate', to_char(day, 'YYYY-MM-DD"T"16:40:00'),
        'InvoiceDate', to_char(day, 'YYYY-MM-DD"T"00:00:00'), 'CreditFlag', 0, 'IsDeleted', false, 'DeletionTime', null,
        'CreationTime', to_char(day - 5, 'YYYY-MM-DD"T"08:15:11.007')
    )
"""
LAND = """
    insert into staging_softbase.{stream} (org_id, record_id, payload, payload_hash, extracted_at, run_id)
    select org, n::text, payload, decode(md5(payload::text), 'hex'), now(), {run}
    from (
        select 1 + g % {organizations} as org, 110000000 + g / {organizations} as n, {day} as day
        from generate_series({first}, {last}) as g
    ) as row cross join lateral (select {document} as payload) as document
"""
# A night's changes by the loader's rules: what is written has the run's number, and every night changes others.
CHANGES = """
    update staging_softbase.invoice_reg
    set payload = payload || '{{"InvoiceDate": "2026-02-20T00:00:00"}}', run_id = {run}, extracted_at = now()
    where record_id::int % 5000 = 4 + {run};
    update staging_softbase.invoice_reg set deleted_at = now(), run_id = {run}, extracted_at = now()
    where record_id::int % 10000 = 5 + {run};
    update staging_softbase.wo
    set payload = payload || '{{"ClosedDate": null}}', run_id = {run}, extracted_at = now()
    where record_id::int % 250 = 6 + {run} and payload ->> 'OpenDate' >= '2026-01-01';
"""


def land(connection: psycopg.Connection, first: int, last: int, run: int, day: str) -> None:
    """Invoices and their orders, numbers dealt out to the organizations in turn; ``day``: SQL of the date of row g."""
    for stream, document in (("invoice_reg", INVOICE), ("wo", ORDER)):
        connection.execute(
            LAND.format(
                stream=stream, organizations=ORGANIZATIONS, first=first, last=last, run=run, day=day, document=document
            )
        )


def figures(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    """The mart without what tells when its rows were written."""
    return connection.execute(
        "select (to_jsonb(m) - '{id,created_at,updated_at}'::text[])::text from marts.mart_sales_daily as m"
        " order by org_id, sales_date"
    ).fetchall()


def main() -> None:
    """Run the benchmark and print its table."""
    with own_warehouse() as home, connect(autocommit=True) as connection:
        ensure_tables(connection, "softbase", SOURCES["softbase"].streams)
        connection.execute(PREPARE)
        land(connection, 0, INVOICES - 1, 1, f"date '{LAST_DAY}' - (g::bigint * {DAYS} / {INVOICES})::int")
        connection.execute("vacuum analyze staging_softbase.invoice_reg")
        connection.execute("vacuum analyze staging_softbase.wo")
        dbt = warehouse(database_url(), home / "bench")
        dbt.build(*WITHOUT_TESTS, "--select", "+mart_sales_daily", "--exclude", *MODELS)

        def build(*arguments: str) -> None:
            outcome = dbt.run("run", "--select", *MODELS, *arguments)
            assert outcome.success, outcome.messages

        # dbt's own start, connections and look at the catalog, which both forms pay: a run of one view.
        overhead = min(seconds(lambda: dbt.run("run", "--select", "stg_softbase__wo")) for _ in range(3))
        first = seconds(build) - overhead
        days = connection.execute("select count(*) from marts.mart_sales_daily").fetchone()
        quiet = seconds(build) - overhead
        new = INVOICES // DAYS * 2
        nights = []
        for run in (3, 4):
            begin = INVOICES + (run - 3) * new
            land(connection, begin, begin + new - 1, run, f"date '{LAST_DAY}' - (g % 7)")
            connection.execute(CHANGES.format(run=run))
            nights.append(seconds(build) - overhead)
        night = min(nights)
        written = connection.execute(
            "select rows_inserted, rows_updated from ops.build_models where model = 'marts.mart_sales_daily'"
            " order by finished_at desc limit 1"
        ).fetchone()
        ours = figures(connection)
        naive = seconds(lambda: build("--full-refresh")) - overhead
        assert figures(connection) == ours, "the nights' figures are not those of all invoices"
    assert days is not None
    assert written is not None
    show(
        f"sales by day of {ORGANIZATIONS} organizations, {INVOICES:,} invoices and as many orders in {DAYS:,} days",
        [
            Figure("the night after", night, naive, "every invoice and order read again", 1 / 20),
            Figure("nothing changed", quiet, naive, "every invoice and order read again", 1 / 20),
        ],
        [
            f"the first build took {first:.1f} s, for {days[0]:,} days",
            f"a night (the better of two): {new:,} new invoices, about {INVOICES // 5000 + INVOICES // 10000} changed",
            f"days of the mart written that night: {written[0] + written[1]:,}",
            "figures after the nights are those of reading everything again",
        ],
    )


if __name__ == "__main__":
    main()
