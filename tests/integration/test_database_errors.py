"""Every way a server of the user's can turn the warehouse down, against real sockets and servers."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import conninfo, errors, sql

from orchestration.errors import DatabaseError, UsageError
from orchestration.logs import redact
from orchestration.warehouse import database as warehouse
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.embedded import EmbeddedPostgres

CANARY = "canary-p@ss/word"


def url_with(url: str, **changes: str) -> str:
    """``url`` with other parts (user, password, host, port, dbname)."""
    parts = {**conninfo.conninfo_to_dict(url), **changes}
    password = quote(str(parts["password"]), safe="")
    return f"postgresql://{parts['user']}:{password}@{parts['host']}:{parts['port']}/{parts['dbname']}"


@pytest.fixture
def role(database: str, superuser_url: str) -> Iterator[str]:
    """URL of a role of its own on the test's database, which nobody granted anything."""
    name = "test_role_" + database.rsplit("_", 1)[1]
    with psycopg.connect(superuser_url, autocommit=True) as administrator:
        administrator.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(CANARY))
        )
        yield url_with(database, user=name, password=CANARY)
        administrator.execute(sql.SQL("drop owned by {} cascade").format(sql.Identifier(name)))
        administrator.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def failure(monkeypatch: pytest.MonkeyPatch, url: str, **arguments: object) -> DatabaseError:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(DatabaseError) as caught:
        warehouse.connect(**arguments)
    assert caught.value.hint
    shown = str(caught.value)
    assert "canary" not in shown
    assert str(conninfo.conninfo_to_dict(url).get("password")) not in shown
    return caught.value


# ---- getting in ----------------------------------------------------------------------------------------------------


def test_a_wrong_password(database_everywhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = failure(monkeypatch, url_with(database_everywhere, password=CANARY))
    assert "rejects the user's password" in error.message
    assert "aiop_builder@127.0.0.1" in error.message


def test_a_database_that_is_not_there(database_everywhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = failure(monkeypatch, url_with(database_everywhere, dbname="no_such"))
    assert "no such database" in error.message
    assert "createdb" in error.hint


def test_a_role_that_may_not_connect(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "grant connect" in failure(monkeypatch, role).hint


def test_a_role_without_connections_left(role: str, superuser_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    user = conninfo.conninfo_to_dict(role)["user"]
    with psycopg.connect(superuser_url, autocommit=True) as administrator:
        administrator.execute(sql.SQL("alter role {} connection limit 0").format(sql.Identifier(str(user))))
        administrator.execute(
            sql.SQL("grant connect on database {} to {}").format(
                sql.Identifier(administrator.info.dbname), sql.Identifier(str(user))
            )
        )
    assert "no connection left" in failure(monkeypatch, role).message


def test_a_port_where_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        error = failure(monkeypatch, f"postgresql://u:{quote(CANARY, safe='')}@127.0.0.1:{port}/d")
    assert "can't be reached" in error.message
    assert f"127.0.0.1:{port}/d" in error.message


def test_a_host_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    error = failure(monkeypatch, "postgresql://u:canary-1@warehouse.invalid/d")
    assert "host name is unknown" in error.message or "can't be reached" in error.message


@pytest.fixture
def wire_server() -> Iterator[Callable[[list[bytes] | None], int]]:
    """A function that listens and answers a client's start-up with the given messages (None: never); gives the port."""
    listeners: list[socket.socket] = []

    def start(messages: list[bytes] | None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve() -> None:
            kept = []
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                kept.append(client)
                if messages is None:
                    continue
                with client:
                    while True:
                        head = client.recv(8)
                        if len(head) < 8:
                            break
                        length, code = struct.unpack("!ii", head)
                        client.recv(length - 8)
                        if code in (80877103, 80877104):  # asks for TLS or GSS encryption
                            client.sendall(b"N")
                            continue
                        client.sendall(b"".join(messages))
                        client.recv(1024)
                        break

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        listener.close()


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def test_a_server_older_than_15(
    wire_server: Callable[[list[bytes] | None], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    welcome = [
        message(b"R", struct.pack("!i", 0)),
        message(b"S", b"server_version\x0014.11\x00"),
        message(b"S", b"client_encoding\x00UTF8\x00"),
        message(b"K", struct.pack("!ii", 1, 1)),
        message(b"Z", b"I"),
    ]
    error = failure(monkeypatch, f"postgresql://u:canary@127.0.0.1:{wire_server(welcome)}/d")
    assert "the server is Postgres 14, and 15 or newer is needed" in error.message
    # Asked again it is refused again, not remembered as seen.
    error = failure(monkeypatch, f"postgresql://u:canary@127.0.0.1:{wire_server(welcome)}/d")
    assert "Postgres 14" in error.message


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (b"the database system is starting up", "starting, stopping or recovering"),
        (b'no pg_hba.conf entry for host "10.0.0.1"', "pg_hba.conf does not let this user in"),
        (b"sorry, too many clients already", "no connection left"),
        (b'could not write init file "global/pg_internal.init": No space left on device', "disk is full"),
        (b"something nobody has seen", "something nobody has seen"),
    ],
)
def test_what_a_server_says_on_the_doorstep_is_passed_on(
    wire_server: Callable[[list[bytes] | None], int], monkeypatch: pytest.MonkeyPatch, said: bytes, meaning: str
) -> None:
    refusal = message(b"E", b"SFATAL\x00VFATAL\x00C57P03\x00M" + said + b"\x00\x00")
    error = failure(monkeypatch, f"postgresql://u:canary@127.0.0.1:{wire_server([refusal])}/d")
    assert meaning in error.message


@pytest.mark.slow
def test_a_server_that_hangs_up_or_never_answers(
    wire_server: Callable[[list[bytes] | None], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = failure(monkeypatch, f"postgresql://u:canary@127.0.0.1:{wire_server([])}/d")
    assert "can't be reached" in error.message
    error = failure(monkeypatch, f"postgresql://u:canary@127.0.0.1:{wire_server(None)}/d", connect_timeout=2)
    assert "can't be reached" in error.message


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:canary@h/d",
        "host=localhost password=canary",
        "postgresql://u:can#ary@h/d",
        "postgresql://u:can/ary@h/d",
        "postgresql://u:canary@h:port/d",
        "postgresql://u:canary@h:5432/d?no_such_option=canary",
        "postgresql://u:can%ary@h/d",
    ],
)
def test_an_unreadable_url_is_refused_without_being_shown(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(UsageError, match="DATABASE_URL can't be read") as caught:
        warehouse.connect()
    assert "ary" not in str(caught.value)


def test_other_spellings_of_the_scheme_are_understood(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("postgres", "postgresql+psycopg", "postgresql+psycopg2"):
        monkeypatch.setenv("DATABASE_URL", database.replace("postgresql", scheme, 1))
        with warehouse.connect() as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        assert warehouse.database_url() == database


def test_the_password_of_the_url_is_a_registered_secret_in_both_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:{quote('zebra@crossing', safe='')}@h/d")
    warehouse.database_url()
    assert redact("it was zebra@crossing, or zebra%40crossing") == "it was ***, or ***"


# ---- once inside -----------------------------------------------------------------------------------------------------


def test_sessions_run_in_utc_with_the_tripwire_and_a_bound_on_waiting(
    database_everywhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.connect(application_name="aiop test", lock_timeout="5s") as connection:
        shown = [
            connection.execute(f"show {name}").fetchone()
            for name in ("row_security", "timezone", "lock_timeout", "application_name")
        ]
    assert shown == [("off",), ("UTC",), ("5s",), ("aiop test",)]
    monkeypatch.setenv("DATABASE_URL", database_everywhere + "?options=-c%20work_mem%3D9MB")
    with warehouse.connect() as connection:
        assert connection.execute("show work_mem").fetchone() == ("9MB",)
        assert connection.execute("show row_security").fetchone() == ("off",)


def test_waiting_for_a_lock_ends_with_a_sentence(database_everywhere: str) -> None:
    def wait() -> None:
        with database_errors(), warehouse.connect(lock_timeout="50ms") as second:
            second.execute("select * from held")

    with warehouse.connect() as first:
        first.execute("create table held (a int)")
        first.commit()
        first.execute("lock table held in access exclusive mode")
        with pytest.raises(DatabaseError, match="another session holds what this one needs") as caught:
            wait()
    assert isinstance(caught.value.__cause__, errors.LockNotAvailable)


@pytest.mark.parametrize(
    ("statement", "meaning"),
    [
        ("create role somebody superuser", "the role may not do that"),
        ("set transaction read only; create table t (a int)", "accepts no writes"),
        ("set local statement_timeout = 20; select pg_sleep(20)", "a statement was cancelled"),
        ("select pg_terminate_backend(pg_backend_pid())", "ended by an administrator"),
        ("select 1/0", "refused a statement: division by zero"),
        ("insert into k values ('canary')", "duplicate key value violates unique constraint"),
    ],
)
def test_failures_inside_a_session_are_sentences_without_data(
    database_everywhere: str, statement: str, meaning: str
) -> None:
    def work() -> None:
        with database_errors(), warehouse.connect() as connection:
            connection.execute("create table k (a text primary key)")
            connection.execute("insert into k values ('canary')")
            connection.execute(statement)

    with pytest.raises(DatabaseError, match=meaning) as caught:
        work()
    assert "canary" not in str(caught.value)


def test_a_url_in_the_environment_starts_no_embedded_server(database: str, tmp_path: Path) -> None:
    with warehouse.connect():
        pass
    assert not (tmp_path / "pg").exists()
    with pytest.raises(UsageError, match="DATABASE_URL is set"):
        warehouse.embedded_server()


def test_without_a_url_the_embedded_server_is_started_and_used(own_home: Path) -> None:
    with warehouse.connect() as connection:
        assert connection.info.user == "aiop_builder"
    assert warehouse.database_url() == EmbeddedPostgres(own_home).builder_url()
