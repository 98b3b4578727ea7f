"""What BI tools log in with: opaque names, passwords kept encrypted, the same URL each time until it is rotated."""

from __future__ import annotations

import re
import tempfile
from urllib.parse import urlsplit

import psycopg
import pytest
from cryptography.fernet import Fernet
from postgres_helpers import SMALL
from typer.testing import CliRunner

from orchestration.commands import orgs
from orchestration.errors import UsageError
from orchestration.warehouse import migrate, roles
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.prepare import prepare


@pytest.fixture
def builder(two_tenants: psycopg.Connection) -> psycopg.Connection:
    return two_tenants


def log_in(url: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("select session_user::text").fetchone()
    assert row is not None
    return row[0]


def test_an_organizations_url_works_and_stays_the_same(builder: psycopg.Connection) -> None:
    url = roles.credentials(builder, "bennett")
    assert roles.credentials(builder, "bennett") == url
    assert roles.credentials(builder, "vital") != url
    assert log_in(url) == urlsplit(url).username


def test_rotating_ends_the_old_password_and_no_other(builder: psycopg.Connection) -> None:
    old, other = roles.credentials(builder, "bennett"), roles.credentials(builder, "vital")
    new = roles.credentials(builder, "bennett", rotate=True)
    assert urlsplit(new).username == urlsplit(old).username
    assert log_in(new)
    assert log_in(other)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        log_in(old)
    assert roles.credentials(builder, "bennett") == new


def test_the_printed_url_works_after_the_role_changed_its_own_password(builder: psycopg.Connection) -> None:
    url = roles.credentials(builder, "bennett")
    with psycopg.connect(url, autocommit=True, options="-c default_transaction_read_only=off") as tenant:
        tenant.execute("alter role current_user password 'mine'")
        tenant.execute("alter role current_user set statement_timeout = 0")
    with pytest.raises(psycopg.OperationalError):
        log_in(url)
    assert roles.credentials(builder, "bennett") == url
    with psycopg.connect(url) as tenant:
        assert tenant.execute("show statement_timeout").fetchone() == ("5min",)


def test_names_tell_nothing_and_passwords_are_nowhere_in_clear(builder: psycopg.Connection) -> None:
    url = roles.credentials(builder, "bennett")
    password = urlsplit(url).password
    assert password is not None
    assert re.fullmatch(r"aiop_t_[0-9a-f]{12}", str(urlsplit(url).username))
    stored = builder.execute("select role_name, password from ops.role_secrets").fetchall()
    assert password.encode() not in stored[0][1]
    # What the statement log and pg_stat_activity see is a verifier.
    said = builder.execute("select rolname, pg_catalog.shobj_description(oid, 'pg_authid') from pg_roles").fetchall()
    assert not [row for row in said if row[1] and "bennett" in row[1]]


def test_no_statement_carries_a_password(builder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    statements: list[str] = []
    execute = psycopg.Connection.execute

    def recording(self: psycopg.Connection, query: object, *arguments: object, **options: object) -> object:
        statements.append(query.as_string(self) if isinstance(query, psycopg.sql.Composable) else str(query))
        return execute(self, query, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(psycopg.Connection, "execute", recording)
    password = urlsplit(roles.credentials(builder, "bennett")).password
    assert any("SCRAM-SHA-256$" in statement for statement in statements)
    assert not [statement for statement in statements if str(password) in statement]


def test_sessions_start_read_only_bounded_and_with_the_published_schemas(builder: psycopg.Connection) -> None:
    with psycopg.connect(roles.credentials(builder, "bennett")) as tenant:
        settings = {
            name: tenant.execute(f"show {name}").fetchone()[0]
            for name in ("default_transaction_read_only", "statement_timeout", "search_path", "TimeZone", "jit")
        }
    assert settings == {
        "default_transaction_read_only": "on",
        "statement_timeout": "5min",
        "search_path": "marts, objects, kpis, platform, benchmarks, catalog",
        "TimeZone": "UTC",
        "jit": "off",
    }


def test_how_much_a_session_may_write_to_the_disk_is_not_the_tenants_to_say(builder: psycopg.Connection) -> None:
    """Neither in temporary files nor by messages that the server's log takes down."""
    limits = {"temp_file_limit": "1GB", "log_min_messages": "fatal"}
    for url in (roles.credentials(builder, "bennett"), roles.all_credentials(builder)):
        with psycopg.connect(url, autocommit=True) as reader:
            reader.execute("set default_transaction_read_only = off")
            reader.execute("alter role current_user reset all")
        with psycopg.connect(url) as reader:
            assert {name: reader.execute(f"show {name}").fetchone()[0] for name in limits} == limits
            assert reader.execute("show statement_timeout").fetchone() == ("0",)  # a habit, which it may drop


def test_a_server_that_lets_nobody_set_limits_has_logins_all_the_same(
    builder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "LIMITS", {**roles.LIMITS, "log_statement": "none"})
    name = urlsplit(roles.credentials(builder, "bennett")).username
    config = builder.execute("select rolconfig from pg_roles where rolname = %s", (name,)).fetchone()[0]
    assert "temp_file_limit=1GB" in config
    assert not [setting for setting in config if setting.startswith("log_statement")]


def test_preparing_roles_again_writes_nothing(builder: psycopg.Connection, database_everywhere: str) -> None:
    roles.ensure_tenant_roles(builder)

    def written() -> list[object]:
        return builder.execute(
            """
            select r.rolname, r.rolconfig, m.xmin, s.xmin
            from ops.tenant_roles as t
            inner join pg_roles as r on r.rolname = t.role_name
            inner join pg_auth_members as m on m.member = r.oid
            inner join pg_db_role_setting as s on s.setrole = r.oid
            order by r.rolname
            """
        ).fetchall()

    before = written()
    assert len(before) == 2
    roles.ensure_group_roles(builder)
    roles.ensure_tenant_roles(builder)
    migrate.upgrade(database_everywhere)
    assert written() == before


def many(builder: psycopg.Connection, count: int) -> None:
    builder.execute(
        """
        insert into ops.organizations (id, slug, name, organization_id, timezone, currency)
        select 100 + n, 'many_' || n, 'Many', gen_random_uuid(), 'UTC', 'USD' from generate_series(1, %s) as n
        """,
        [count],
    )


# Logins by the transaction that made them members of the group.
MADE = """
select m.xmin::text::bigint, array_agg(t.role_name order by t.role_name)
from ops.tenant_roles as t
inner join pg_roles as r on r.rolname = t.role_name
inner join pg_auth_members as m on m.member = r.oid and m.roleid = 'aiop_bi'::regrole
group by 1
order by 1
"""


def test_logins_are_made_some_at_a_time_and_whoever_was_stopped_goes_on(
    builder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(builder, 10)
    monkeypatch.setattr(roles, "LOGINS_AT_ONCE", 5)
    made, ensure = 0, roles._ensure_logins

    def stopped_once(connection: psycopg.Connection, names: list[str]) -> None:
        nonlocal made
        ensure(connection, names)
        made += len(names)
        if made == 10:
            raise KeyboardInterrupt

    monkeypatch.setattr(roles, "_ensure_logins", stopped_once)
    with pytest.raises(KeyboardInterrupt):
        roles.ensure_tenant_roles(builder)
    first = builder.execute(MADE).fetchall()
    assert [len(names) for _, names in first] == [5]
    roles.ensure_tenant_roles(builder)
    then = builder.execute(MADE).fetchall()
    assert then[0] == first[0]
    assert [len(names) for _, names in then] == [5, 5, 2]


def test_applying_a_file_holds_no_lock_on_logins_while_it_makes_more_of_them(
    builder: psycopg.Connection, database_everywhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock a role to the end of one transaction is more than a server has room for where thousands are new."""
    many(builder, 12)
    monkeypatch.setattr(roles, "LOGINS_AT_ONCE", 4)
    held, ensure = [], roles._ensure_logins

    def counted(connection: psycopg.Connection, names: list[str]) -> None:
        ensure(connection, names)
        statement = "select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'object'"
        held.append(connection.execute(statement).fetchone()[0])

    monkeypatch.setattr(roles, "_ensure_logins", counted)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("organizations:\n  - {id: 3, slug: third, name: Third, timezone: UTC, currency: USD}\n")
        file.flush()
        assert CliRunner().invoke(orgs.app, ["apply", file.name]).exit_code == 0
    assert len(held) == 4
    assert max(held[1:]) <= held[0]


@pytest.mark.slow
def test_a_server_with_room_for_few_locks_makes_all_logins(server18: EmbeddedPostgres) -> None:
    small = {"max_locks_per_transaction": "10", "max_connections": "10", "reserved_connections": "0"}
    server = EmbeddedPostgres(server18.home, None, {**SMALL, **small})
    server.start()
    with psycopg.connect(server.builder_url(), autocommit=True) as builder:
        prepare(builder)
        many(builder, 1_200)
        roles.ensure_tenant_roles(builder)
        made = builder.execute(
            "select count(*) from ops.tenant_roles as t join pg_roles as r on r.rolname = t.role_name"
        )
        assert made.fetchone() == (1_200,)


def test_a_restored_database_gets_its_roles_and_its_doors_back(builder: psycopg.Connection) -> None:
    """A dump holds rows, not roles: what ops.tenant_roles names may be unknown to the server."""
    roles.ensure_tenant_roles(builder)
    name = builder.execute("select role_name from ops.tenant_roles where org_id = 1").fetchone()[0]
    builder.execute(f"drop role {name}")
    builder.execute(f"revoke all on database {builder.info.dbname} from aiop_bi")
    builder.execute(f"grant temporary on database {builder.info.dbname} to public")
    assert log_in(roles.credentials(builder, "bennett")) == name
    assert builder.execute("select * from ops.tenancy_violations").fetchall() == []


def test_an_unknown_organization_and_a_wrong_key_are_errors_of_use(
    builder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="no organization 'nobody'"):
        roles.credentials(builder, "nobody")
    roles.credentials(builder, "bennett")
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    with pytest.raises(UsageError, match="another AIOP_SECRET_KEY") as lost:
        roles.credentials(builder, "bennett")
    assert "If it is lost: --rotate" in lost.value.hint
    # Rotating needs no old password: the way out of a lost key.
    assert log_in(roles.credentials(builder, "bennett", rotate=True))
    monkeypatch.delenv("AIOP_SECRET_KEY")
    with pytest.raises(UsageError, match="AIOP_SECRET_KEY is not set"):
        roles.credentials(builder, "bennett")


def test_a_url_quotes_what_a_name_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    class Info:
        host, port, dbname = "::1", 5432, "ware house/1"

        def get_parameters(self) -> dict[str, str]:
            return {"sslmode": "require", "user": "x"}

    class Connection:
        info = Info()

    url = roles._url(Connection(), "aiop_bi_all", "p@ss/w?")  # type: ignore[arg-type]
    assert psycopg.conninfo.conninfo_to_dict(url) == {
        "user": "aiop_bi_all",
        "password": "p@ss/w?",
        "host": "::1",
        "port": "5432",
        "dbname": "ware house/1",
        "sslmode": "require",
    }
    Info.host = "/var/run/postgresql"
    assert psycopg.conninfo.conninfo_to_dict(roles._url(Connection(), "a", "b"))["host"] == "/var/run/postgresql"  # type: ignore[arg-type]
