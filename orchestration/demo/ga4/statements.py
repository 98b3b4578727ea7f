"""The statements that the stand-in understands; any other is refused.

It runs no SQL. A statement is known by its fingerprint, and answered by Python that was written from its meaning; on
an emulator that does run SQL, tests hold the two against each other. Whoever changes a statement has to do so again,
and puts the new fingerprint here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from orchestration.demo.ga4 import answers
from orchestration.demo.ga4.export import Table

KNOWN = {"98b5901949d7ff07": "sessions", "845b9de2d5eb0ebd": "figures"}

Field = dict[str, Any]

_TABLE = re.compile(r"`([^`.]+)\.([^`.]+)\.([^`.]+)`")
_ABSENT = re.compile(r"cast\(null as \w+\)( as (\w+))?")
_DAY = re.compile(r"'\d{8}' as day")
# One table's part of a union, and those of all others behind it.
_UNION = re.compile(r"(select .+?)(?: union all \1)+")
_OPTIONAL = ("stream_id", "platform", "is_active_user")


class Refused(Exception):
    """A statement that BigQuery would refuse, or that the stand-in does not know. ``reason`` is BigQuery's."""

    def __init__(self, message: str, reason: str = "invalidQuery") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Result:
    """``schema`` and ``rows`` of an answer; ``scanned``: rows read for it."""

    schema: list[Field]
    rows: list[dict[str, Any]]
    scanned: int


def fingerprint(statement: str) -> str:
    """Names what a statement means: whatever its layout, its table, and the optional columns it finds there."""
    text = _TABLE.sub("`?`", " ".join(statement.split()))
    text = _ABSENT.sub(lambda found: f"{found[2] or 'is_active_user'}{found[1] or ''}", text)
    text = _UNION.sub(r"\1", _DAY.sub("'?' as day", text))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def table_of(statement: str) -> tuple[str, str, str]:
    """Project, dataset and table (which may be a wildcard) that a statement reads."""
    found = _TABLE.search(statement)
    if found is None:
        raise Refused("the stand-in found no table in the statement")
    return found[1], found[2], found[3]


def answer(statement: str, parameters: Mapping[str, Any], tables: Mapping[str, Table]) -> Result:
    """Raises Refused for a statement that is not known, and for tables and columns that are not there."""
    meaning = KNOWN.get(fingerprint(statement))
    _, _, name = table_of(statement)
    if meaning == "sessions":
        if name not in tables:
            raise Refused(f"Not found: Table {name} was not found", "notFound")
        table = tables[name]
        _check_columns(statement, table)
        return Result(_SESSIONS, list(answers.sessions(table.rows)), len(table.rows))
    if meaning == "figures":
        days = {match[3][-8:]: tables[match[3]].rows for match in _TABLE.finditer(statement)}
        found = list(answers.figures(days, str(parameters["last"][0])))
        return Result(_FIGURES, found, sum(map(len, days.values())))
    raise Refused(f"the stand-in does not know this statement (fingerprint {fingerprint(statement)})")


def _check_columns(statement: str, table: Table) -> None:
    named = set(_OPTIONAL) - {match[2] for match in _ABSENT.finditer(statement)}
    missing: Iterable[str] = sorted(named & table.without)
    for column in missing:
        raise Refused(f"Unrecognized name: {column} at [12:9]")


def _field(name: str, kind: str, mode: str = "NULLABLE", fields: list[Field] | None = None) -> Field:
    return {"name": name, "type": kind, "mode": mode} | ({"fields": fields} if fields else {})


_SESSIONS = [
    _field("stream_id", "STRING"),
    _field("user_pseudo_id", "STRING"),
    _field("session_id", "INTEGER"),
    _field("platform", "STRING"),
    _field("session_number", "INTEGER"),
    _field("session_engaged", "INTEGER"),
    _field("is_active", "BOOLEAN"),
    *(
        _field(name, "INTEGER")
        for name in (
            "first_event_us",
            "last_event_us",
            "engagement_ms",
            "first_opens",
            "first_visits",
            "events",
            "deliveries",
            "views",
            "screen_views",
        )
    ),
    _field("screens", "RECORD", "REPEATED", [_field("name", "STRING"), _field("views", "INTEGER")]),
]
_FIGURES = [
    _field(name, "INTEGER")
    for name in (
        *("daily", "weekly", "monthly", "new_users", "sessions", "duration_us", "screen_views"),
        *("ios_downloads", "android_downloads", "days"),
    )
]

_VALUE = [
    _field("string_value", "STRING"),
    _field("int_value", "INTEGER"),
    _field("float_value", "FLOAT"),
    _field("double_value", "FLOAT"),
]
COLUMNS = [
    _field("event_date", "STRING"),
    _field("event_timestamp", "INTEGER"),
    _field("event_name", "STRING"),
    _field("event_params", "RECORD", "REPEATED", [_field("key", "STRING"), _field("value", "RECORD", fields=_VALUE)]),
    _field("user_pseudo_id", "STRING"),
    _field("stream_id", "STRING"),
    _field("platform", "STRING"),
    _field("is_active_user", "BOOLEAN"),
]
"""Of the export's columns, those that matter here."""


def encoded(row: Mapping[str, Any], schema: list[Field]) -> dict[str, Any]:
    """A row as BigQuery's REST answers have it: every value text, below ``f`` and ``v``."""
    return {"f": [{"v": _value(row[field["name"]], field)} for field in schema]}


def _value(value: Any, field: Field) -> Any:
    if field["mode"] == "REPEATED":
        return [{"v": _value(one, field | {"mode": "NULLABLE"})} for one in value]
    if value is None:
        return None
    if field["type"] == "RECORD":
        return encoded(value, field["fields"])
    return str(value).lower() if isinstance(value, bool) else str(value)
