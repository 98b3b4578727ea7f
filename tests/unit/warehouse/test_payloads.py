"""Encoding of payloads: what passes as it is, what is replaced and said, and that nothing raises."""

from __future__ import annotations

import json
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from orchestration.warehouse import payloads
from orchestration.warehouse.payloads import MAX_DEPTH, PayloadEncoder


def encoded(payload: Any) -> tuple[Any, list[str]]:
    encoder = PayloadEncoder()
    text = encoder.encode(payload, "17")
    return json.loads(text, parse_float=Decimal), encoder.notes()


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"bottom": 1}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        "text",
        None,
        {"money": Decimal("0.10"), "long": Decimal("-1234567890123456789.123456789"), "exponent": Decimal("1E+30")},
        {"tiny": Decimal("1E-9"), "minus zero": Decimal("-0.00"), "id": 2**70, "bool": True, "null": None},
        {"text": 'ä \\ " / \n \t \u2028 \x7f 😀 \\u0000 NaN Infinity null E+5', "NaN": "E-7"},
        {"brackets": "[" * 5000 + "]}" * 5000},
        {"long digits in a text": "9" * 20_000, "a long number": int("9" * 4000)},
        [{"Line": [{"Id": str(number)} for number in range(3000)]}],
    ],
)
def test_what_postgres_takes_is_left_as_it_is(payload: Any) -> None:
    assert encoded(payload) == (payload, [])


def test_both_ways_of_writing_give_the_same_text() -> None:
    payload = {"b": [1, 2.5, "ä\n", {"z": None, "a": Decimal("1.10")}], "a": True, "ü": {}, "e": []}
    plain = PayloadEncoder().encode(payload, "1")
    assert payloads._write(payload, set(), None).encode() == plain


def test_keys_in_any_order_give_one_text() -> None:
    encoder = PayloadEncoder()
    assert encoder.encode({"b": 1, "a": {"d": 1, "c": 2}}, "1") == encoder.encode({"a": {"c": 2, "d": 1}, "b": 1}, "1")
    assert encoder.encode({"b": "\0", "a": 1}, "1") == encoder.encode({"a": 1, "b": "\0"}, "1")


@pytest.mark.parametrize(
    ("payload", "landed", "said"),
    [
        ({"a": "x\0y"}, {"a": "x\ufffdy"}, "can't store"),
        ({"a": "x\ud800y", "b": ["\udfff"]}, {"a": "x\ufffdy", "b": ["\ufffd"]}, "can't store"),
        ({"a\0": 1, "a\ufffd": 2}, {"a\ufffd": 1, "a\ufffd\ufffd": 2}, "can't store"),
        ({"a": float("nan"), "b": None}, {"a": "nan", "b": None}, "NaN"),
        ({"a": [Decimal("NaN"), Decimal("-Infinity")]}, {"a": ["NaN", "-Infinity"]}, "NaN"),
        ({"a": Decimal("1E+200000")}, {"a": "1E+200000"}, "numeric"),
        ({"a": Decimal("1E-20000")}, {"a": "1E-20000"}, "numeric"),
        ({"a": 10**131_072}, {"a": "1" + "0" * 131_072}, "numeric"),
        ({"a": object()}, {"a": "<object>"}, "no form in JSON"),
    ],
)
def test_what_postgres_refuses_is_replaced_and_said(payload: Any, landed: Any, said: str) -> None:
    result, notes = encoded(payload)
    assert result == landed
    assert len(notes) == 1
    assert said in notes[0]
    assert notes[0].startswith("1 record with")
    assert "(id 17)" in notes[0]


@pytest.mark.parametrize("depth", [900, MAX_DEPTH])
def test_deep_nesting_lands_as_nesting(depth: int) -> None:
    encoder = PayloadEncoder()
    text = encoder.encode(nested(depth), "1")
    assert text.count(b"{") == text.count(b"}") == depth
    assert b"\\" not in text
    assert encoder.notes() == []


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100_000])
def test_nesting_beyond_the_limit_lands_as_text_from_there_on(depth: int) -> None:
    encoder = PayloadEncoder()
    text = encoder.encode(nested(depth), "1")
    outer, inner = text.split(b'"{', 1)
    assert outer.count(b"{") == MAX_DEPTH
    assert inner.count(b"{") == depth - MAX_DEPTH - 1
    assert "beyond" in encoder.notes()[0]


def test_depth_is_checked_even_where_python_itself_would_encode_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "MAX_DEPTH", 5)
    assert "beyond" in encoded(nested(6))[1][0]
    assert encoded(nested(5))[1] == []


def test_other_mappings_keys_and_sequences_are_written_as_json_has_them() -> None:
    payload = {1: "a", None: "b", "t": (1, 2), "m": MappingProxyType({"x": Decimal("1.0")})}
    assert encoded(payload)[0] == {"1": "a", "None": "b", "t": [1, 2], "m": {"x": Decimal("1.0")}}


def test_a_payload_too_large_for_one_value_is_noted_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "MAX_BYTES", 3000)
    result, notes = encoded({"a": "x" * 5000})
    assert result == {"unstorable_bytes": 5008}
    assert "more than Postgres can hold" in notes[0]


def test_ready_json_is_checked_like_any_other() -> None:
    assert PayloadEncoder().encode(msgspec.Raw(b'{"b":1.10,"a":2}'), "1") == b'{"b":1.10,"a":2}'
    assert encoded(msgspec.Raw(b'{"b":"\\u0000","a":NaN}'))[0] == {"a": "NaN", "b": "\ufffd"}


def test_notes_count_records_and_name_some() -> None:
    encoder = PayloadEncoder()
    for number in range(5):
        encoder.encode({"a": "\0\0", "b": "\0"}, str(number))
    assert encoder.notes() == [
        "5 records with characters that Postgres can't store (NUL, lone surrogates), replaced by U+FFFD (id 0, 1, 2, …)"
    ]
