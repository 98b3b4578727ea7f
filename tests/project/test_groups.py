"""Tests that share a world are kept in one process: each process would make the world again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import os
import pytest
from pathlib import Path

pytestmark = [pytest.mark.timeout(60), pytest.mark.xdist_group("one world")]

@pytest.mark.parametrize("number", range(9))
def test_of_the_group(number):
    Path(f"worker-{os.environ['PYTEST_XDIST_WORKER']}").touch()
"""


@pytest.mark.slow
def test_tests_of_one_group_run_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "test_grouped.py").write_text(TESTS, encoding="utf-8")
    options = ("-n", "3", "--dist", "loadgroup", "-p", "no:cacheprovider")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout
    assert len(list(tmp_path.glob("worker-*"))) == 1
