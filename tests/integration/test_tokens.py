"""Stored tokens: encrypted, one holder at a time, durable before the holder lets go."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime

import psycopg
import pytest
from cryptography.fernet import Fernet

from orchestration.errors import ConfigurationError
from orchestration.logs import redact
from orchestration.sources.core.records import OAuthTokens
from orchestration.warehouse import database
from orchestration.warehouse.tokens import PostgresTokenStore

EXPIRES = datetime(2025, 3, 1, 13, tzinfo=UTC)


def tokens(number: int) -> OAuthTokens:
    return OAuthTokens(
        refresh_token=f"canary-refresh-{number}",
        seed_fingerprint="seed",
        access_token=f"canary-access-{number}",
        access_expires_at=EXPIRES,
        previous_refresh_token=f"canary-refresh-{number - 1}",
    )


@pytest.fixture
def store(database_everywhere: str, monkeypatch: pytest.MonkeyPatch) -> PostgresTokenStore:
    monkeypatch.setenv("AIOP_SECRET_KEY", Fernet.generate_key().decode())
    for number, slug in ((1, "bennett"), (2, "vital")):
        query(
            "insert into ops.organizations (id, slug, name, organization_id, timezone, currency) "
            f"values ({number}, '{slug}', 'x', gen_random_uuid(), 'UTC', 'USD') returning 1"
        )
    return PostgresTokenStore(1, "quickbooks", "bennett")


def query(statement: str) -> list[tuple]:
    with database.connect(autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def stored(store: PostgresTokenStore) -> OAuthTokens | None:
    with store.locked() as cell:
        return cell.tokens


def test_what_is_saved_is_read_back_by_everybody(store: PostgresTokenStore) -> None:
    assert stored(store) is None
    with store.locked() as cell:
        cell.save(tokens(1))
        assert cell.tokens == tokens(1)
    assert stored(store) == stored(PostgresTokenStore(1, "quickbooks")) == tokens(1)
    assert stored(PostgresTokenStore(2, "quickbooks")) is None
    assert stored(PostgresTokenStore(1, "hubspot")) is None


def test_the_table_shows_when_tokens_expire_but_never_the_tokens(store: PostgresTokenStore) -> None:
    with store.locked() as cell:
        cell.save(tokens(1))
    row = query("select seed_fingerprint, access_expires_at, revoked_reason, tokens from ops.oauth_tokens")[0]
    assert row[:3] == ("seed", EXPIRES, None)
    assert b"canary" not in row[3]
    assert "canary" not in redact(f"{tokens(1).refresh_token} {tokens(1).access_token} canary-refresh-0")


def test_a_save_is_visible_to_others_while_the_holder_goes_on(store: PostgresTokenStore) -> None:
    with store.locked() as cell:
        cell.save(tokens(1))
        assert query("select count(*) from ops.oauth_tokens") == [(1,)]
        cell.save(tokens(2))
    assert stored(store) == tokens(2)


def test_a_save_stands_whatever_happens_to_the_holder_afterwards(store: PostgresTokenStore) -> None:
    with contextlib.suppress(ZeroDivisionError), store.locked() as cell:
        cell.save(tokens(1))
        raise ZeroDivisionError
    assert stored(store) == tokens(1)


def test_a_process_killed_after_saving_leaves_the_new_tokens_and_no_lock(store: PostgresTokenStore) -> None:
    program = """
        import sys, time
        from datetime import UTC, datetime
        from orchestration.sources.core.records import OAuthTokens
        from orchestration.warehouse.tokens import PostgresTokenStore
        with PostgresTokenStore(1, "quickbooks").locked() as cell:
            cell.save(OAuthTokens("rotated", "seed"))
            print("saved", flush=True)
            time.sleep(600)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "saved\n"
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert stored(store) == OAuthTokens("rotated", "seed")


def test_of_two_that_want_to_refresh_the_second_finds_what_the_first_saved(store: PostgresTokenStore) -> None:
    refreshed: list[str] = []
    barrier = threading.Barrier(4)

    def refresh_if_needed() -> None:
        barrier.wait(30)
        with PostgresTokenStore(1, "quickbooks").locked() as cell:
            if cell.tokens is None:
                refreshed.append("once")
                cell.save(tokens(1))

    threads = [threading.Thread(target=refresh_if_needed) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert refreshed == ["once"]


def test_other_connections_are_not_held_up(store: PostgresTokenStore) -> None:
    with store.locked(), PostgresTokenStore(2, "quickbooks").locked() as cell:
        cell.save(tokens(2))
    assert stored(store) is None


def test_a_save_survives_the_loss_of_a_database_session(
    store: PostgresTokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, failures = database.connect, iter([True, True, False])

    def unreliable(**arguments: object) -> psycopg.Connection:
        connection = connect(**arguments)
        if next(failures, False):
            connection.close()
        return connection

    with store.locked() as cell:
        monkeypatch.setattr(database, "connect", unreliable)
        cell.save(tokens(1))
        monkeypatch.setattr(database, "connect", connect)
    assert stored(store) == tokens(1)


def test_a_missing_or_changed_key_is_said_by_name(store: PostgresTokenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.locked() as cell:
        cell.save(tokens(1))
    old = os.environ["AIOP_SECRET_KEY"]
    new = Fernet.generate_key().decode()
    monkeypatch.setenv("AIOP_SECRET_KEY", new)
    with (
        pytest.raises(ConfigurationError, match=r"bennett / quickbooks.*another AIOP_SECRET_KEY") as lost,
        store.locked(),
    ):
        pass
    assert "If it is lost: aiop orgs disconnect bennett quickbooks" in lost.value.hint
    monkeypatch.setenv("AIOP_SECRET_KEY", f"{new},{old}")
    assert stored(store) == tokens(1)
    monkeypatch.delenv("AIOP_SECRET_KEY")
    with pytest.raises(ConfigurationError, match="AIOP_SECRET_KEY is not set"), store.locked():
        pass
