"""organizations.yml: who the organizations are and how their sources are reached.

Reading it lists every problem at once, each with its line; no message shows a connection's values.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from orchestration.errors import UsageError
from orchestration.settings import variables
from orchestration.sources import connection_models
from orchestration.warehouse.organization_entries import (
    OrganizationEntry,
    OrganizationsFile,
    PlatformEntry,
    suggestion,
)
from orchestration.warehouse.secrets import variable_of
from orchestration.warehouse.yaml_lines import Document, Problem, read_yaml
from orchestration.warehouse.yaml_lines import Path as Location

Model = TypeVar("Model", bound=BaseModel)

# Of what keys and sources are made; longer than the longest of them is no slip of the pen.
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}\Z")


def read_organizations(path: Path, environment: Mapping[str, str] | None = None) -> OrganizationsFile:
    """Read and check a file. Variables that it refers to must be set in ``environment`` (default: the installation's).

    Raises UsageError with every problem and its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    result, problems = check_organizations(text, variables() if environment is None else environment)
    if result is None or problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise UsageError(
            f"{path} has {count}; nothing was changed:\n{listed}", hint="docs/organizations.md describes the format."
        )
    return result


def check_organizations(text: str, environment: Mapping[str, str]) -> tuple[OrganizationsFile | None, list[Problem]]:
    """The file's content and what is wrong with it, by line; no content where its shape can't be made sense of."""
    document = read_yaml(text)
    problems = list(document.problems)
    content: OrganizationsFile | None = None
    if document.value is None:
        if not problems:
            problems.append(Problem(1, "the file is empty"))
    else:
        content = _validated(OrganizationsFile, document.value, (), document, problems)
        if content is not None and not content.organizations:
            problems.append(Problem(document.line_of(("organizations",)), "organizations: there is none"))
        settings = _check_connections(document, problems)
        _check_duplicates(document, problems)
        _check_variables(document, environment, problems)
        if content is not None:
            content = content.model_copy(
                update={
                    "organizations": tuple(
                        entry.model_copy(update={"connections": settings.get(index, {})})
                        for index, entry in enumerate(content.organizations)
                    )
                }
            )
    return content, sorted(set(problems))


def _validated(
    model: type[Model], value: Any, at: Location, document: Document, problems: list[Problem]
) -> Model | None:
    """``value`` as ``model``, or None after adding what is wrong with it to ``problems``."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            where = (*at, *(part for part in one["loc"] if part != "[key]"))
            problems.append(Problem(document.line_of(where), f"{_name(document, where)}: {_said(one, model)}"))
        return None


def _said(error: Any, model: type[BaseModel]) -> str:
    """One of pydantic's errors in a few words, without the value."""
    match error["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return f"unknown key{suggestion(str(error['loc'][-1]), _keys_beside(model, error['loc']))}"
        case "string_type" | "uuid_type":
            return "must be text: put it in quotes"
        case "dict_type" | "model_type":
            return "must be keys with values"
        case "tuple_type":
            return "must be a list"
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            text = str(error["msg"]).removeprefix("Input ")
            return f"{text[:1].lower()}{text[1:]}"


def _keys_beside(model: type[BaseModel], location: Location) -> list[str]:
    """The keys the model knows at the place of an unknown one."""
    if location[:1] == ("organizations",) and len(location) == 3:
        return list(OrganizationEntry.model_fields)
    if location[:1] == ("platform",) and len(location) == 2:
        return list(PlatformEntry.model_fields)
    return [field.alias or name for name, field in model.model_fields.items()]


def _check_connections(document: Document, problems: list[Problem]) -> dict[int, dict[str, dict[str, Any]]]:
    """Each organization's connections as they are stored: only the keys given, references unresolved."""
    models = connection_models()
    result: dict[int, dict[str, dict[str, Any]]] = {}
    for index, entry in _entries(document):
        connections = entry.get("connections")
        for source, settings in connections.items() if isinstance(connections, dict) else ():
            at: Location = ("organizations", index, "connections", source)
            if source not in models:
                hint = suggestion(source, models) or f" (known: {', '.join(sorted(models))})"
                problems.append(Problem(document.line_of(at), f"{_name(document, at)}: unknown source{hint}"))
            elif not isinstance(settings, dict):
                problems.append(Problem(document.line_of(at), f"{_name(document, at)}: its settings are missing"))
            else:
                valid = _validated(models[source], settings, at, document, problems)
                if valid is not None:
                    result.setdefault(index, {})[source] = valid.model_dump(
                        mode="json", exclude_unset=True, by_alias=True
                    )
    return result


def _check_duplicates(document: Document, problems: list[Problem]) -> None:
    keys: tuple[tuple[str, Callable[[dict[str, Any]], Any]], ...] = (
        ("id", lambda entry: entry.get("id")),
        ("slug", lambda entry: entry.get("slug")),
        ("organization_id", _organization_id),
    )
    for key, value_of in keys:
        first: dict[Any, int] = {}
        for index, entry in _entries(document):
            value = value_of(entry)
            if not isinstance(value, int | str | uuid.UUID):
                continue
            line = document.line_of(("organizations", index, key))
            if value in first:
                problems.append(Problem(line, f"{key} {value} is also that of line {first[value]}"))
            first.setdefault(value, line)


def _organization_id(entry: dict[str, Any]) -> uuid.UUID | None:
    given = entry.get("organization_id")
    try:
        return uuid.UUID(given) if isinstance(given, str) else None
    except ValueError:
        return None


def _check_variables(document: Document, environment: Mapping[str, str], problems: list[Problem]) -> None:
    for at, value in _leaves(document.value, ()):
        variable = variable_of(value) if at[:1] == ("platform",) or at[2:3] == ("connections",) else None
        if variable and not environment.get(variable, "").strip():
            message = f"{_name(document, at)}: the environment variable {variable} is not set"
            problems.append(Problem(document.line_of(at), message))


def _leaves(value: Any, at: Location) -> list[tuple[Location, Any]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*at, key))]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*at, index))]
    return [(at, value)]


def _entries(document: Document) -> list[tuple[int, dict[str, Any]]]:
    value = document.value
    entries = value.get("organizations") if isinstance(value, dict) else None
    return [
        (i, entry) for i, entry in enumerate(entries if isinstance(entries, list) else ()) if isinstance(entry, dict)
    ]


def _shown(key: str) -> str:
    """A key as messages have it: one that is no word of such a file may be a credential in the wrong place."""
    return key if _WORD.match(key) else "…"


def _name(document: Document, at: Location) -> str:
    """``at`` as a person would say it: an organization by its slug, or by its number where it has none."""
    prefix, rest = "", at
    if at[:1] == ("organizations",) and len(at) > 1:
        slug = dict(_entries(document)).get(int(at[1]), {}).get("slug")
        prefix = slug if isinstance(slug, str) and slug else f"organization {int(at[1]) + 1}"
        rest = at[2:]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{_shown(str(part))}" for part in rest).lstrip(".")
    return " ".join(part for part in (prefix, path) if part) or "the file"
