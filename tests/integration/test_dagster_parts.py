"""Dagster's storage and its two parts as a service manager runs them, on a server's Postgres."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from orchestration.defs.execution import STORAGE_VARIABLE, prepare_dagster_home
from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse.dbt import current_manifest

# The slow ones share the project as it was read.
pytestmark = pytest.mark.xdist_group("dagster parts")

AIOP = str(Path(sys.executable).with_name("aiop"))
# A proxy of the environment knows nothing of this machine's loopback.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(autouse=True)
def without_dagster_home(monkeypatch: pytest.MonkeyPatch) -> None:
    # What the code under test sets is taken back with it.
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv(STORAGE_VARIABLE, "")
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.delenv(STORAGE_VARIABLE)


@pytest.fixture(scope="session")
def project_read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's files of a home in which the project was read, which takes longer than all else that Dagster loads."""
    home = tmp_path_factory.mktemp("read")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AIOP_HOME", str(home))
        environment.setenv("DATABASE_URL", "postgresql://nobody:none@127.0.0.1:1/nothing")
        current_manifest()
    return home / "dbt"


def storage(home: Path) -> object:
    return yaml.safe_load((home / "dagster.yaml").read_text()).get("storage")


POSTGRES = {"postgres": {"postgres_url": {"env": STORAGE_VARIABLE}}}


def test_a_home_begun_without_a_url_moves_to_the_servers_storage_once_there_is_one(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    home = prepare_dagster_home()
    assert storage(home) is None
    # As a service sets it: our own home by its name.
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("DAGSTER_HOME", f"{tmp_path}/./dagster/")
    assert prepare_dagster_home().samefile(home)
    assert storage(home) == POSTGRES
    assert os.environ[STORAGE_VARIABLE].endswith("options=-csearch_path%3Ddagster")
    assert [path.name for path in home.iterdir()] == ["dagster.yaml"]


def test_a_dagster_yaml_of_the_users_own_home_stays_and_one_that_is_missing_is_written(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    monkeypatch.setenv("DAGSTER_HOME", str(theirs))
    prepare_dagster_home()
    assert storage(theirs) == POSTGRES
    (theirs / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    prepare_dagster_home()
    assert storage(theirs) is None


def test_a_role_that_may_not_make_the_schema_is_told_so_in_a_sentence(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as builder:
        builder.execute("drop schema if exists dagster")
    name = database.rsplit("/", 1)[1]
    with psycopg.connect(database, autocommit=True) as builder:
        builder.execute(f"alter database {name} set default_transaction_read_only = on")
    shown = subprocess.run([AIOP, "dagster", "daemon"], capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert shown.stderr.startswith("error: the server accepts no writes")
    assert "Traceback" not in shown.stderr


def wait_until(true: Callable[[], bool], process: subprocess.Popen, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert process.poll() is None, f"ended with {process.returncode}"
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.3)


@contextlib.contextmanager
def part(*arguments: str, log: Path, cwd: Path) -> Iterator[subprocess.Popen]:
    """A part as a service manager starts it: in a directory of its own, its output in ``log``."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [AIOP, "dagster", *arguments], cwd=cwd, stdout=output, stderr=output, start_new_session=True
        )
        try:
            yield process
        finally:
            if group_runs(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def group_runs(group: int) -> bool:
    """Whether a process of this session is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def locations(port: int) -> list[tuple[str, str]]:
    """Code locations as the UI shows them, each with its state; none while nothing answers."""
    question = (
        "{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } } }"
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": question}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with DIRECT.open(request, timeout=30) as response:
            found = json.load(response)["data"]["workspaceOrError"]["locationEntries"]
    except OSError:
        return []
    return [(one["name"], (one["locationOrLoadError"] or {}).get("__typename", "loading")) for one in found]


@pytest.mark.slow
def test_webserver_and_daemon_start_together_on_a_servers_database_and_end_on_sigterm(
    database: str, tmp_path: Path, project_read: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(project_read, tmp_path / "dbt")
    # A home that was begun on the embedded database, named as one sets it for a service.
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    port = free_port()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with (
        part("webserver", "-p", str(port), log=tmp_path / "webserver.log", cwd=elsewhere) as webserver,
        part("daemon", log=tmp_path / "daemon.log", cwd=elsewhere) as daemon,
        psycopg.connect(database, autocommit=True) as builder,
    ):

        def beats() -> int:
            there = builder.execute("select to_regclass('dagster.daemon_heartbeats') is not null").fetchone()[0]
            statement = "select count(distinct daemon_type) from dagster.daemon_heartbeats"
            return builder.execute(statement).fetchone()[0] if there else 0

        try:
            wait_until(lambda: locations(port) == [("aiop", "RepositoryLocation")], webserver)
            wait_until(lambda: beats() >= 4, daemon)
            for process in (webserver, daemon):
                process.send_signal(signal.SIGTERM)
            assert [process.wait(60) for process in (webserver, daemon)] == [0, 0]
            deadline = time.monotonic() + 60
            while any(group_runs(process.pid) for process in (webserver, daemon)):
                assert time.monotonic() < deadline, "a code server was left behind"
                time.sleep(0.3)
        except BaseException:
            for name in ("webserver", "daemon"):
                print(name, (tmp_path / f"{name}.log").read_text()[-4000:])
            raise
    assert not (tmp_path / "dagster" / "history").exists(), "runs were kept in SQLite, not in the database"


def processes_of(home: Path) -> list[str]:
    """Command lines of the processes that were started on a home, whatever session they made for themselves."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"AIOP_HOME={home}".encode() in (directory / "environ").read_bytes().split(b"\0"):
                found.append((directory / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("end", ["the terminal is closed", "SIGTERM"])
def test_dev_takes_everything_it_started_with_it(database: str, tmp_path: Path, project_read: Path, end: str) -> None:
    port, home = free_port(), tmp_path / "dev"
    shutil.copytree(project_read, home / "dbt")
    terminal, its_side = pty.openpty()
    process = subprocess.Popen(
        [AIOP, "dev", "--port", str(port)],
        env={**os.environ, "AIOP_HOME": str(home)},
        stdin=its_side,
        stdout=its_side,
        stderr=its_side,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(its_side)
    shown, closing = bytearray(), threading.Event()

    def read() -> None:
        with contextlib.suppress(OSError):
            while not closing.is_set():
                if select.select([terminal], [], [], 0.2)[0]:
                    shown.extend(os.read(terminal, 65_536))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        wait_until(lambda: locations(port) == [("aiop", "RepositoryLocation")], process)
        started = processes_of(home)
        assert any("dagster_webserver" in line for line in started)
        assert any("dagster._daemon" in line for line in started)
        if end == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        else:
            closing.set()
            reader.join(30)
            os.close(terminal)
        process.wait(60)
        deadline = time.monotonic() + 30
        while processes_of(home):
            assert time.monotonic() < deadline, processes_of(home)
            time.sleep(0.3)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
    except BaseException:
        print(shown.decode(errors="replace")[-4000:])
        raise
    finally:
        for directory in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"AIOP_HOME={home}".encode() in (directory / "environ").read_bytes().split(b"\0"):
                    os.kill(int(directory.name), signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_the_definitions_validate_as_dagster_itself_loads_them(
    database: str, tmp_path: Path, project_read: Path
) -> None:
    shutil.copytree(project_read, tmp_path / "dbt")
    validated = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert validated.returncode == 0, validated.stdout + validated.stderr
    assert "Validation successful for code location aiop" in validated.stdout + validated.stderr


@pytest.mark.slow
def test_an_unknown_job_is_refused_with_the_names_there_are(database: str, tmp_path: Path, project_read: Path) -> None:
    shutil.copytree(project_read, tmp_path / "dbt")
    refused = subprocess.run([AIOP, "run", "etl_quickbook"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "etl_quickbooks_financial" in refused.stderr
    assert "nightly" in refused.stderr
