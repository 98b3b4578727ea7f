"""What the tests of the embedded server share: its settings for tests, questions to it, other processes and users."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from orchestration.warehouse import embedded_processes
from orchestration.warehouse.embedded import EmbeddedPostgres

SMALL = {"fsync": "off", "shared_buffers": "32MB"}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another account")
with_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")


def query(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def assert_nothing_runs(server: EmbeddedPostgres) -> None:
    assert embedded_processes.server_processes(server.data) == []
    assert server.status().state in ("absent", "stopped")


def kill_9(server: EmbeddedPostgres) -> None:
    """Kill every process of the server at once, as a machine that runs out of memory does."""
    while pids := embedded_processes.server_processes(server.data):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # followed its parent by itself
                os.kill(pid, signal.SIGKILL)


def in_python(code: str, *, home: Path, **popen: object) -> subprocess.Popen[str]:
    """Run ``code`` in a process of its own; ``server`` is the home's server there."""
    prelude = f"""
        import os, signal, sys
        from pathlib import Path
        from orchestration.warehouse import embedded
        server = embedded.EmbeddedPostgres(Path({str(home)!r}), None, {SMALL!r})
    """
    program = textwrap.dedent(prelude) + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen
    )


def as_nobody(work: Callable[[], object]) -> str:
    """What ``work`` returns, or the failure it ends in, done by a process of the account ``nobody``."""
    reading, writing = os.pipe()
    child = os.fork()  # not a new interpreter: that may lie where only root can read
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(writing, str(work()).encode())
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as result:
        answer = result.read()
    os.waitpid(child, 0)
    return answer
