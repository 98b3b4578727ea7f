"""``ops.secure_table`` and its kin: declare, repair, follow a declaration, and are free when nothing is to be done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

CREATE = "create table marts.t (id bigint primary key, org_id int not null, name text, unique (org_id, name))"


@pytest.fixture
def builder(database_everywhere: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_everywhere, autocommit=True) as connection:
        yield connection


def policies(builder: psycopg.Connection, relation: str = "marts.t") -> dict[str, str]:
    return dict(builder.execute("select policy, definition from ops.policies_of(%s::regclass)", (relation,)).fetchall())


def catalog_rows(builder: psycopg.Connection) -> list[Any]:
    """Versions of all catalog rows that securing a table writes."""
    return builder.execute(
        """
        select 'class', oid, xmin from pg_class where relnamespace = 'marts'::regnamespace
        union all
        select 'attribute', attrelid, xmin from pg_attribute where attrelid = 'marts.t'::regclass
        union all
        select 'policy', oid, xmin from pg_policy
        union all
        select 'database', oid, xmin from pg_database where datname = current_database()
        union all
        select 'namespace', oid, xmin from pg_namespace
        union all
        select 'routine', oid, xmin from pg_proc where pronamespace = 'ops'::regnamespace
        union all
        select 'default', oid, xmin from pg_default_acl
        order by 1, 2
        """
    ).fetchall()


def test_a_secured_table_is_neither_locked_nor_written_again(
    builder: psycopg.Connection, database_everywhere: str
) -> None:
    builder.execute(CREATE)
    builder.execute("select ops.secure_table('marts.t'), ops.secure_database()")
    before = catalog_rows(builder)
    with psycopg.connect(database_everywhere) as reader:
        reader.execute("select * from marts.t")
        # A reader's open transaction would stop any policy or grant from being issued.
        builder.execute("set lock_timeout = '2s'")
        builder.execute("select ops.secure_table('marts.t'), ops.secure_database()")
    assert catalog_rows(builder) == before


def test_an_altered_policy_is_repaired_and_a_foreign_one_left_to_the_audit(builder: psycopg.Connection) -> None:
    builder.execute(CREATE)
    builder.execute("select ops.secure_table('marts.t')")
    right = policies(builder)
    builder.execute("alter policy tenant on marts.t using (true)")
    builder.execute("drop policy every_organization on marts.t")
    builder.execute("create policy mine on marts.t using (true)")
    builder.execute("alter table marts.t force row level security")
    builder.execute("select ops.secure_table('marts.t')")
    assert {name: policies(builder)[name] for name in right} == right
    assert builder.execute("select object, remedy from ops.tenancy_violations").fetchall() == [
        ("marts.t", "drop policy mine on marts.t")
    ]


def test_a_table_follows_its_declaration_from_open_to_tenant_and_back(builder: psycopg.Connection) -> None:
    builder.execute("create table catalog.t (id int primary key, tenant int not null, unique (tenant))")
    builder.execute("select ops.secure_table('catalog.t', open_to_all => true)")
    assert set(policies(builder, "catalog.t")) == {"open"}
    builder.execute("select ops.secure_table('catalog.t', 'tenant')")
    assert set(policies(builder, "catalog.t")) == {"tenant", "every_organization"}
    builder.execute("select ops.secure_table('catalog.t', open_to_all => true)")
    assert set(policies(builder, "catalog.t")) == {"open"}


def test_a_new_column_is_kept_out_of_statistics_as_well(builder: psycopg.Connection) -> None:
    builder.execute(CREATE)
    builder.execute("select ops.secure_table('marts.t')")
    builder.execute("alter table marts.t add column code text")
    builder.execute("insert into marts.t values (1, 1, 'a', 'b')")
    assert "statistics of code" in str(builder.execute("select problem from ops.tenancy_violations").fetchall())
    builder.execute("select ops.secure_table('marts.t')")
    builder.execute("analyze marts.t")
    assert builder.execute("select * from pg_stats where schemaname = 'marts'").fetchall() == []
    assert builder.execute("select * from ops.tenancy_violations").fetchall() == []


def test_statistics_taken_against_the_rule_are_found_and_removed(builder: psycopg.Connection) -> None:
    builder.execute(CREATE)
    builder.execute("insert into marts.t select n, n % 3, 'name ' || n from generate_series(1, 100) as n")
    builder.execute("create index on marts.t (org_id, lower(name))")
    builder.execute("analyze marts.t; select ops.secure_table('marts.t')")
    right = policies(builder)
    builder.execute("alter table marts.t alter org_id set statistics 10, alter name set statistics 10; analyze marts.t")
    builder.execute("alter table marts.t alter org_id set statistics 0, alter name set statistics 0")
    assert "statistics of org_id, name" in str(builder.execute("select problem from ops.tenancy_violations").fetchall())
    builder.execute("select ops.secure_table('marts.t')")
    assert builder.execute("select * from pg_stats where schemaname = 'marts'").fetchall() == []
    assert builder.execute("select * from ops.tenancy_violations").fetchall() == []
    assert policies(builder) == right


@pytest.mark.parametrize(
    ("make", "call", "says"),
    [
        ("create table staging.t (org_id int)", "('staging.t')", "not in a published schema"),
        ("create table marts.t (name text)", "('marts.t')", "no integer column org_id"),
        ("create table marts.t (org_id text)", "('marts.t')", "no integer column org_id"),
        ("create materialized view marts.t as select 1 as org_id", "('marts.t')", "neither a table nor a view"),
    ],
)
def test_what_cannot_be_protected_is_refused(builder: psycopg.Connection, make: str, call: str, says: str) -> None:
    builder.execute(make)
    with pytest.raises(errors.RaiseException, match=says):
        builder.execute(f"select ops.secure_table{call}")


def test_nothing_of_the_callers_session_changes_what_the_functions_mean(builder: psycopg.Connection) -> None:
    builder.execute(CREATE)
    builder.execute(
        "create schema mine; create view mine.pg_policy as select * from pg_catalog.pg_policy where false;"
        "create function mine.format(text, variadic text[]) returns text language sql return 'select 1'"
    )
    builder.execute("set search_path = mine, pg_catalog; set row_security = off")
    builder.execute("select ops.secure_table('marts.t')")
    assert len(policies(builder)) == 2
    assert builder.execute("select * from ops.tenancy_violations").fetchall() == []


# What pg_restore does not run on a server that has no BI roles, as it stands afterwards.
LOST = """
drop policy every_organization on marts.t;
drop policy every_organization on marts.organizations;
revoke select on marts.t, marts.v, marts.organizations, catalog.o from aiop_bi;
revoke usage on schema marts, catalog from aiop_bi;
revoke execute on function ops.session_org_ids() from aiop_bi;
grant execute on function ops.session_org_ids() to public;
alter default privileges grant execute on functions to public;
"""
PUBLISHED = """
create view marts.v as select id, org_id from marts.t;
select ops.secure_table('marts.t'), ops.secure_table('marts.v');
create table marts.organizations (id int primary key);
select ops.secure_table('marts.organizations', 'id');
create table catalog.o (n int primary key);
select ops.secure_table('catalog.o', open_to_all => true);
"""
RIGHTS = """
select 'class', oid::regclass::text, relacl::text from pg_class
where relnamespace::regnamespace::text in ('marts', 'catalog')
union all
select 'schema', nspname, nspacl::text from pg_namespace where nspname = any(ops.published_schemas())
union all
select 'routine', oid::regprocedure::text, proacl::text from pg_proc where pronamespace = 'ops'::regnamespace
union all
select 'default', defaclobjtype::text, defaclacl::text from pg_default_acl
union all
select 'policy', polrelid::regclass::text || '.' || polname, polroles::regrole[]::text from pg_policy
order by 1, 2
"""


def test_everything_that_a_restore_without_the_roles_loses_is_put_back(builder: psycopg.Connection) -> None:
    builder.execute(CREATE)
    builder.execute(PUBLISHED)
    right = builder.execute(RIGHTS).fetchall()
    builder.execute(LOST)
    assert builder.execute("select count(*) from ops.tenancy_violations").fetchone() != (0,)
    assert builder.execute(RIGHTS).fetchall() != right
    builder.execute("select ops.secure_warehouse()")
    assert builder.execute(RIGHTS).fetchall() == right
    assert builder.execute("select * from ops.tenancy_violations").fetchall() == []


def test_a_warehouse_in_order_is_neither_locked_nor_written_again(
    builder: psycopg.Connection, database_everywhere: str
) -> None:
    builder.execute(CREATE)
    builder.execute(PUBLISHED)
    builder.execute("select ops.secure_warehouse()")
    before = catalog_rows(builder)
    with psycopg.connect(database_everywhere) as reader:
        reader.execute("select * from marts.t, marts.organizations, catalog.o")
        builder.execute("set lock_timeout = '2s'")
        builder.execute("select ops.secure_warehouse()")
    assert catalog_rows(builder) == before


def test_what_nobody_published_is_left_to_the_audit(builder: psycopg.Connection) -> None:
    builder.execute(
        "create table marts.mine (org_id int primary key); create view marts.its as select * from marts.mine"
    )
    builder.execute("create table marts.organizations (id int primary key)")
    builder.execute("select ops.secure_table('marts.organizations', 'id')")
    builder.execute("alter policy tenant on marts.organizations using (true)")
    builder.execute("select ops.secure_warehouse()")
    assert builder.execute(
        "select has_table_privilege('aiop_bi', 'marts.mine', 'select'),"
        " has_table_privilege('aiop_bi', 'marts.its', 'select')"
    ).fetchone() == (False, False)
    found = {name for (name,) in builder.execute("select object from ops.tenancy_violations").fetchall()}
    assert found == {"marts.mine", "marts.its", "marts.organizations"}
