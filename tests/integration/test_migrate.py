"""Setting a database up: once, by several at a time, and by roles that may not do everything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from urllib.parse import quote

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import sql

from orchestration.errors import DatabaseError
from orchestration.warehouse import migrate, role_rights, roles
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.embedded_bootstrap import create_database


@pytest.fixture
def administrator(server: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """A superuser's session on a server that has no warehouse yet, and none of its roles but the builder."""
    server.start()
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def customer(server: EmbeddedPostgres, administrator: psycopg.Connection) -> Callable[..., str]:
    """A function that makes a role and a database as customers have them, and returns the role's URL."""

    def make(name: str, *, rights: str = "", owner: bool = False) -> str:
        role, database = sql.Identifier(name), sql.Identifier(f"{name}_warehouse")
        administrator.execute(sql.SQL("create role {} login password 'pw' " + rights).format(role))
        administrator.execute(sql.SQL("create database {}").format(database))
        if owner:
            administrator.execute(sql.SQL("alter database {} owner to {}").format(database, role))
        return f"postgresql://{quote(name)}:pw@127.0.0.1:{server.status().port}/{quote(name)}_warehouse"

    return make


def works(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up for plain: nothing to complain of, and a tenant can log in and read what is published for it."""
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    migrate.upgrade(url)
    with psycopg.connect(url, autocommit=True) as builder:
        builder.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (1, 'a', 'A', gen_random_uuid(), 'UTC', 'USD')"
        )
        builder.execute("create table marts.t (org_id int primary key); insert into marts.t values (1), (2)")
        builder.execute("select ops.secure_table('marts.t')")
        builder.execute("create temporary table landing (a int)")
        builder.execute("create schema staging_quickbooks")
        assert builder.execute("select object, problem from ops.tenancy_violations").fetchall() == []
        with psycopg.connect(roles.credentials(builder, "a")) as tenant:
            assert tenant.execute("select * from marts.t").fetchall() == [(1,)]
        with psycopg.connect(roles.all_credentials(builder)) as everyone:
            assert len(everyone.execute("select * from marts.t").fetchall()) == 2


def run_in(server: EmbeddedPostgres, url: str, statements: str) -> None:
    """Run statements as the administrator, in the database that ``url`` names."""
    with psycopg.connect(server.superuser_url(url.rsplit("/", 1)[1]), autocommit=True) as connection:
        connection.execute(sql.SQL(statements))


def test_a_role_without_rights_gets_the_sql_that_is_enough_and_so_does_the_next(
    server: EmbeddedPostgres, customer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second meets roles that the first one's administrator made: from Postgres 16 on it needs rights on them."""
    for name in ("first", 'Second "Role'):
        url = customer(name)
        with pytest.raises(roles.AdministratorNeeded) as needed:
            migrate.upgrade(url)
        assert "it may not create roles" in str(needed.value)
        with psycopg.connect(url) as untouched:
            assert untouched.execute("select * from pg_namespace where nspname = 'ops'").fetchall() == []
        assert needed.value.sql == roles.administrator_sql(f"{name}_warehouse", name)
        # An administrator who runs it twice does no harm.
        run_in(server, url, needed.value.sql)
        run_in(server, url, needed.value.sql)
        works(url, monkeypatch)


def test_a_role_that_owns_its_database_and_may_create_roles_needs_nobody(
    customer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works(customer("owner", rights="createrole", owner=True), monkeypatch)


def test_a_superuser_has_more_than_is_needed_and_works(
    customer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works(customer("postgres_itself", rights="superuser"), monkeypatch)


def test_roles_made_by_another_warehouse_need_the_admin_option_from_16_on(
    server: EmbeddedPostgres,
    administrator: psycopg.Connection,
    customer: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    works(customer("first", rights="createrole", owner=True), monkeypatch)
    second = customer("second", rights="createrole", owner=True)
    if administrator.info.server_version >= 160000:
        with pytest.raises(roles.AdministratorNeeded) as needed:
            migrate.upgrade(second)
        assert needed.value.missing == [
            "it may not administer the role aiop_bi",
            "it may not administer the role aiop_bi_all",
        ]
        run_in(server, second, needed.value.sql)
    works(second, monkeypatch)


def test_tenants_are_unbounded_until_an_administrator_ran_the_sql(
    server: EmbeddedPostgres, customer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = customer("careless", rights="createrole", owner=True)
    works(url, monkeypatch)
    with psycopg.connect(url) as builder:
        assert role_rights.tenants_unbounded(builder)
        printed = roles.administrator_sql(builder.info.dbname, builder.info.user)
    run_in(server, url, printed)
    with psycopg.connect(url) as builder:
        assert not role_rights.tenants_unbounded(builder)


LACKS = {
    "alter role r nocreaterole": "it may not create roles",
    "revoke create on database r_warehouse from r": "it may not create schemas in this database",
    "revoke temporary on database r_warehouse from r": "it may not create temporary tables in this database",
    "grant temporary on database r_warehouse to public": "PUBLIC may connect to this database or create temporary",
    "revoke connect on database r_warehouse from aiop_bi": "the group aiop_bi may not connect to this database",
    "grant usage on schema public to public": "PUBLIC has rights on schema public",
}


def test_each_right_that_is_missing_is_named(server: EmbeddedPostgres, customer: Callable[..., str]) -> None:
    url = customer("r")
    prepare = roles.administrator_sql("r_warehouse", "r")
    for take, lacks in LACKS.items():
        run_in(server, url, prepare)
        with psycopg.connect(url) as builder:
            assert roles.missing_rights(builder) == []
        run_in(server, url, take)
        with psycopg.connect(url) as builder:
            assert [text[: len(lacks)] for text in roles.missing_rights(builder)] == [lacks]


def test_several_first_set_ups_at_once_end_in_one(server: EmbeddedPostgres, administrator: psycopg.Connection) -> None:
    """Of one database and of another one on the same server, whose roles are the same."""
    for name in ("one", "two"):
        create_database(administrator, name)
    program = "import sys; from orchestration.warehouse import migrate; migrate.upgrade(sys.argv[1])"
    processes = [
        subprocess.Popen([sys.executable, "-c", program, server.builder_url(name)], stderr=subprocess.PIPE, text=True)
        for name in ("one", "two", "one", "two")
    ]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    for name in ("one", "two"):
        with psycopg.connect(server.builder_url(name)) as builder:
            assert builder.execute("select version_num from ops.alembic_version").fetchall() == [(migrate.head(),)]
            assert builder.execute("select * from ops.tenancy_violations").fetchall() == []


def test_tables_secured_before_follow_the_policy_of_today(
    customer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = customer("owner", rights="createrole", owner=True)
    with monkeypatch.context() as before:
        to_head = migrate.command.upgrade
        before.setattr(migrate.command, "upgrade", lambda config, _: to_head(config, "0003"))
        migrate.upgrade(url)
    with psycopg.connect(url, autocommit=True) as builder:
        builder.execute(
            "create table marts.organizations (id int primary key); insert into marts.organizations values (1), (2);"
            "select ops.secure_table('marts.organizations', 'id');"
            "create table marts.p (org_id int primary key) partition by list (org_id);"
            "create table marts.p_1 partition of marts.p default; insert into marts.p values (1), (2);"
            "select ops.secure_table(t) from unnest(array['marts.p', 'marts.p_1']::regclass[]) as t;"
            "create table benchmarks.b (n int); select ops.secure_table('benchmarks.b', open_to_all => true)"
        )
        works(url, monkeypatch)
        for table, column in (("marts.organizations", "id"), ("marts.p", "org_id"), ("marts.p_1", "org_id")):
            with psycopg.connect(roles.credentials(builder, "a")) as tenant:
                assert tenant.execute(f"select {column} from {table}").fetchall() == [(1,)]


def test_windows_read_before_they_were_told_apart_are_found_by_the_watermark_they_left(
    customer: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one stream the night failed and a backfill succeeded; of another only a window was ever read."""
    url = customer("owner", rights="createrole", owner=True)
    with monkeypatch.context() as before:
        to_head = migrate.command.upgrade
        before.setattr(migrate.command, "upgrade", lambda config, _: to_head(config, "0004"))
        migrate.upgrade(url)
    runs = [
        (1, "invoice", "succeeded"),  # a window or a night: not known, and nothing goes by it
        (2, "invoice", "succeeded"),  # the watermark's
        (3, "invoice", "failed"),
        (4, "invoice", "succeeded"),
        (5, "bill", "succeeded"),
        (6, "moved", "succeeded"),
    ]
    with psycopg.connect(url, autocommit=True) as builder:
        builder.cursor().executemany(
            "insert into ops.sync_runs (run_id, batch_id, org_id, source, stream, status, started_at)"
            " values (%s, gen_random_uuid(), 1, 'quickbooks', %s, %s, now())",
            runs,
        )
        builder.execute(
            "insert into ops.watermarks (org_id, source, stream, state, run_id, last_success_at)"
            " values (1, 'quickbooks', 'invoice', '{}', 2, now()), (1, 'quickbooks', 'moved', '{}', null, now())"
        )
        migrate.upgrade(url)
        windows = builder.execute("select run_id from ops.sync_runs where is_window order by run_id").fetchall()
    assert windows == [(4,), (5,)]


def test_a_database_that_was_never_set_up_says_so(server: EmbeddedPostgres, administrator: psycopg.Connection) -> None:
    create_database(administrator, "empty")
    with psycopg.connect(server.builder_url("empty")) as builder:
        assert migrate.current(builder) is None
        with pytest.raises(DatabaseError, match="never set up"):
            migrate.require_current(builder)
    migrate.upgrade(server.builder_url("empty"))
    with psycopg.connect(server.builder_url("empty")) as builder:
        migrate.require_current(builder)
        builder.execute("update ops.alembic_version set version_num = '0000'")
        with pytest.raises(DatabaseError, match="is at version 0000, this program needs"):
            migrate.require_current(builder)
        builder.rollback()


def test_an_upgrade_leaves_the_callers_transaction_alone(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("create temporary table mine (a int) on commit drop")
        migrate.upgrade(connection)
        connection.execute("insert into mine values (1)")
        assert connection.execute("select * from mine").fetchall() == [(1,)]


def test_a_tenants_open_transaction_holds_an_upgrade_up_only_so_long(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "300ms")
    with psycopg.connect(database, autocommit=True) as builder:
        builder.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (1, 'a', 'A', gen_random_uuid(), 'UTC', 'USD')"
        )
        builder.execute("create table marts.t (org_id int primary key); insert into marts.t values (1), (2)")
        builder.execute("select ops.secure_table('marts.t')")
        # As the version before left it.
        builder.execute("alter policy tenant on marts.t using (org_id = any((select ops.session_org_ids())::int[]))")
        builder.execute("drop table ops.quality_reads")
        added = ("is_window", "reread_days", "reread_rows")
        builder.execute("alter table ops.sync_runs " + ", ".join(f"drop column {name}" for name in added))
        builder.execute("update ops.alembic_version set version_num = '0003'")
        with psycopg.connect(roles.credentials(builder, "a")) as tenant:
            tenant.execute("select * from marts.t")
            with pytest.raises(DatabaseError, match="another session holds what this one needs"):
                migrate.upgrade(database)
            assert migrate.current(builder) == "0003"
            with psycopg.connect(roles.credentials(builder, "a")) as reader:
                reader.execute("set lock_timeout = '1s'")
                assert reader.execute("select * from marts.t").fetchall() == [(1,)]
        migrate.upgrade(database)
        assert migrate.current(builder) == migrate.head()
        assert builder.execute("select * from ops.tenancy_violations").fetchall() == []
