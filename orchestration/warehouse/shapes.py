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
_ALL_UNTIL = 1_000
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


class Shapes:
    """Collects the paths and types of a load's payloads: ``Id``, ``MetaData.CreateTime``, ``Line[].Amount``."""

    def __init__(self) -> None:
        self._types: dict[str, set[str]] = {}
        self._seen: Counter[str] = Counter()
        # How often the object around a path was seen; "" is the payload itself.
        self._around: Counter[str] = Counter()

    def wants(self, arrival: int) -> bool:
        """Whether the record that arrived as number ``arrival`` is among those looked at."""
        return arrival <= _ALL_UNTIL or arrival % _THEN_EVERY == 0

    def observe(self, payload: Any) -> None:
        """Take one payload's shape in."""
        if isinstance(payload, Mapping):
            self._object("", payload, nested=True)

    def types(self) -> dict[str, set[str]]:
        """Types by path, ``absent`` among them where a record had the object around the path without it."""
        return {
            path: types | ({ABSENT} if self._seen[path] < self._around[_parent(path)] else set())
            for path, types in self._types.items()
        }

    def changes(self, known: Mapping[str, set[str]]) -> tuple[list[Change], dict[str, set[str]]]:
        """Differences from the ``known`` shapes of earlier loads, and the paths whose known types grow by this one.

        A stream's first load has nothing to differ from. A path that not every record had before is never missing.
        """
        changes: list[Change] = []
        grown: dict[str, set[str]] = {}
        found = self.types()
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
        for path, before in known.items() if len(found) < MAX_PATHS else ():
            if path not in found and ABSENT not in before and self._around[_parent(path)]:
                grown[path] = before | {ABSENT}
                changes.append(Change(path, "missing", _joined(before), None))
        return sorted(changes, key=lambda change: change.path), grown

    def _object(self, at: str, value: Mapping[Any, Any], *, nested: bool) -> None:
        self._around[at] += 1
        for key, child in value.items():
            name = clean_text(str(key))[:_MAX_NAME]
            path = f"{at}.{name}" if at else name
            if path not in self._types:
                if len(self._types) >= MAX_PATHS:
                    continue
                self._types[path] = set()
            self._seen[path] += 1
            self._types[path].add("object" if isinstance(child, Mapping) else _JSON_TYPES.get(type(child), "string"))
            if not nested:
                continue
            if isinstance(child, Mapping):
                self._object(path, child, nested=False)
            elif isinstance(child, list):
                for element in child[:_MAX_ELEMENTS]:
                    if isinstance(element, Mapping):
                        self._object(f"{path}[]", element, nested=False)


def record_drift(
    connection: psycopg.Connection, org_id: int, source: str, stream: str, run_id: int, shapes: Shapes
) -> list[Change]:
    """Write how the load's shapes differ from the known ones, and remember them; nothing is written where none do."""
    key = (org_id, source, stream)
    rows = connection.execute(
        "select path, types from ops.stream_shapes where org_id = %s and source = %s and stream = %s", key
    ).fetchall()
    changes, grown = shapes.changes({path: set(types) for path, types in rows})
    with connection.cursor() as cursor:
        if grown:
            cursor.executemany(
                """
                insert into ops.stream_shapes as known (org_id, source, stream, path, types, last_seen_run_id)
                values (%s, %s, %s, %s, %s, %s)
                on conflict (org_id, source, stream, path)
                do update set types = excluded.types, last_seen_run_id = excluded.last_seen_run_id
                """,
                [(*key, path, sorted(types), run_id) for path, types in grown.items()],
            )
        if changes:
            cursor.executemany(
                """
                insert into ops.schema_drift (org_id, source, stream, path, change, old_type, new_type, run_id)
                values (%s, %s, %s, %s, %s, %s, %s, %s)
                """,
                [(*key, c.path, c.change, c.old_type, c.new_type, run_id) for c in changes],
            )
    return changes


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _object_of(path: str) -> str:
    return _parent(path).removesuffix("[]")


def _joined(types: set[str]) -> str:
    return "|".join(sorted(types))
