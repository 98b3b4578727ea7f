"""The example in docs/sources/adding_a_source.md works as it stands there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from orchestration.sources import SOURCES

PAGE = Path(__file__).parents[2] / "docs" / "sources" / "adding_a_source.md"
MODULES = (
    "orchestration/sources/notes/source.py",
    "orchestration/demo/notes_server.py",
    "tests/sources/notes_standin.py",
)


def test_the_pages_source_reads_its_stand_in_through_its_description(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL))
    made = {}
    for path in MODULES:
        name = path.removeprefix("tests/sources/").removesuffix(".py").replace("/", ".")
        made[path] = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, made[path])
        exec(compile(blocks[path], path, "exec"), vars(made[path]))
    source, _, description = (made[path] for path in MODULES)
    monkeypatch.setitem(SOURCES, "notes", source.NOTES)
    with description.Notes.start(monkeypatch) as standin:
        standin.make(3 * standin.page + 1)
        assert set(standin.read().keys) == standin.keys()
