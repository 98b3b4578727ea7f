"""Running dbt in tests: in this process, where one run costs tenths of a second instead of seconds.

Reading the project takes seconds too, and what it gives differs between databases in nothing but the database's name:
a session reads it once, for a name as long as every test's.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from zlib import crc32

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder
from psycopg import conninfo

from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse.dbt import dbt_environment

GENERAL = ("--no-use-colors", "--log-level", "none", "--log-level-file", "none")


@dataclass
class Outcome:
    """Of one run: every node's status and compiled SQL by name, and the messages of those that did not pass.

    A table of a source is named with its source: sources have tables of one name.
    """

    success: bool
    statuses: dict[str, str]
    compiled: dict[str, str]
    messages: str


@dataclass(frozen=True)
class Dbt:
    """A dbt project on a database. Parsing is cached below ``state``."""

    project: Path
    url: str
    state: Path

    def run(self, *arguments: str) -> Outcome:
        """Run dbt in this process, unit tests included."""
        with mock.patch.dict(os.environ, self._environment()):
            result = dbtRunner(manifest=self._manifest()).invoke([*GENERAL, *arguments])
        nodes = getattr(result.result, "results", None) or []
        statuses = {_name(node.node): str(node.status) for node in nodes}
        compiled = {_name(node.node): getattr(node.node, "compiled_code", None) or "" for node in nodes}
        messages = [str(result.exception)] if result.exception else []
        messages += [
            f"{node.node.name}: {node.message}" for node in nodes if node.status not in ("success", "pass", "warn")
        ]
        return Outcome(bool(result.success), statuses, compiled, "\n".join(messages))

    def build(self, *arguments: str) -> Outcome:
        """``dbt build``, which must succeed."""
        outcome = self.run("build", *arguments)
        assert outcome.success, outcome.messages
        return outcome

    def build_source(self, source: str) -> Outcome:
        """Build what is made of a source, which must succeed."""
        return self.build(*of_source(source))

    def rebuild_source(self, source: str) -> Outcome:
        """What is made of a source, without the checks on it, which are most of a build's time."""
        return self.rebuild(*of_source(source))

    def rebuild(self, *selection: str) -> Outcome:
        """The models of a selection alone; those of staging, which are views of what landed, the first time only."""
        staged = self.state / f"staged-{crc32(' '.join((self.url, *selection)).encode())}"
        made = ("--exclude", "path:models/staging") if staged.exists() else ()
        outcome = self.build(*selection, "--exclude-resource-type", "test", *made)
        staged.touch()
        return outcome

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start dbt as a process of its own, to be waited for or killed. Its output is one stream."""
        command = [str(Path(sys.executable).with_name("dbt")), *GENERAL, *arguments]
        return subprocess.Popen(
            command,
            cwd=self.project,
            env={**os.environ, **self._environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _manifest(self) -> Manifest | None:
        """The warehouse's project as dbt reads it for this database; None for other projects, which dbt then reads.

        New for every run, because a run changes it.
        """
        name = str(conninfo.conninfo_to_dict(self.url)["dbname"])
        if self.project != PROJECT_ROOT or len(name) != len(_PLACEHOLDER):
            return None
        read = _parsed_project().read_bytes().replace(_PLACEHOLDER.encode(), name.encode())
        manifest = Manifest.from_msgpack(read, decoder=extended_mashumuro_decoder)
        manifest.build_flat_graph()
        return manifest

    def _environment(self) -> dict[str, str]:
        environment = dbt_environment(self.url)
        del environment["DBT_EXCLUDE_RESOURCE_TYPES"]
        target, logs = self.state / "target", self.state / "logs"
        return environment | {
            "DBT_PROJECT_DIR": str(self.project),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(logs),
        }


def _name(node: Any) -> str:
    source = getattr(node, "source_name", None)
    return f"{source}.{node.name}" if source else str(node.name)


def of_source(source: str) -> tuple[str, ...]:
    """Arguments that select a source's models with all they need, organizations, freshness and the checks on them.

    Unit tests are left out: they are about the project, whatever has landed.
    """
    chosen = (f"@source:{source}", "organizations", "data_freshness")
    return ("--select", *chosen, "--indirect-selection", "buildable", "--exclude-resource-type", "unit_test")


def manifest_file() -> Path:
    """manifest.json of the project, which names no database that is."""
    return _parsed_project().with_name("manifest.json")


def warehouse(url: str, state: Path) -> Dbt:
    """The project itself."""
    return Dbt(PROJECT_ROOT, url, state)


_PLACEHOLDER = f"test_{'0' * 16}"


@cache
def _parsed_project() -> Path:
    """dbt's cache of the parsed project, on a database of the placeholder's name; shared by a session's workers."""
    state = Path(os.environ["AIOP_TEST_ROOT"]) / "parsed-project"
    state.mkdir(exist_ok=True)
    parsed = state / "target" / "partial_parse.msgpack"
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not parsed.exists():
            dbt = Dbt(PROJECT_ROOT, f"postgresql://nobody@127.0.0.1/{_PLACEHOLDER}", state)
            with mock.patch.dict(os.environ, dbt._environment()):
                result = dbtRunner().invoke([*GENERAL, "parse", "--no-partial-parse"])
            assert result.success, result.exception
    return parsed
