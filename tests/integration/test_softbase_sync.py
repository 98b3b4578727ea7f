"""Reading a dealership from a real server: what changed, what is deleted, what may not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from servers import EMBEDDED
from softbase_world import softbase_world

from orchestration.demo.dealer.database import create_views, update
from orchestration.demo.dealer.dealership import BENNETT, LAKESIDE, Dealership, small
from orchestration.demo.dealer.life import Life
from orchestration.demo.serving.databases import (
    Server,
    StandInDatabase,
    drop_database,
    ensure_database,
    set_clock,
)
from orchestration.demo.world import World
from orchestration.errors import StreamUnavailable
from orchestration.quality.check import check
from orchestration.sources.core.records import Record
from orchestration.sources.softbase.source import SOFTBASE
from orchestration.warehouse.embedded import EmbeddedPostgres

WORLD = World()
FEW = small(BENNETT, first_day=WORLD.base.date().replace(day=1))
# Its wall clock at the world's first instant is 07:00.
CHICAGO = "America/Chicago"


@dataclass
class Tenant:
    """A dealership's database without rows, and what a reader remembers of it."""

    dealership: Dealership
    database: StandInDatabase
    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, statement: str, *values: Any) -> None:
        with self.database.writing() as connection:
            connection.execute(sql.SQL("set local search_path = {}").format(sql.Identifier(self.dealership.schema)))
            connection.execute(statement, values)  # type: ignore[arg-type]

    def read(self, stream: str, **settings: Any) -> dict[str, Record]:
        """One stream's records, by key; the next read goes on from there."""
        connection = {"url": self.database.reader_url, "schema": self.dealership.schema} | settings
        with SOFTBASE.open(connection, organization="one", timezone=CHICAGO) as session:
            extract = session.read(SOFTBASE.stream(stream), self.states.get(stream), None)
            records = list(extract.records)
        self.states[stream] = extract.state
        return {record.record_id: record for record in records}

    def live_on(self, days: int) -> None:
        with self.database.writing() as connection:
            set_clock(connection, World(days=days))


@pytest.fixture
def made(postgres_server: Callable[[str], EmbeddedPostgres]) -> Iterator[Callable[[Dealership], Tenant]]:
    """A function that makes a dealership's database."""
    server = Server(postgres_server(EMBEDDED).superuser_url)
    names = []

    def make(dealership: Dealership) -> Tenant:
        name = f"tenant_{uuid4().hex[:12]}"
        names.append(name)
        database = ensure_database(server, name, "password-of-a-tenant")
        with database.writing() as connection:
            create_views(connection, dealership)
            set_clock(connection, WORLD)
        return Tenant(dealership, database)

    yield make
    for name in names:
        drop_database(server, name)


@pytest.fixture
def tenant(made: Callable[[Dealership], Tenant]) -> Tenant:
    return made(BENNETT)


def test_a_row_lands_as_the_view_has_it(tenant: Tenant) -> None:
    tenant.run(
        """
        insert into "InvoiceReg" ("InvoiceNo", "SaleDept", "SaleCode", "BillToName", "InvoiceDate", "OpenDate",
            "LaborTaxable", "PartsTaxable", "TotalTax", "GrandTotal", "IsDeleted", "LastModificationTime")
        values (110012345, 40, 'SVE', 'Ada', '2026-02-03', '2026-02-02 23:30', 450, 120.5025, 39.935, -610.4375, false,
            '2026-02-03 09:15:00.997')
        """
    )
    ((key, record),) = tenant.read("invoice_reg").items()
    assert record.payload is not None
    assert key == "110012345"
    assert not record.deleted
    # 09:15 in Chicago, in winter.
    assert record.updated_at is not None
    assert record.updated_at.isoformat() == "2026-02-03T15:15:00.997000+00:00"
    assert {name: record.payload[name] for name in ("InvoiceNo", "SaleDept", "SaleCode", "IsDeleted", "ShipTo")} == {
        "InvoiceNo": 110012345,
        "SaleDept": 40,
        "SaleCode": "SVE",
        "IsDeleted": False,
        "ShipTo": None,
    }
    assert record.payload["InvoiceDate"] == "2026-02-03T00:00:00"
    assert record.payload["OpenDate"] == "2026-02-02T23:30:00"
    assert record.payload["LastModificationTime"] == "2026-02-03T09:15:00.997000"
    assert str(record.payload["PartsTaxable"]) == "120.5025"
    assert record.payload["GrandTotal"] == Decimal("-610.4375")
    # Neither what is a person's, nor what the view lacks.
    assert not {"BillToName", "Comments", "HourMeter"} & set(record.payload)


def test_a_key_of_several_columns_is_written_as_a_list(tenant: Tenant) -> None:
    tenant.run("""insert into "GL" ("AccountNo", "AccountField", "Year", "Month", "YTD", "MTD")
        values ('110100', 'Actual', 2026, 2, 152340.12, -8021.55), ('110100', 'Budget', 2026, 2, 1, 1)""")
    assert set(tenant.read("gl")) == {'["110100","Actual",2026,2]', '["110100","Budget",2026,2]'}


def test_the_databases_reader_may_not_see_payment_cards_and_none_is_asked_for(tenant: Tenant) -> None:
    tenant.run(
        """insert into "Customer" ("Number", "Name", "Phone", "CreditCardNo") values ('C1', 'Acme', '1', '4111')"""
    )
    with psycopg.connect(tenant.database.reader_url.replace("+psycopg", "")) as reader:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f'select "CreditCardNo" from {tenant.dealership.schema}."Customer"')
    ((_, record),) = tenant.read("customer").items()
    assert record.payload == {"Number": "C1", "Name": "Acme", "State": None, "Terms": None}


def test_a_view_that_is_missing_denied_or_short_of_a_column_is_no_other_views_concern(tenant: Tenant) -> None:
    tenant.run('drop table "Branch"')
    tenant.run(f'revoke all on "Customer", "RentalHistory" from {tenant.database.name}_reader')
    tenant.run('alter table "Dept" drop column "Title"')
    tenant.run("""insert into "WO" ("WONo", "OpenDate") values (1, '2026-01-02')""")
    connection = {"url": tenant.database.reader_url, "schema": tenant.dealership.schema}
    failed = {}
    with SOFTBASE.open(connection, organization="one", timezone=CHICAGO) as session:
        for stream in SOFTBASE.streams:
            try:
                list(session.read(stream, None, None).records)
            except StreamUnavailable as error:
                failed[stream.name] = error
    assert set(failed) == {"dept", "rental_history"}
    assert "[Dept] has no column [Title]" in str(failed["dept"])
    assert (failed["dept"].organization, failed["dept"].stream) == ("one", "dept")


def orders(tenant: Tenant) -> None:
    """Four old orders that nobody has touched since: closed, closed, open, deleted."""
    tenant.run("""
        insert into "WO" ("WONo", "Type", "OpenDate", "ClosedDate", "CreationTime", "IsDeleted", "DeletionTime")
        values (1, 'S', '2024-01-02', '2024-01-05', '2024-01-02', false, null),
            (2, 'S', '2024-01-02', '2024-01-05', '2024-01-02', null, null),
            (3, 'S', '2024-01-02', null, '2024-01-02', false, null),
            (4, 'S', '2024-01-02', '2024-01-05', '2024-01-02', true, '2024-02-01')
    """)


def test_a_night_reads_what_was_made_changed_or_deleted_and_what_is_open(tenant: Tenant) -> None:
    orders(tenant)
    first = tenant.read("wo")
    assert {key: record.deleted for key, record in first.items()} == {"1": False, "2": False, "3": False, "4": True}
    tenant.live_on(1)
    assert set(tenant.read("wo")) == {"3"}
    # A deletion leaves the time of the last change as it was.
    tenant.run("""update "WO" set "IsDeleted" = true, "DeletionTime" = '2026-11-21 09:00' where "WONo" = 1""")
    tenant.run("""update "WO" set "LastModificationTime" = '2026-11-21 09:00', "IsDeleted" = false,
        "DeletionTime" = null where "WONo" = 4""")
    tenant.run("""insert into "WO" ("WONo", "OpenDate", "ClosedDate", "CreationTime")
        values (5, '2024-03-01', '2024-03-01', '2026-11-21 09:00')""")
    tenant.live_on(2)
    night = tenant.read("wo")
    assert {key: record.deleted for key, record in night.items()} == {"1": True, "3": False, "4": False, "5": False}
    assert night["1"].payload is not None


def test_an_order_that_is_opened_again_is_read_though_its_audit_columns_say_nothing(tenant: Tenant) -> None:
    orders(tenant)
    tenant.read("wo")
    tenant.run("""update "WO" set "ClosedDate" = null where "WONo" = 2""")
    tenant.live_on(1)
    assert set(tenant.read("wo")) == {"2", "3"}
    # Closed again today, behind the audit columns as before.
    tenant.run("""update "WO" set "ClosedDate" = '2026-11-21' where "WONo" = 2""")
    tenant.live_on(2)
    assert set(tenant.read("wo")) == {"2", "3"}


def test_what_is_gone_without_a_trace_is_missing_from_the_weeks_full_read(tenant: Tenant) -> None:
    orders(tenant)
    tenant.read("wo")
    tenant.run("""delete from "WO" where "WONo" = 1""")
    tenant.live_on(6)
    assert set(tenant.read("wo")) == {"3"}
    tenant.live_on(7)
    assert set(tenant.read("wo")) == {"2", "3", "4"}


@pytest.mark.parametrize(
    ("read_at", "written"),
    [
        # 06:45 and 07:10 UTC are 01:45 in summer time and, after it ended, 01:10.
        ("2026-11-01T06:45:00+00:00", "2026-11-01 01:10"),
        ("2026-11-01T07:45:00+00:00", "2026-11-01 01:50"),
        # 07:55 UTC is 01:55, and half an hour later it is 03:25.
        ("2026-03-08T07:55:00+00:00", "2026-03-08 03:25"),
        # An hour before and after midnight.
        ("2026-02-03T05:25:00+00:00", "2026-02-02 23:30"),
        ("2026-02-03T06:25:00+00:00", "2026-02-03 00:30"),
    ],
)
def test_what_is_written_after_a_read_is_read_next_whatever_the_clock_does(
    tenant: Tenant, read_at: str, written: str
) -> None:
    insert = (
        """insert into "Equipment" ("SerialNo", "LastModificationTime", "CreatedDate") values (%s, %s, '2020-01-01')"""
    )
    tenant.run(insert, "new", written)
    tenant.run(insert, "old", "2026-01-01 12:00")
    tenant.states["equipment"] = {"changed_since": read_at, "full_at": "2026-11-20T00:00:00+00:00"}
    assert "new" in tenant.read("equipment")
    tenant.states["equipment"] = {"changed_since": read_at, "full_at": "2026-11-20T00:00:00+00:00"}
    assert "old" not in tenant.read("equipment")


def test_without_audit_columns_a_deletion_shows_in_the_next_night(made: Callable[[Dealership], Tenant]) -> None:
    tenant = made(LAKESIDE)
    insert = """insert into "WO" ("WONo", "OpenDate", "ClosedDate") values (%s, '2024-01-02', '2024-01-05')"""
    for number in (1, 2):
        tenant.run(insert, number)
    tenant.read("wo")
    tenant.run("""delete from "WO" where "WONo" = 1""")
    tenant.live_on(1)
    assert set(tenant.read("wo")) == {"2"}


def test_the_settings_zone_and_start_are_the_dealerships(tenant: Tenant) -> None:
    orders(tenant)
    assert set(tenant.read("wo", start_date="2024-01-06")) == {"3"}
    tenant.states.clear()
    tenant.run("""update "WO" set "LastModificationTime" = '2026-07-01 12:00'""")
    read = tenant.read("wo", timezone="America/New_York")
    assert read["1"].updated_at is not None
    assert read["1"].updated_at.isoformat() == "2026-07-01T16:00:00+00:00"


def test_a_living_dealership_lands_and_meets_what_is_expected_of_it(
    database: str, postgres_server: Callable[[str], EmbeddedPostgres], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(postgres_server(EMBEDDED).superuser_url)
    dealerships = [small(one, first_day=WORLD.base.date().replace(day=1)) for one in (BENNETT, LAKESIDE)]
    with softbase_world(database, server, tmp_path, monkeypatch, dealerships) as world:
        world.sync()
        world.server.advance(1)
        world.sync()
        assert world.sync().rows_changed == 0
        checked = check("softbase", document=False)
        assert not checked.failing, checked.failing
        assert not world.query("select 1 from staging_softbase.customer where payload::text ~ '4111|737'")

        for stream, org_id, member in (
            ("invoice_reg", 1, '{"LaborTaxable": "much"}'),
            ("customer", 2, '{"CardNumber": "4111"}'),
        ):
            world.query(
                f"update staging_softbase.{stream} set payload = payload || %s::jsonb where org_id = %s returning 1",
                member,
                org_id,
            )
        # So that all is looked at again, as if it were new.
        world.query("delete from ops.quality_streams returning 1")
        failing = {(one.stream, one.organization, one.expectation) for one in check("softbase", document=False).failing}
        assert failing == {
            ("invoice_reg", BENNETT.slug, "labor_taxable_readable"),
            ("invoice_reg", BENNETT.slug, "grand_total_adds_up"),
            ("customer", LAKESIDE.slug, "no_cards"),
        }


def test_the_demos_dealership_is_made_once_and_follows_the_world(made: Callable[[Dealership], Tenant]) -> None:
    tenant = made(FEW)

    def versions() -> list[tuple]:
        with tenant.database.writing() as connection:
            return connection.execute(
                sql.SQL('select "WONo", xmin::text, "ClosedDate" from {} order by 1').format(
                    sql.Identifier(FEW.schema, "WO")
                )
            ).fetchall()

    def brought_to(world: World) -> list[tuple]:
        with tenant.database.writing() as connection:
            update(FEW, connection, world)
        return versions()

    first = brought_to(World(days=1))
    assert brought_to(World(days=1)) == first
    later = brought_to(World(days=3))
    assert {row[0] for row in later} > {row[0] for row in first}
    life = Life.of(FEW, World(days=3))
    assert {row[0]: row[2] for row in later} == {order.number: order.closed for order in life.records.orders.values()}
    assert set(tenant.read("wo")) == {str(number) for number in life.records.orders}
