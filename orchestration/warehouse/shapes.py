"""Shapes of payloads, two levels deep, and how they differ from those a stream had before (``ops.schema_drift``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import psycopg

from orchestration.warehouse.payloads import clean_text

# Every one of the first records, then one of many: a change shows in the first night that has it.
_ALL_UNTIL = 500
_THEN_EVERY = 100
# Objects whose keys are data (ids, dates) would have a path each.
MAX_PATHS = 1_000
_MAX_ELEMENTS = 5
_MAX_NAME = 200

# Beside the types of JSON: some record had the object around the path, but not the path.
ABSENT = "absent"
_QUIET = {"null", ABSENT}
_JSON_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    Decimal: "number",
    type(None): "null",
    list: "array",
    tuple: "array",
}


@dataclass(frozen=True)
class Change:
    """One difference. Types are JSON's, joined by ``|`` where a path has several."""

    path: str
    change: Literal["new", "missing", "type"]
    old_type: str | None
    new_type: str | None


@dataclass(slots=True)
class _Layout:
    """Objects of one make: the same names in the same order with values of the same types."""

    at: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    # Members that hold objects or lists of them: name, path, whether it is a list.
    inside: tuple[tuple[Any, str, bool], ...]
    count: int = 0


class Shapes:
    """Collects the paths and types of a load's payloads: ``Id``, ``MetaData.CreateTime``, ``Line[].Amount``.

    Records of a stream have few makes, so an object costs one look-up; its names are spelled out once a make.
    """

    def __init__(self) -> None:
        self._layouts: dict[tuple[Any, ...], _Layout] = {}

    def wants(self, arrival: int) -> bool:
        """Whether the record that arrived as number ``arrival`` is among those looked at."""
        return arrival <= _ALL_UNTIL or arrival % _THEN_EVERY == 0

    def observe(self, payload: Any) -> None:
        """Take one payload's shape in."""
        if type(payload) is dict or isinstance(payload, Mapping):
            self._object("", payload)

    @property
    def empty(self) -> bool:
        """Whether nothing was observed."""
        return not self._layouts

    def types(self) -> dict[str, set[str]]:
        """Types by path, ``absent`` among them where a record had the object around the path without it."""
        return self._summary()[0]

    def changes(self, known: Mapping[str, set[str]]) -> tuple[list[Change], dict[str, set[str]]]:
        """Differences from the ``known`` shapes of earlier loads, and the paths whose known types grow by this one.

        A stream's first load has nothing to differ from. A path that not every record had before is never missing.
        """
        changes: list[Change] = []
        grown: dict[str, set[str]] = {}
        found, around = self._summary()
        for path, types in found.items():
            before = known.get(path)
            if before is not None and types <= before:
                continue
            grown[path] = types | (before or set())
            if before is None:
                if len(known) + len(grown) > MAX_PATHS:
                    del grown[path]
                elif known and (_object_of(path) in known or not _object_of(path)):
                    changes.append(Change(path, "new", None, _joined(types)))
            elif (before - _QUIET) and not types - _QUIET <= before:
                changes.append(Change(path, "type", _joined(before), _joined(types)))
        for path, before in known.items() if len(found) < MAX_PATHS > len(self._layouts) else ():
            if path not in found and ABSENT not in before and around[_parent(path)]:
                grown[path] = before | {ABSENT}
                changes.append(Change(path, "missing", _joined(before), None))
        return sorted(changes, key=lambda change: change.path), grown

    def _summary(self) -> tuple[dict[str, set[str]], Counter[str]]:
        """Types by path, and how often the object around a path was seen; "" is the payload itself."""
        types: dict[str, set[str]] = {}
        seen: Counter[str] = Counter()
        around: Counter[str] = Counter()
        for layout in self._layouts.values():
            around[layout.at] += layout.count
            for name, kind in zip(layout.names, layout.types, strict=True):
                path = _path(layout.at, name)
                if path in types or len(types) < MAX_PATHS:
                    types.setdefault(path, set()).add(kind)
                    seen[path] += layout.count
        for path, kinds in types.items():
            if seen[path] < around[_parent(path)]:
                kinds.add(ABSENT)
        return types, around

    def _object(self, at: str, value: Mapping[Any, Any]) -> None:
        make = (at, *value, *map(type, value.values()))
        layout = self._layouts.get(make)
        if layout is None:
            if len(self._layouts) >= MAX_PATHS:
                return
            layout = self._layouts[make] = _layout(at, value)
        layout.count += 1
        for key, path, is_list in layout.inside:
            if is_list:
                for element in value[key][:_MAX_ELEMENTS]:
                    if type(element) is dict or isinstance(element, Mapping):
                        self._object(path, element)
            else:
                self._object(path, value[key])


def _layout(at: str, value: Mapping[Any, Any]) -> _Layout:
    names = {key: clean_text(str(key))[:_MAX_NAME] for key in value}
    inside = []
    for key, child in value.items() if not at else ():
        if isinstance(child, Mapping):
            inside.append((key, names[key], False))
        elif isinstance(child, list):
            inside.append((key, f"{names[key]}[]", True))
    types = tuple(
        "object" if isinstance(child, Mapping) else _JSON_TYPES.get(type(child), "string") for child in value.values()
    )
    return _Layout(at, tuple(names.values()), types, tuple(inside))


def record_drift(
    connection: psycopg.Connection, org_id: int, source: str, stream: str, run_id: int, shapes: Shapes
) -> list[Change]:
    """Write how the load's shapes differ from the known ones, and remember them; nothing is written where none do."""
    if shapes.empty:
        return []
    key = (org_id, source, stream)
    rows = connection.execute(
        "select path, types from ops.stream_shapes where org_id = %s and source = %s and stream = %s", key
    ).fetchall()
    changes, grown = shapes.changes({path: set(types) for path, types in rows})
    if grown:
        connection.execute(
            """
            insert into ops.stream_shapes as known (org_id, source, stream, path, types, last_seen_run_id)
            select %s, %s, %s, path, string_to_array(types, '|'), %s
            from unnest(%s::text[], %s::text[]) as grown (path, types)
            on conflict (org_id, source, stream, path)
            do update set types = excluded.types, last_seen_run_id = excluded.last_seen_run_id
            """,
            [*key, run_id, list(grown), [_joined(types) for types in grown.values()]],
        )
    if changes:
        with connection.cursor() as cursor:
            cursor.executemany(
                """
                insert into ops.schema_drift (org_id, source, stream, path, change, old_type, new_type, run_id)
                values (%s, %s, %s, %s, %s, %s, %s, %s)
                """,
                [(*key, c.path, c.change, c.old_type, c.new_type, run_id) for c in changes],
            )
    return changes


def _path(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _object_of(path: str) -> str:
    return _parent(path).removesuffix("[]")


def _joined(types: set[str]) -> str:
    return "|".join(sorted(types))
