"""YAML with the line of every key and item, so that a message can point at what it complains about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

_MAXIMUM_NODES = 1_000_000
_CANONICAL_INTEGER = re.compile(r"(?:0|-?[1-9][0-9]*)\Z")


@dataclass(order=True, frozen=True)
class Problem:
    """Something wrong in a file, at a line (from 1)."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


@dataclass
class Document:
    """``value`` in plain Python, the line of every path in it, and what is wrong with the YAML as such."""

    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """The line of ``path``, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(text: str) -> Document:
    """Read one YAML document with the safe types only."""
    document = Document()
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                document.value = _Reader(loader, document).read(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = "; ".join(part for part in (error.context, error.problem) if part)
        document.problems.append(Problem(mark.line + 1 if mark else 1, message))
    except yaml.YAMLError as error:  # characters that YAML does not allow
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        document.problems.append(Problem(line, "holds a character that YAML does not allow"))
    except RecursionError:
        document.problems.append(Problem(1, "is nested too deeply"))
    return document


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, document: Document) -> None:
        self._loader = loader
        self._document = document
        self._nodes = 0

    def read(self, node: yaml.Node, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > _MAXIMUM_NODES:
            # Aliases of aliases grow without bound, or refer to themselves.
            raise yaml.constructor.ConstructorError(None, None, "is too large", node.start_mark)
        self._document.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        try:
            value = self._loader.construct_object(node)
        except ValueError:  # looks like a date and is none (2024-02-30): what reads it says so
            return node.value
        if isinstance(value, int) and not isinstance(value, bool) and not _CANONICAL_INTEGER.match(node.value):
            # 0123 is 83 and 1:30 is 90 in YAML: an identifier would change without a word.
            self._problem(node, f"{node.value} reads as the number {value} in YAML: put it in quotes")
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[Any, Any]:
        # Before merged keys (<<) join them: overriding one of those is what merging is for.
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                if key_node.value in seen:
                    self._problem(key_node, f"key {key_node.value!r} stands here twice")
                seen.add(key_node.value)
        self._loader.flatten_mapping(node)
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, "a key must be a word")
                continue
            key = key_node.value
            self._document.lines[(*path, key)] = key_node.start_mark.line + 1
            result[key] = self.read(value_node, (*path, key))
        return result

    def _problem(self, node: yaml.Node, message: str) -> None:
        self._document.problems.append(Problem(node.start_mark.line + 1, message))
