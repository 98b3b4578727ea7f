"""A sync as a process: interrupts, memory, and what the command prints and exits with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from test_sync import World, world  # noqa: F401 - a fixture

PRELUDE = f"""
import sys, time
sys.path.insert(0, {os.path.dirname(__file__)!r})
from landing_helpers import record
from test_sync import STREAMS, Scripted
from orchestration.sources import SOURCES
from orchestration.sources.core.connection import ConnectionSettings
from orchestration.sources.core.source import Source
from orchestration.errors import ConfigurationError, TransientError
source = Scripted()
SOURCES["scripted"] = Source("scripted", STREAMS, ConnectionSettings, source.open)
"""
CLI = """
from orchestration.cli import main
main()
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(program), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )


def run(program: str, *arguments: str) -> tuple[int, str, str]:
    process = start(program, *arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_an_interrupt_ends_a_sync_and_undoes_what_it_had_begun(world: World) -> None:  # noqa: F811
    world.connect("one", "two")
    program = """
        def endless(organization, stream):
            number = 0
            while True:
                number += 1
                yield record(str(number), pad="x" * 500)
                if number == 5000:
                    print("reading", flush=True)
                time.sleep(0.0001 if number > 5000 else 0)
        source.read_stream = endless
    """
    process = start(program + textwrap.indent(CLI, "        "), "sync", "scripted")
    assert process.stdout is not None
    while "reading" not in (line := process.stdout.readline()):
        assert line, process.stderr.read() if process.stderr else ""
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - begun < 15
    assert process.returncode not in (0, None)
    assert "Traceback" not in err
    assert world.query("select count(*) from staging_scripted.customer") == [(0,)]
    assert world.query("select count(*) from ops.watermarks") == [(0,)]
    assert {run[2:] for run in world.runs()} == {("failed", "interrupted")}
    # The server ends a session a moment after its client has gone.
    sessions = "select count(*) from pg_stat_activity where application_name = 'aiop sync scripted'"
    deadline = time.monotonic() + 10
    while world.query(sessions) != [(0,)] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert world.query(sessions) == [(0,)]


def test_a_thread_that_hangs_does_not_keep_an_interrupted_process(world: World) -> None:  # noqa: F811
    world.connect("one")
    program = """
        def hanging(organization, stream):
            print("reading", flush=True)
            time.sleep(600)
            yield
        source.read_stream = hanging
    """
    process = start(program + textwrap.indent(CLI, "        "), "sync", "scripted")
    assert process.stdout is not None
    while "reading" not in (line := process.stdout.readline()):
        assert line, process.stderr.read() if process.stderr else ""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode not in (0, None)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_records(world: World) -> None:  # noqa: F811
    """The first tenth costs what there is to cost; ten times as much adds nothing to speak of."""
    world.connect("one", "two", "three", "four")
    program = """
        from orchestration.sync import sync
        def many(organization, stream):
            count = 2_000 if small else 20_000
            return (record(str(n), pad="x" * 600, of=organization) for n in range(count))
        source.read_stream = many
        used = []
        for small in (True, False):
            assert sync("scripted", workers=4).failures == []
            # Not ru_maxrss: that begins with what the process that started this one has held.
            peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
            used.append(int(peak.split()[1]) // 1024)
        print(*used)
    """
    code, out, err = run(program)
    assert code == 0, err
    small, large = map(int, out.split())
    assert large < small + 40
    assert large < 300


FAILING = """
def read(organization, stream):
    if organization == "one" and stream == "invoice":
        raise TransientError("the server is down", hint="try again later")
    yield record("1", secret="no")
source.read_stream = read
def opening(organization):
    if organization == "two":
        raise ConfigurationError("the token was rejected", hint="connect again")
source.opening = opening
"""


def test_the_command_exits_1_and_names_who_failed_with_the_way_out(world: World) -> None:  # noqa: F811
    world.connect("one", "two", "three")
    code, out, err = run(FAILING + CLI, "sync", "scripted")
    assert code == 1, err
    assert "scripted: 1 of 3 organizations complete, 5 records received, 5 rows changed" in out
    lines = err.splitlines()
    assert "failed: one (invoice): the server is down" in lines
    assert lines[lines.index("failed: one (invoice): the server is down") + 1] == "  → try again later"
    assert "failed: two (customer, invoice, bill): the token was rejected" in lines
    assert lines[-1] == "again, for these only: aiop sync scripted --only-failed"

    code, out, err = run(
        FAILING + CLI, "sync", "scripted", "--org", "one", "--from", "2024-01-01", "--to", "2024-03-31"
    )
    assert code == 1, out
    assert err.splitlines()[-1] == (
        "again, for these only: aiop sync scripted --from 2024-01-01 --to 2024-03-31 --only-failed"
    )

    code, out, err = run(CLI, "sync", "scripted", "--only-failed")
    assert code == 0, err
    assert "2 of 2 organizations complete" in out
    code, out, err = run(CLI, "sync", "scripted", "--only-failed")
    assert (code, out.strip()) == (0, "nothing failed at its last attempt in scripted")


def test_organizations_may_follow_each_other_after_org(world: World) -> None:  # noqa: F811
    world.connect("one", "two", "three")
    code, out, err = run(CLI, "sync", "scripted", "--org", "one", "three")
    assert code == 0, err
    assert "2 of 2 organizations complete" in out
    assert {run[0] for run in world.runs()} == {"one", "three"}
    code, _, err = run(CLI, "sync", "scripted", "one")
    assert code == 2
    assert "--org one" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "nowhere"),
        (["scripted", "--org", "nobody"], "nobody"),
        (["scripted", "--from", "yesterday"], "dates look like"),
        (["scripted", "--allow-deletes", "nothing"], "streams: customer, invoice, bill"),
    ],
)
def test_a_wrong_argument_is_a_sentence_and_exit_code_2(
    world: World,  # noqa: F811
    arguments: list[str],
    said: str,
) -> None:
    world.connect("one")
    code, _, err = run(CLI, "sync", *arguments)
    assert code == 2
    assert said in err
    assert "Traceback" not in err


def test_no_organization_is_no_failure(world: World, tmp_path: Path) -> None:  # noqa: F811
    code, out, _ = run(CLI, "sync", "scripted")
    assert (code, out.strip()) == (0, "no organization has scripted")
