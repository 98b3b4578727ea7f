from __future__ import annotations

import contextlib
import json
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.sources.core.decoding import Undecodable, decode_json

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_money_keeps_every_digit() -> None:
    assert decode_json(b'{"a": 0.1, "b": 12345678901234567890.10}') == {
        "a": Decimal("0.1"),
        "b": Decimal("12345678901234567890.10"),
    }


def test_integers_beyond_64_bits_stay_exact() -> None:
    assert decode_json(b"123456789012345678901234567890") == 123456789012345678901234567890


@given(JSON_VALUES)
def test_whatever_json_says_is_read_as_said(value: object) -> None:
    text = _encode(value)
    assert decode_json(text.encode("utf-8", "surrogatepass")) == value


def test_one_bad_character_does_not_cost_the_page() -> None:
    page = (
        b'[{"Id":"1","n":NaN},{"Id":"2","n":-Infinity},{"Id":"3","t":"\\ud800"},'
        b'{"Id":"4","t":"a\x01b"},{"Id":"5","t":"\xff"}]'
    )
    rows = decode_json(page)
    assert [row["Id"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert rows[0]["n"].is_nan()
    assert rows[1]["n"] == Decimal("-Infinity")
    assert rows[2]["t"] == "\ud800"


def test_an_integer_too_long_for_python_is_kept_as_decimal() -> None:
    digits = "7" * 5000
    assert decode_json(f'{{"n": {digits}, "m": NaN}}'.encode())["n"] == Decimal(digits)


def test_a_byte_order_mark_is_ignored() -> None:
    assert decode_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_what_nests_a_thousand_levels_deep_is_read_and_ten_thousand_refused() -> None:
    value = decode_json(b"[" * 1500 + b"0.1" + b"]" * 1500)
    for _ in range(1500):
        (value,) = value
    assert value == Decimal("0.1")
    limit = sys.getrecursionlimit()
    with pytest.raises(Undecodable, match="nested too deeply"):
        decode_json(b"[" * 10_000 + b"]" * 10_000)
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"a": 1', b'{"a": [1, 2}', b"[1, 2] trailing", b"[" * 5000])
def test_what_is_not_json_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode_json(body)


@given(st.binary(max_size=60), st.integers(min_value=0, max_value=40))
def test_half_an_answer_is_never_half_a_result(noise: bytes, cut: int) -> None:
    whole = b'{"QueryResponse":{"Invoice":[{"Id":"1"}]}}'
    with pytest.raises(Undecodable):
        decode_json(whole[:cut])
    with contextlib.suppress(Undecodable):
        decode_json(noise)


def _encode(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return "[" + ",".join(map(_encode, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_encode(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)
