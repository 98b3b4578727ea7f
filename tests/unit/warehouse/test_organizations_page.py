"""docs/organizations.md is the format in full: every key, whether it is required, its default, and an example."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from pydantic import ValidationError

from orchestration.settings import PROJECT_ROOT
from orchestration.sources import connection_models
from orchestration.sources.core.connection import ConnectionSettings
from orchestration.warehouse.organization_entries import OrganizationEntry
from orchestration.warehouse.organizations_file import read_organizations

PAGE = (PROJECT_ROOT / "docs" / "organizations.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.S | re.M)[0]
CONNECTIONS: dict[str, dict[str, Any]] = yaml.safe_load(EXAMPLE)["organizations"][0]["connections"]


class Key(NamedTuple):
    """A line of a table: whether the key takes references alone, is required, and its default as it is shown."""

    secret: bool
    required: bool
    default: str


def keys(heading: str, named: int) -> dict[str, dict[str, Key]]:
    """The table below a heading, by source and key; ``named``: the column that keys stand in, after the source's."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found: dict[str, dict[str, Key]] = {}
    source = ""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("| ") or len(cells) < named + 3 or "key" in cells:
            continue
        source = cells[0].strip("[]`").split("`")[0] if named and cells[0] else source
        key, star = re.fullmatch(r"`(\w+)`(\*?)", cells[named]).groups()
        said = re.fullmatch(r"(yes|no)(?: \(`?(.+?)`?\))?", cells[named + 1])
        assert said, line
        found.setdefault(source, {})[key] = Key(bool(star), said[1] == "yes", said[2] or "")
    return found


DOCUMENTED = keys("Connections", 1)
SHARED = DOCUMENTED.pop("any")


def shown(value: object) -> str:
    """A default as YAML has it; nothing for one that says nothing."""
    return "" if value in (None, "", ()) and value is not False else yaml.safe_dump(value).splitlines()[0]


def accepts(model: type[ConnectionSettings], values: dict[str, Any]) -> bool:
    try:
        model.model_validate(values)
    except ValidationError:
        return False
    return True


def test_the_page_has_every_source() -> None:
    assert DOCUMENTED.keys() == CONNECTIONS.keys() == connection_models().keys()


@pytest.mark.parametrize(("source", "model"), connection_models().items(), ids=connection_models())
def test_the_page_has_every_key_of_a_connection_as_it_is(source: str, model: type[ConnectionSettings]) -> None:
    documented = {**DOCUMENTED[source], **SHARED}
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    assert documented.keys() == fields.keys()
    assert {key: one.default for key, one in documented.items() if not one.required} == {
        key: shown(field.default) for key, field in fields.items() if not documented[key].required
    }
    # Hidden from a message is what may be a credential.
    assert {key for key, one in documented.items() if one.secret} == {
        key for key, field in fields.items() if not field.repr
    }
    required = {key: CONNECTIONS[source][key] for key, one in documented.items() if one.required}
    assert accepts(model, required)
    for key in required:
        assert not accepts(model, {name: value for name, value in required.items() if name != key}), key


def test_the_page_has_every_key_of_an_organization_as_it_is() -> None:
    fields = OrganizationEntry.model_fields
    assert keys("An organization", 0)[""] == {
        name: Key(
            False,
            field.is_required(),
            "" if field.is_required() or field.default_factory else shown(field.default),
        )
        for name, field in fields.items()
    }


def test_the_pages_example_is_accepted_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in re.findall(r"env:(\w+)", EXAMPLE):
        monkeypatch.setenv(
            name, "postgresql+psycopg://reader:secret@db/d" if name.endswith("URL") else f"value of {name}"
        )
    file = tmp_path / "organizations.yml"
    file.write_text(EXAMPLE)
    (bennett,) = read_organizations(file).organizations
    assert bennett.connections.keys() == CONNECTIONS.keys()
