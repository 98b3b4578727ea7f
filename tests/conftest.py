"""Real Postgres for tests: one server a kind and test session, shared by all workers, one fresh database a test.

Servers live below one directory of the session, which the session holds a lock on: what a killed session left behind
is found by its free lock and cleared by the next one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from servers import EMBEDDED, EVERYWHERE, PROGRAMS

from orchestration.warehouse import embedded_processes
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.embedded_bootstrap import create_database, harden
from orchestration.warehouse.prepare import prepare

TEMPLATE = "aiop_template"
# Tests kill processes, not machines: what the operating system holds is as good as written.
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "256MB", "max_wal_size": "1GB"}

_ROOT_VARIABLE = "AIOP_TEST_ROOT"
_PREFIX = "aiop-tests-"
_session_lock = None


def pytest_configure(config: pytest.Config) -> None:
    """The first process of a session makes its directory; xdist's workers inherit the variable that names it."""
    global _session_lock
    # A shell's background ignores SIGINT and hands that down: the processes of tests would not hear theirs.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput") or os.environ.get(_ROOT_VARIABLE):
        return
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        _clear_if_left(left)
    # pytest's own directories are closed to the account that a server started by root runs as.
    root = Path(tempfile.mkdtemp(prefix=_PREFIX))
    root.chmod(0o711)
    _session_lock = (root / "session.lock").open("w")
    fcntl.flock(_session_lock, fcntl.LOCK_EX)
    os.environ[_ROOT_VARIABLE] = str(root)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the session's servers, in the process that made its directory."""
    if _session_lock is not None:
        _clear(Path(os.environ.pop(_ROOT_VARIABLE)))
        _session_lock.close()


def _clear_if_left(root: Path) -> None:
    try:
        with (root / "session.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _clear(root)
    except OSError:  # in use, just being made, or somebody else's
        return


def _clear(root: Path) -> None:
    for data in root.glob("*/pg/data"):
        embedded_processes.end_all(data)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def session_root() -> Path:
    """A directory of this session that every user may pass through."""
    return Path(os.environ[_ROOT_VARIABLE])


@pytest.fixture(scope="session")
def postgres_server(session_root: Path) -> Callable[[str], EmbeddedPostgres]:
    """A function from a server's kind (``embedded18``, ``debian15``) to that server, running, with its template."""
    started: dict[str, EmbeddedPostgres] = {}

    def get(kind: str) -> EmbeddedPostgres:
        if kind not in started:
            server = EmbeddedPostgres(session_root / kind, PROGRAMS[kind], FAST)
            with (session_root / f"{kind}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                with pytest.MonkeyPatch.context() as environment:
                    environment.delenv("AIOP_PG_PORT", raising=False)
                    server.start()
                _make_template(server)
            started[kind] = server
        return started[kind]

    return get


def _make_template(server: EmbeddedPostgres) -> None:
    """The migrated database that each test's is copied from; under another name until it is complete."""
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (TEMPLATE,)).fetchone():
            return
        partial = f"{TEMPLATE}_partial"
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(partial)))
        create_database(connection, partial)
        with psycopg.connect(server.superuser_url(partial), autocommit=True) as administrator:
            harden(administrator)
        with psycopg.connect(server.builder_url(partial)) as builder:
            prepare(builder)
        connection.execute(
            sql.SQL("alter database {} rename to {}").format(sql.Identifier(partial), sql.Identifier(TEMPLATE))
        )


@pytest.fixture(scope="session")
def postgres_home(postgres_server: Callable[[str], EmbeddedPostgres]) -> Path:
    """The home directory of the session's embedded server, which runs."""
    return postgres_server(EMBEDDED).home


@pytest.fixture
def database_on(
    postgres_server: Callable[[str], EmbeddedPostgres], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[[str], str]]:
    """A function from a server's kind to the builder's URL of a fresh, migrated database there.

    ``DATABASE_URL`` names the database made last and ``AIOP_HOME`` is the test's own directory.
    """
    made: list[tuple[EmbeddedPostgres, str]] = []
    monkeypatch.setenv("AIOP_HOME", str(tmp_path))
    monkeypatch.delenv("AIOP_PG_BIN", raising=False)

    def make(kind: str) -> str:
        server = postgres_server(kind)
        name = f"test_{uuid.uuid4().hex[:16]}"
        with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
            create_database(connection, name, template=TEMPLATE)
        made.append((server, name))
        url = server.builder_url(name)
        monkeypatch.setenv("DATABASE_URL", url)
        return url

    yield make
    for server, name in made:
        with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def database(database_on: Callable[[str], str]) -> str:
    """The builder's URL of a fresh, migrated database on the embedded server."""
    return database_on(EMBEDDED)


@pytest.fixture(params=EVERYWHERE)
def database_everywhere(request: pytest.FixtureRequest, database_on: Callable[[str], str]) -> str:
    """As ``database``, and the test runs once on each kind of server that is installed."""
    return database_on(request.param)


@pytest.fixture
def superuser_url(postgres_server: Callable[[str], EmbeddedPostgres], database: str) -> str:
    """The administrator's URL of the database that ``database`` names."""
    return postgres_server(EMBEDDED).superuser_url(database.rsplit("/", 1)[1])


@pytest.fixture
def own_home(session_root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for a server of the test's own, which every user may pass through; afterwards nothing of it runs."""
    home = session_root / f"home-{uuid.uuid4().hex[:12]}"
    for name in ("DATABASE_URL", "AIOP_PG_PORT", "AIOP_PG_BIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AIOP_HOME", str(home))
    yield home
    embedded_processes.end_all(home / "pg" / "data")
    shutil.rmtree(home, ignore_errors=True)
