"""Payloads as JSON text that Postgres' jsonb takes, whatever a source sent.

What jsonb refuses (NUL, lone surrogates, NaN, numbers beyond numeric) is replaced by the nearest thing it takes,
counted and said; no record is lost over it. Money keeps every digit: Decimals are written as the numbers they are.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

# Postgres' numeric: 131072 digits before the point, 16383 after it.
_MAX_EXPONENT = 131_071
_MIN_EXPONENT = -16_383
# Postgres' parser takes several times this; Python's takes less unless told otherwise.
MAX_DEPTH = 2_000
# A jsonb value ends at 256 MiB.
MAX_BYTES = 200 * 1024 * 1024

_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="number")
_BRACKETS = bytes(code for code in range(256) if code not in b"[{")
_LONG_NUMBER_DIGITS = 16_000
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % _LONG_NUMBER_DIGITS)
_WITHOUT_CHILDREN = frozenset({str, int, bool, Decimal, type(None)})
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_WORDS = {
    "text": "characters that Postgres can't store (NUL, lone surrogates), replaced by U+FFFD",
    "not_finite": "NaN or infinite numbers, kept as text",
    "number": "numbers beyond Postgres' numeric, kept as text",
    "depth": f"nesting beyond {MAX_DEPTH} levels, kept as text from there on",
    "type": "values that have no form in JSON, kept as text",
    "size": "more than Postgres can hold in one value, replaced by a note of their size",
}


class PayloadEncoder:
    """Encodes the payloads of one load and counts what had to be replaced in them."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def encode(self, payload: Any, record_id: str) -> bytes:
        """UTF-8 JSON with keys in one order, so that equal payloads are equal texts.

        ``payload`` is anything JSON can say, or ``msgspec.Raw``: JSON text as it was received.
        """
        try:
            text = _encoder.encode(payload)
        except (TypeError, ValueError, RecursionError, OverflowError):
            return self._clean(payload, record_id)
        return self._clean(payload, record_id) if _is_suspect(text, payload) else text

    def notes(self) -> list[str]:
        """One sentence for each kind of replacement, with the number of records and some of their ids."""
        return [
            f"{count} record{'s' if count > 1 else ''} with {_WORDS[kind]} (id {', '.join(self._examples[kind])}"
            f"{', …' if count > len(self._examples[kind]) else ''})"
            for kind, count in sorted(self._counts.items())
        ]

    def _clean(self, payload: Any, record_id: str) -> bytes:
        if isinstance(payload, msgspec.Raw):
            payload = json.loads(bytes(payload), strict=False, parse_float=Decimal, parse_constant=Decimal)
        replaced: set[str] = set()
        text = _write(payload, replaced, MAX_DEPTH).encode()
        if len(text) > MAX_BYTES:
            replaced.add("size")
            text = _encoder.encode({"unstorable_bytes": len(text)})
        for kind in replaced:
            self._counts[kind] += 1
            examples = self._examples.setdefault(kind, [])
            if len(examples) < 3:
                examples.append(clean_text(str(record_id))[:50])
        return text


def clean_text(value: str) -> str:
    """``value`` without the characters that Postgres can't store, each replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", value)


def _is_suspect(text: bytes, payload: Any) -> bool:
    """Whether jsonb may refuse ``text``. Cheap where it does not: this runs for every record."""
    # A single character is found many times faster than two.
    if b"NaN" in text or b"Infinity" in text or b"E-" in text or (b"+" in text and b"E+" in text):
        return True
    if b"\\" in text and b"\\u0000" in text:
        return True
    if b"null" in text and _has_float_without_value(payload):  # a float NaN is written as null
        return True
    if len(text) < MAX_DEPTH:
        return False
    if len(text.translate(None, _BRACKETS)) > MAX_DEPTH and _is_deeper(payload, MAX_DEPTH):
        return True
    if len(text) > MAX_BYTES:
        return True
    return len(text) >= _LONG_NUMBER_DIGITS and _LONG_NUMBER.search(text) is not None


def _has_float_without_value(payload: Any) -> bool:
    pending: list[Any] = [[payload]]
    while pending:
        value = pending.pop()
        children = value.values() if type(value) is dict else value if type(value) is list else _children(value)
        # Many records are full of nulls and have no float at all, which is found without looking at each value.
        if _WITHOUT_CHILDREN.issuperset(map(type, children)):
            continue
        for child in children:
            if type(child) not in _WITHOUT_CHILDREN:
                if isinstance(child, float) and child - child != 0.0:
                    return True
                pending.append(child)
    return False


def _is_deeper(payload: Any, levels: int) -> bool:
    level = [payload]
    for _ in range(levels):
        level = [child for value in level for child in _children(value)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple) else []


def _write(root: Any, replaced: set[str], max_depth: int | None) -> str:
    """``root`` as JSON without recursion, every leaf in the fast encoder's form; adds to ``replaced`` what was."""
    parts: list[str] = []
    # Ready text, or a value to write with its depth.
    pending: list[str | tuple[Any, int]] = [(root, 0)]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            parts.append(item)
            continue
        value, depth = item
        if not isinstance(value, Mapping | list | tuple | set | frozenset):
            parts.append(_leaf(value, replaced))
        elif depth == max_depth:
            replaced.add("depth")
            parts.append(_leaf(_write(value, replaced, None), replaced))
        elif isinstance(value, Mapping):
            entries = list(_named(value, replaced).items())
            pending.append("}")
            for position in range(len(entries) - 1, -1, -1):
                key, child = entries[position]
                pending.append((child, depth + 1))
                pending.append(f"{',' if position else ''}{_leaf(key, replaced)}:")
            pending.append("{")
        else:
            children = list(value)
            pending.append("]")
            for position in range(len(children) - 1, -1, -1):
                pending.append((children[position], depth + 1))
                if position:
                    pending.append(",")
            pending.append("[")
    return "".join(parts)


def _named(value: Mapping[Any, Any], replaced: set[str]) -> dict[str, Any]:
    """The members in the order of their names, none lost where cleaning makes two names equal."""
    named: dict[str, Any] = {}
    for key, child in value.items():
        name = str(key)
        cleaned = clean_text(name)
        if cleaned != name:
            replaced.add("text")
        while cleaned in named:
            cleaned += "\ufffd"
        named[cleaned] = child
    return dict(sorted(named.items()))


def _leaf(value: Any, replaced: set[str]) -> str:
    if isinstance(value, str):
        cleaned = clean_text(value)
        if cleaned != value:
            replaced.add("text")
        return _encoder.encode(cleaned).decode()
    if isinstance(value, float | Decimal) and not _is_finite(value):
        replaced.add("not_finite")
        return json.dumps(str(value))
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _number(Decimal(value), replaced)
    try:
        return _encoder.encode(value).decode()
    except (TypeError, ValueError, RecursionError, OverflowError):
        replaced.add("type")
        return json.dumps(f"<{type(value).__name__}>")


def _is_finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else value - value == 0.0


def _number(value: Decimal, replaced: set[str]) -> str:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if value.adjusted() <= _MAX_EXPONENT and exponent >= _MIN_EXPONENT:
        return str(value)
    replaced.add("number")
    return json.dumps(str(value))
