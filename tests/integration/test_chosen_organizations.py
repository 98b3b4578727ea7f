"""``--org a b`` means the same to every command that takes several organizations."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.errors import UsageError

# What each hands the slugs to, and as which argument.
COMMANDS = {
    "sync": (["quickbooks"], "orchestration.sync", "sync", "orgs"),
    "run": (["nightly"], "orchestration.defs.execution", "run_job", 1),
    "verify": (["quickbooks"], "orchestration.verify", "verify", 1),
    "status": ([], "orchestration.status", "status", "organizations"),
    "drift": ([], "orchestration.status", "drift", "organizations"),
}


def of_several() -> Iterator[str]:
    """Names of the commands whose --org may be repeated."""
    waiting: list[tuple[str, Any]] = [("", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        waiting += [(f"{name} {part}".strip(), one) for part, one in getattr(command, "commands", {}).items()]
        if any("--org" in parameter.opts and parameter.multiple for parameter in command.params):
            yield name


def test_the_commands_tried_here_are_all_there_are() -> None:
    assert set(of_several()) == set(COMMANDS)


class Asked(Exception):
    """The command has handed on what it was asked for."""


@pytest.mark.parametrize("command", COMMANDS)
def test_slugs_may_follow_one_org_or_have_one_each(
    database: str, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    arguments, module, function, place = COMMANDS[command]

    def ask(*given: Any, **named: Any) -> None:
        raise Asked(list(given[place] if isinstance(place, int) else named[place]))

    monkeypatch.setattr(importlib.import_module(module), function, ask)

    def asked(*options: str) -> Any:
        raised = CliRunner().invoke(app, [command, *arguments, *options]).exception
        assert isinstance(raised, Asked), raised
        return raised.args[0]

    assert asked("--org", "one", "two", "three") == ["one", "two", "three"]
    assert asked("--org", "one", "--org", "two") == ["one", "two"]
    assert asked("--org", "one", "two", "--org", "three") == ["one", "three", "two"]
    assert asked() == []
    refused = CliRunner().invoke(app, [command, *arguments, "one", "two"]).exception
    assert isinstance(refused, UsageError)
    assert refused.hint == " ".join(["aiop", command, *arguments, "--org one two"])
