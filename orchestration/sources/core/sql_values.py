"""What a database gives as what JSON says: every digit kept, and no time zone invented."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID


def json_value(value: object) -> Any:
    """One value of a row.

    ``decimal`` and ``money`` stay Decimal; floating point becomes the shortest Decimal that means the same number.
    Dates and times are ISO text: ``2026-02-03T00:00:00``, with a fraction only where there is one and an offset only
    where the column has one. ``bit`` is a bool, bytes are hexadecimal, a ``uniqueidentifier`` is its text.
    """
    if value is None or isinstance(value, str | bool | int | Decimal):
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, timedelta):
        return Decimal(str(value.total_seconds()))
    if isinstance(value, Mapping):
        return {str(name): json_value(one) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [json_value(one) for one in value]
    return str(value)


def record_key(row: Mapping[str, Any], key: Sequence[str]) -> str:
    """The key of a row (values as ``json_value`` gives them): the one column's text, or a JSON array of several.

    Without key columns, and where all of them are NULL or blank, it is empty: the loader numbers identical rows.
    """
    values = [row.get(name) for name in key]
    if all(value is None or (isinstance(value, str) and not value.strip()) for value in values):
        return ""
    if len(values) == 1:
        return values[0] if isinstance(values[0], str) else _written(values[0])
    return f"[{','.join(map(_written, values))}]"


def _written(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
