"""The audit names each way tenants stop being apart, when it is really there, and a remedy that works."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from orchestration.warehouse.embedded import EmbeddedPostgres

SECURED = """
create table marts.t (id bigint primary key, org_id int not null, name text, unique (org_id, name));
select ops.secure_table('marts.t');
create view marts.v as select * from marts.t;
select ops.secure_table('marts.v');
create table catalog.o (code text primary key, name text);
select ops.secure_table('catalog.o', open_to_all => true);
create table marts.organizations (id int primary key, slug text);
select ops.secure_table('marts.organizations', 'id');
create sequence marts.s;
"""


@dataclass(frozen=True)
class Violation:
    """``inject`` makes it, as a superuser ({role}: a tenant's role); the audit says ``problem`` of ``about``.

    ``remedy`` is False where the remedy is a sentence, not a statement.
    """

    inject: str
    about: str
    problem: str
    remedy: bool = True


AS_BUILDER = "set local role aiop_builder; "

RELATIONS = [
    Violation("alter table marts.t disable row level security", "marts.t", "row-level security is off"),
    Violation(AS_BUILDER + "create table marts.n (a int)", "marts.n", "row-level security is off", remedy=False),
    Violation("alter table marts.t force row level security", "marts.t", "is forced"),
    Violation(
        AS_BUILDER + "create materialized view marts.m as select 1 as a", "marts.m", "a materialized view", remedy=False
    ),
    Violation(
        "create foreign data wrapper w; create server s foreign data wrapper w;"
        "create foreign table marts.f (a int) server s",
        "marts.f",
        "a foreign table",
        remedy=False,
    ),
    Violation("alter view marts.v reset (security_invoker)", "marts.v", "reads with its owner's rights"),
    Violation("alter view marts.v set (security_invoker = off)", "marts.v", "reads with its owner's rights"),
    Violation(AS_BUILDER + "create view kpis.v as select * from marts.t", "kpis.v", "reads with its owner's rights"),
    Violation("drop policy tenant on marts.t", "marts.t", "policy tenant is missing"),
    Violation("drop policy every_organization on marts.t", "marts.t", "policy every_organization is missing"),
    Violation("drop policy open on catalog.o", "catalog.o", "policy tenant is missing", remedy=False),
    Violation("alter policy tenant on marts.t using (true)", "marts.t", "policy tenant is not the one"),
    Violation(
        "alter policy tenant on marts.t using (id = any ((select ops.session_org_ids())::int[]))",
        "marts.t",
        "(id = ANY",
    ),
    Violation("alter policy every_organization on marts.t to public", "marts.t", "policy every_organization is not"),
    Violation(
        "alter policy tenant on marts.organizations using (true)", "marts.organizations", "is not the one", remedy=False
    ),
    Violation("alter table marts.organizations disable row level security", "marts.organizations", "security is off"),
    Violation("create policy mine on marts.t using (true)", "marts.t", "policy mine is not the one"),
    Violation("create policy mine on marts.t as restrictive using (true)", "marts.t", "policy mine is not the one"),
    Violation("create policy open on marts.t for select using (true)", "marts.t", "although it has org_id"),
    Violation(
        "alter table catalog.o add column organization_id uuid", "catalog.o", "although it has organization_id", False
    ),
    Violation("alter table marts.t alter name set statistics 10", "marts.t", "from statistics of name"),
    Violation("create statistics marts.x (ndistinct) on org_id, name from marts.t", "marts.t", "extended statistics x"),
    Violation("create index i on marts.t (org_id, lower(name))", "marts.i", "statistics of an expression"),
    Violation("create index i on marts.t (name)", "marts.t", "index marts.i does not start with", remedy=False),
    Violation("create unique index i on marts.t (name)", "marts.t", "index marts.i does not start with", remedy=False),
    Violation("create unique index i on marts.t (name, org_id)", "marts.t", "does not start with", remedy=False),
    Violation("create unique index i on marts.t (id, name)", "marts.t", "does not start with", remedy=False),
    Violation(
        "alter table marts.t drop constraint t_org_id_name_key", "marts.t", "no unique index starts with", remedy=False
    ),
]

FUNCTIONS = [
    Violation(AS_BUILDER + "create function marts.f() returns int language sql return 1", "marts.f()", "have no place"),
    Violation(
        AS_BUILDER + "create function ops.f() returns int language sql security definer return 1;"
        "grant execute on function ops.f() to public",
        "ops.f()",
        "run it with its owner's rights",
    ),
    Violation(
        AS_BUILDER + "create procedure staging.p() language plpgsql security definer as 'begin end';"
        "grant execute on procedure staging.p() to aiop_bi",
        "staging.p()",
        "run it with its owner's rights",
    ),
    Violation(
        "alter function ops.session_org_ids() security invoker", "ops.session_org_ids()", "altered", remedy=False
    ),
    Violation("alter function ops.session_org_ids() reset all", "ops.session_org_ids()", "altered", remedy=False),
    Violation(
        "create or replace function ops.session_org_ids() returns int[] language sql stable security definer"
        " parallel safe set search_path = pg_catalog, pg_temp as 'select array[1, 2]'",
        "ops.session_org_ids()",
        "altered",
        remedy=False,
    ),
]

ROLES = [
    Violation("alter role {role} superuser", "{role}", "is a superuser"),
    Violation("alter role {role} bypassrls", "{role}", "bypasses row-level security"),
    Violation("alter role {role} createrole", "{role}", "may create roles"),
    Violation("alter role {role} createdb", "{role}", "may create databases"),
    Violation("alter role {role} replication", "{role}", "by replication"),
    Violation("alter role aiop_bi login", "aiop_bi", "may log in"),
    Violation("grant pg_read_all_data to {role}", "{role}", "is a member of pg_read_all_data"),
    Violation("grant aiop_builder to {role}", "{role}", "is a member of aiop_builder"),
    Violation("grant aiop_bi_all to {role}", "{role}", "is a member of aiop_bi_all"),
    Violation("grant pg_monitor to aiop_bi", "aiop_bi", "is a member of pg_monitor"),
    Violation("grant aiop_bi to {role} with admin option", "{role}", "may hand on membership"),
    Violation("create table ops.o (a int); alter table ops.o owner to {role}", "{role}", "owns table ops.o"),
    Violation("alter schema staging owner to {role}", "{role}", "owns schema staging"),
    Violation("create function public.f() returns int language sql return 1; alter function public.f() owner to {role}",
              "{role}", "owns function"),
    Violation("create role stranger bypassrls; grant aiop_bi to stranger", "stranger", "bypasses row-level security"),
]  # fmt: skip

PRIVILEGES = [
    Violation("grant usage on schema ops to aiop_bi", "ops", "aiop_bi holds USAGE on schema"),
    Violation("grant usage on schema staging to {role}", "staging", "holds USAGE on schema"),
    Violation("grant usage on schema intermediate to public", "intermediate", "PUBLIC holds USAGE on schema"),
    Violation("grant usage on schema marts to public", "marts", "PUBLIC holds USAGE on schema"),
    Violation("grant usage on schema marts to aiop_bi with grant option", "marts", "USAGE with grant option"),
    Violation("grant create on schema marts to aiop_bi", "marts", "holds CREATE on schema"),
    Violation("grant create on schema public to public", "public", "PUBLIC holds CREATE on schema"),
    Violation("grant select on ops.tenant_roles to aiop_bi", "ops.tenant_roles", "aiop_bi holds SELECT on table"),
    Violation("grant select (role_name) on ops.tenant_roles to {role}", "ops.tenant_roles", "SELECT (role_name)"),
    Violation("grant select on marts.t to public", "marts.t", "PUBLIC holds SELECT on table"),
    Violation("grant insert on marts.t to aiop_bi", "marts.t", "aiop_bi holds INSERT on table"),
    Violation("grant truncate on marts.t to {role}", "marts.t", "holds TRUNCATE on table"),
    Violation("grant update (name) on marts.t to aiop_bi_all", "marts.t", "holds UPDATE (name) on table"),
    Violation("grant select on marts.t to aiop_bi with grant option", "marts.t", "SELECT with grant option"),
    Violation("grant usage on sequence marts.s to aiop_bi", "marts.s", "aiop_bi holds USAGE on sequence"),
    Violation("grant select on sequence marts.s to aiop_bi", "marts.s", "aiop_bi holds SELECT on sequence"),
    Violation("grant select on pg_authid to {role}", "pg_authid", "holds SELECT on table"),
    Violation("grant execute on function pg_read_file(text) to aiop_bi", "pg_read_file(text)", "EXECUTE on routine"),
    Violation("grant execute on function ops.secure_database() to aiop_bi", "ops.secure_database()", "holds EXECUTE"),
    Violation("grant temporary on database {database} to public", "{database}", "PUBLIC holds TEMPORARY on database"),
    Violation("grant temporary on database {database} to aiop_bi", "{database}", "aiop_bi holds TEMPORARY on database"),
    Violation("grant create on database {database} to {role}", "{database}", "holds CREATE on database"),
    Violation("create foreign data wrapper w; grant usage on foreign data wrapper w to aiop_bi",
              "foreign-data wrapper w", "holds a privilege", remedy=False),
    Violation("grant set on parameter session_replication_role to aiop_bi", "parameter session_replication_role",
              "holds a privilege", remedy=False),
    Violation("alter default privileges for role aiop_builder in schema staging grant select on tables to aiop_bi",
              "objects yet to be made by aiop_builder", "aiop_bi will hold SELECT"),
    Violation("alter default privileges for role aiop_builder grant insert on tables to public",
              "objects yet to be made by aiop_builder", "PUBLIC will hold INSERT"),
    Violation("alter default privileges for role aiop_builder grant execute on functions to aiop_bi",
              "objects yet to be made by aiop_builder", "aiop_bi will hold EXECUTE"),
]  # fmt: skip


@pytest.fixture
def injected(database_everywhere: str, postgres_server, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A superuser's transaction, rolled back at the end: roles belong to the server, which other tests use."""
    database = database_everywhere.rsplit("/", 1)[1]
    server: EmbeddedPostgres = postgres_server(request.node.callspec.params["database_everywhere"])
    with psycopg.connect(database_everywhere, autocommit=True) as builder:
        builder.execute("select ops.secure_database()")
        builder.execute(SECURED)
    with psycopg.connect(server.superuser_url(database)) as connection:
        yield connection
        connection.rollback()


def found(connection: psycopg.Connection) -> list[tuple[str, str, str]]:
    return connection.execute("select object, problem, remedy from ops.tenancy_violations").fetchall()


@pytest.mark.parametrize(
    "violations",
    [RELATIONS, FUNCTIONS, ROLES, PRIVILEGES],
    ids=["relations", "functions", "roles", "privileges"],
)
def test_every_violation_is_found_and_its_remedy_ends_it(
    injected: psycopg.Connection, violations: list[Violation]
) -> None:
    role = f"aiop_t_{uuid.uuid4().hex[:12]}"
    injected.execute(
        sql.SQL(
            "create role {role} login; grant aiop_bi to {role};"
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (1, 'a', 'a', gen_random_uuid(), 'UTC', 'USD');"
            "insert into ops.tenant_roles (role_name, org_id) values ({name}, 1)"
        ).format(role=sql.Identifier(role), name=sql.Literal(role))
    )
    assert found(injected) == []
    names = {"{role}": role, "{database}": injected.info.dbname}

    def fill(text: str) -> str:
        for placeholder, name in names.items():
            text = text.replace(placeholder, name)
        return text

    missed: list[str] = []
    for violation in violations:
        injected.execute("savepoint clean")
        injected.execute(fill(violation.inject))
        injected.execute("reset role")
        rows = found(injected)
        matching = [row for row in rows if row[0] == fill(violation.about) and violation.problem in row[1]]
        if not matching:
            missed.append(f"{violation.inject}: {rows}")
        elif violation.remedy:
            # Several rows may stem from one cause, with one remedy or a few.
            for remedy in dict.fromkeys(row[2] for row in rows):
                injected.execute(remedy)
            if found(injected):
                missed.append(f"remedies of {violation.inject}: {found(injected)}")
        injected.execute("rollback to savepoint clean")
    assert not missed


def test_what_does_not_part_tenants_is_no_violation(injected: psycopg.Connection) -> None:
    """A superuser as builder, a surrogate uuid, a sequence, functions elsewhere, membership of the builder."""
    injected.execute(
        """
        alter role aiop_builder superuser;
        set local role aiop_builder;
        create table platform.e (id uuid primary key, org_id int not null, code text, unique (org_id, code));
        select ops.secure_table('platform.e');
        create function staging.f() returns int language sql return 1;
        create table staging.landed (org_id int, payload jsonb);
        create materialized view intermediate.m as select * from staging.landed;
        grant aiop_bi to aiop_builder;
        """
    )
    assert found(injected) == []


def test_the_builder_itself_can_run_the_audit(database_everywhere: str) -> None:
    with psycopg.connect(database_everywhere) as connection:
        connection.execute("set row_security = off")
        connection.execute("select ops.secure_database()")
        assert connection.execute("select * from ops.tenancy_violations").fetchall() == []
