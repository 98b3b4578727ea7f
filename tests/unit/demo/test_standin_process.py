"""The stand-ins as a process: started once, shared, ended with their starter, following the world."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from orchestration.demo.organizations import DEMO_COMPANIES, demo_environment, organizations_yaml
from orchestration.demo.standins import start_standins
from orchestration.demo.world import DEFAULT_BASE, World, advance, read_world
from orchestration.errors import AiopError, UsageError


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    with contextlib.ExitStack() as held:
        for source in ("QUICKBOOKS", "HUBSPOT", "ZOOM", "GA4"):
            free = held.enter_context(socket.socket())
            free.bind(("127.0.0.1", 0))
            monkeypatch.setenv(f"DEMO_{source}_PORT", str(free.getsockname()[1]))
    return int(os.environ["DEMO_QUICKBOOKS_PORT"])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIOP_HOME", str(tmp_path))
    return tmp_path


def state(port: int) -> dict:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_control/state", timeout=10) as response:
        return json.load(response)


def answers(port: int) -> bool:
    try:
        return bool(state(port))
    except (urllib.error.URLError, ConnectionError):
        return False


def eventually(condition) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.fixture
def aiop(home: Path, port: int) -> Iterator[list[subprocess.Popen]]:
    started: list[subprocess.Popen] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def serve(started: list[subprocess.Popen], *arguments: str) -> subprocess.Popen:
    code = "from orchestration.commands.demo import app; app()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    started.append(process)
    return process


def test_stand_ins_run_while_the_block_does_and_make_a_world(home: Path, port: int) -> None:
    with start_standins(home) as standins:
        assert standins.started
        assert standins.quickbooks_url == f"http://127.0.0.1:{port}"
        assert state(port)["now"] == DEFAULT_BASE.isoformat()
        assert read_world(home / "demo") == World()
        with start_standins(home) as shared:
            assert not shared.started
        assert answers(port)
    assert not answers(port)


def test_a_running_server_follows_an_advanced_world(home: Path, port: int) -> None:
    with start_standins(home):
        assert state(port)["days"] == 0
        advance(home / "demo", 3)
        assert state(port)["days"] == 3
        assert state(port)["now"].startswith("2026-11-23")


def test_a_port_in_other_hands_is_named_with_the_way_out(home: Path, port: int, tmp_path: Path) -> None:
    way_out = r"another.*\n.*DEMO_QUICKBOOKS_PORT"
    with start_standins(tmp_path / "another"), pytest.raises(AiopError, match=way_out):
        with start_standins(home):
            pass
    with socket.create_server(("127.0.0.1", port)), pytest.raises(AiopError, match=f"{port} is taken"):
        with start_standins(home):
            pass


def test_stand_ins_end_with_a_starter_that_is_killed(home: Path, port: int) -> None:
    code = (
        "import pathlib, sys, time\nfrom orchestration.demo.standins import start_standins\n"
        "with start_standins(pathlib.Path(sys.argv[1])):\n    print('up', flush=True)\n    time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "up\n"
    assert answers(port)
    starter.kill()
    starter.wait()
    assert eventually(lambda: not answers(port))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_where_it_is_and_ends_when_told_to(aiop: list, home: Path, port: int, number: int) -> None:
    process = serve(aiop)
    assert process.stdout is not None
    assert f"http://127.0.0.1:{port}" in process.stdout.readline()
    for source in ("HUBSPOT", "ZOOM", "GA4"):
        assert f"http://127.0.0.1:{os.environ[f'DEMO_{source}_PORT']}" in process.stdout.readline()
    assert str(home / "demo") in process.stdout.readline()
    process.send_signal(number)
    assert process.wait(20) == 0
    assert process.stdout.read() == ""


def test_advance_moves_the_world_of_this_home(home: Path) -> None:
    code = "from orchestration.commands.demo import app; app()"
    for days, said in (("2", "2026-11-22"), ("5", "2026-11-27")):
        command = [sys.executable, "-c", code, "advance", "--days", days]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    assert read_world(home / "demo").days == 7
    with pytest.raises(UsageError):
        advance(home / "demo", 0)


def test_a_file_that_is_no_world_is_named(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text('{"seed": 1}')
    with pytest.raises(UsageError, match=r"world\.json"):
        read_world(tmp_path)


def test_the_organizations_file_refers_to_every_credential_and_holds_none(port: int) -> None:
    text = organizations_yaml()
    listed = yaml.safe_load(text)["organizations"]
    environment = demo_environment()
    assert [(o["id"], o["slug"]) for o in listed][:2] == [(1, "bennett"), (2, "vital_worklife")]
    assert len({one["slug"] for one in listed}) == len({one["id"] for one in listed}) == len(DEMO_COMPANIES) == 302
    assert listed[0]["fiscal_year_start_month"] == 11
    assert [o["connections"]["quickbooks"]["accounting_method"] for o in listed[:2]] == ["Accrual", "Cash"]
    references = {
        value.removeprefix("env:")
        for organization in listed
        for connection in organization["connections"].values()
        for value in connection.values()
        if str(value).startswith("env:")
    }
    assert references == set(environment)
    assert not [value for value in environment.values() if value in text]
    assert f"http://127.0.0.1:{port}" in text
