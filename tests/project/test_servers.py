"""Which of Debian's Postgres servers tests run on, and that they don't leave it out where it is required."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers import oldest_debian

from orchestration.settings import PROJECT_ROOT


def installed(directory: Path, *majors: str) -> Path:
    for major in majors:
        (directory / major / "bin").mkdir(parents=True)
        (directory / major / "bin" / "initdb").touch()
    return directory


@pytest.mark.parametrize(
    ("majors", "chosen"), [((), None), (("13",), None), (("13", "17", "16"), 16), (("15",), 15), (("common", "18"), 18)]
)
def test_the_oldest_server_that_is_new_enough_is_the_one(
    tmp_path: Path, majors: tuple[str, ...], chosen: int | None
) -> None:
    assert oldest_debian(installed(tmp_path, *majors)) == chosen


def test_where_it_is_required_its_tests_are_not_skipped_but_refused(tmp_path: Path) -> None:
    program = (
        "import pathlib, runpy, sys; glob = pathlib.Path.glob\n"
        "pathlib.Path.glob = lambda self, pattern: [] if str(self) == '/usr/lib/postgresql' else glob(self, pattern)\n"
        "runpy.run_path(sys.argv[1])"
    )
    command = [sys.executable, "-c", program, str(PROJECT_ROOT / "tests" / "servers.py")]
    for value, code in (("", 0), ("required", 1)):
        environment = {**os.environ, "AIOP_TEST_DEBIAN_POSTGRES": value}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert ("holds no Postgres 15 or newer" in done.stderr) == bool(code)
