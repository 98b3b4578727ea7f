"""`aiop dbt`: dbt's own arguments and exit code, the warehouse's environment, and no two builds at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from orchestration.warehouse import dbt
from orchestration.warehouse.dbt import build_lock, call_dbt, dbt_paths, writes

AIOP = str(Path(sys.executable).with_name("aiop"))


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in dbt's place, which notes its arguments and environment and exits with 3."""
    program, noted = tmp_path / "dbt-stand-in", tmp_path / "noted"
    program.write_text(f'#!/bin/sh\n{{ echo "$@"; env; }} > {noted}\nexit 3\n')
    program.chmod(0o755)
    monkeypatch.setattr(dbt, "_program", lambda: str(program))
    return noted


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("build -s mart_app_analytics", True),
        ("--no-use-colors --log-level none run", True),
        ("retry", True),
        ("run-operation analyze_new", True),
        ("list -s build", False),
        ("docs generate", False),
        ("test -s run", False),
        ("--version", False),
        ("", False),
    ],
)
def test_which_commands_wait_for_other_builds(line: str, answer: bool) -> None:
    assert writes(line.split()) is answer


def test_dbt_gets_its_arguments_and_the_warehouse_and_its_exit_code_comes_back(database: str, stand_in: Path) -> None:
    assert call_dbt(["list", "-s", "organizations"]) == 3
    first, *lines = stand_in.read_text().splitlines()
    assert first == "list -s organizations"
    given, wanted = dict(line.split("=", 1) for line in lines if "=" in line), conninfo.conninfo_to_dict(database)
    assert given["AIOP_PG_DATABASE"] == wanted["dbname"]
    assert given["DBT_ENV_SECRET_AIOP_PG_PASSWORD"] == wanted["password"]
    assert given["DBT_PROFILES_DIR"] == str(dbt_paths().profiles)
    # The manifest that Dagster reads is written by nobody else.
    assert given["DBT_TARGET_PATH"] != str(dbt_paths().target)


def test_a_command_that_writes_waits_for_a_build_that_runs_and_one_that_reads_does_not(
    database: str, stand_in: Path
) -> None:
    held, let_go = threading.Event(), threading.Event()

    def another() -> None:
        with build_lock():
            held.set()
            assert let_go.wait(60)

    said: list[str] = []

    def on_wait(message: str) -> None:
        said.append(message)
        assert not stand_in.exists()
        let_go.set()

    thread = threading.Thread(target=another)
    thread.start()
    assert held.wait(60)
    assert call_dbt(["list"], on_wait) == 3
    assert said == []
    stand_in.unlink()
    assert call_dbt(["build"], on_wait) == 3
    thread.join(60)
    assert said == ["another build is running: waiting for it to end"]
    assert stand_in.read_text().startswith("build\n")


def test_who_ends_the_command_lets_dbt_cancel_what_the_database_does_for_it(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, ready = tmp_path / "dbt-stand-in", tmp_path / "ready"
    program.write_text(
        f"#!{sys.executable}\nimport signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(7))\n"
        f"open({str(ready)!r}, 'w').close()\ntime.sleep(60)\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(dbt, "_program", lambda: str(program))

    def end() -> None:
        while not ready.exists():
            threading.Event().wait(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=end)
    thread.start()
    assert call_dbt(["build"]) == 7
    thread.join(60)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.slow
def test_a_model_is_built_by_hand_and_a_command_that_dbt_does_not_know_fails_as_dbt_does(database: str) -> None:
    unknown = subprocess.run([AIOP, "dbt", "no-such-command"], capture_output=True, text=True, check=False)
    assert unknown.returncode == 2
    built = subprocess.run([AIOP, "dbt", "run", "-s", "organizations"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    with psycopg.connect(database) as connection:
        assert connection.execute("select status from ops.build_runs").fetchall() == [("succeeded",)]
        assert connection.execute("select * from ops.tenancy_violations").fetchall() == []
        connection.execute("drop view ops.tenancy_violations")
    refused = subprocess.run([AIOP, "dbt", "run", "-s", "organizations"], capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "aiop db init" in refused.stdout
