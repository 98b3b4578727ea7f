"""Running dbt in tests: in this process, where one run costs tenths of a second instead of seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from dbt.cli.main import dbtRunner

from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse.dbt import dbt_environment

GENERAL = ("--no-use-colors", "--log-level", "none")


@dataclass
class Outcome:
    """Of one run: every node's status and compiled SQL by name, and the messages of those that did not pass."""

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
            result = dbtRunner().invoke([*GENERAL, *arguments])
        nodes = getattr(result.result, "results", None) or []
        statuses = {node.node.name: str(node.status) for node in nodes}
        compiled = {node.node.name: getattr(node.node, "compiled_code", None) or "" for node in nodes}
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

    def _environment(self) -> dict[str, str]:
        environment = dbt_environment(self.url)
        del environment["DBT_EXCLUDE_RESOURCE_TYPES"]
        target, logs = self.state / "target", self.state / "logs"
        return environment | {
            "DBT_PROJECT_DIR": str(self.project),
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(logs),
        }


def warehouse(url: str, state: Path) -> Dbt:
    """The project itself."""
    return Dbt(PROJECT_ROOT, url, state)
