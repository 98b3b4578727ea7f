"""What one tenant's open transactions may hold up: its own login for a moment, and nobody else."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import urlsplit

import psycopg
import pytest

from orchestration.errors import DatabaseError
from orchestration.warehouse import roles, tenant_sessions
from orchestration.warehouse.dbt import build_lock


@pytest.fixture
def builder(two_tenants: psycopg.Connection) -> psycopg.Connection:
    two_tenants.execute("set lock_timeout = '1s'")
    return two_tenants


def holding(url: str, *statements: str) -> psycopg.Connection:
    """A session that lifted its limits, in a transaction it never ends."""
    tenant = psycopg.connect(url, autocommit=True)
    for setting in ("default_transaction_read_only", "idle_in_transaction_session_timeout", "statement_timeout"):
        tenant.execute("select set_config(%s, '0', false)", (setting,))
    for statement in ("begin", *statements):
        tenant.execute(statement)
    return tenant


def is_alive(tenant: psycopg.Connection) -> bool:
    try:
        return tenant.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_a_tenant_that_alters_its_own_login_holds_up_nobody_else(
    builder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "_HELD_BY_ITSELF", "200ms")
    bennett, vital = roles.credentials(builder, "bennett"), roles.credentials(builder, "vital")
    name = str(urlsplit(bennett).username)
    with holding(bennett) as tenant:
        tenant.execute("commit")
        # Not as it should be, so that every command that looks after logins would repair it; and held.
        tenant.execute("alter role current_user reset statement_timeout")
        tenant.execute("begin")
        tenant.execute("alter role current_user set application_name = 'mine'")
        assert roles.credentials(builder, "vital") == vital
        builder.execute(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency)"
            " values (3, 'zed', 'Zed', gen_random_uuid(), 'UTC', 'USD')"
        )
        assert roles.credentials(builder, "zed")
        tenant.execute("rollback")
    roles.ensure_tenant_roles(builder)
    config = builder.execute("select rolconfig from pg_roles where rolname = %s", (name,)).fetchone()
    assert config is not None
    assert "statement_timeout=300000" in config[0]


def test_a_login_that_is_held_says_so_and_rotating_ends_its_sessions(builder: psycopg.Connection) -> None:
    url = roles.credentials(builder, "bennett")
    with holding(url, "alter role current_user password 'stolen'") as thief, psycopg.connect(url) as reader:
        with pytest.raises(DatabaseError, match="held by a transaction of its own") as held:
            roles.credentials(builder, "bennett")
        assert "--rotate" in held.value.hint
        other = roles.credentials(builder, "vital")
        with psycopg.connect(other, autocommit=True) as bystander:
            new = roles.credentials(builder, "bennett", rotate=True)
            assert (is_alive(thief), is_alive(reader), is_alive(bystander)) == (False, False, True)
    with psycopg.connect(new) as connection:
        assert is_alive(connection)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url)
    members = builder.execute(
        """
        select count(*) from pg_auth_members as m
        where m.member = current_user::regrole and m.roleid::regrole::text like 'aiop_t_%'
            and coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
        """
    )
    assert members.fetchone() == (0,), "a right taken for a moment was kept"


def test_a_build_ends_transactions_that_outlast_every_query_and_no_others(
    builder: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They hold locks on tables, keep VACUUM from what changed since, and fill the queue of notifications."""
    monkeypatch.setattr(tenant_sessions, "LONGEST_TRANSACTION", timedelta(seconds=1))
    bennett, vital = roles.credentials(builder, "bennett"), roles.credentials(builder, "vital")
    with holding(bennett, "listen mine", "select 1") as old, psycopg.connect(vital, autocommit=True) as idle:
        idle.execute("select 1")
        time.sleep(1.2)
        with holding(vital, "select 1") as young:
            with build_lock():
                assert (is_alive(old), is_alive(idle), is_alive(young)) == (False, True, True)
    said = capsys.readouterr()
    assert str(urlsplit(bennett).username) in said.out + said.err
