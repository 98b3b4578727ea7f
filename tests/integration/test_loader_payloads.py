"""Whatever a source sends, every record lands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from landing_helpers import NOON, TABLE, Warehouse, record

from orchestration.sources.core.records import Record

# Every code point: NUL, lone surrogates and all that JSON and COPY escape.
TEXT = st.text(st.characters(exclude_categories=()), max_size=12) | st.sampled_from(
    ["\\N", "\\.", "\\\\u0000", "\t\n\r\x0b", '"\\', "\u2028", "NaN", "{", "\ufffe", "😀", "null", "E+9"]
)
NUMBERS = (
    st.integers()
    | st.sampled_from([2**63, -(2**64), 10**400, -(10**4000)])
    | st.floats()
    | st.decimals()
    | st.sampled_from([Decimal(text) for text in ("1E+131071", "1E+131072", "-1E-16384", "0E-7", "-0", "sNaN", "1E+9")])
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
# What a record usually is, with each of its values flipped to anything.
FLIPPED = st.fixed_dictionaries(
    {"Id": st.just("1") | JSON, "SyncToken": st.just("3") | JSON, "Line": st.lists(JSON, max_size=3) | JSON},
    optional={"MetaData": st.dictionaries(TEXT, JSON, max_size=3) | JSON},
)


@pytest.fixture
def warehouse(database_everywhere: str) -> Warehouse:
    return Warehouse()


def same(landed: Any, sent: Any) -> bool:
    """Equal as JSON is: numbers by value."""
    if isinstance(sent, Mapping):
        return isinstance(landed, dict) and landed.keys() == sent.keys() and all(same(landed[k], sent[k]) for k in sent)
    if isinstance(sent, list):
        return isinstance(landed, list) and len(landed) == len(sent) and all(map(same, landed, sent))
    if isinstance(sent, float):
        return landed == Decimal(repr(sent))
    return type(landed) is not bool and landed == sent if not isinstance(sent, bool) else landed is sent


def is_plain(value: Any) -> bool:
    """Whether Postgres can store the value as it is."""
    if isinstance(value, Mapping):
        return all(is_plain(key) and is_plain(child) for key, child in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, str):
        return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, int | float | Decimal):
        number = Decimal(value)
        return number.is_finite() and number.adjusted() <= 131_071 and number.as_tuple().exponent >= -16_383
    return True


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payloads=st.lists(FLIPPED | JSON, min_size=1, max_size=8))
@example(payloads=[{"Id": "1", "a": ["\0", "\ud83d", float("nan"), Decimal("Infinity"), Decimal("1E+140000")]}])
def test_no_record_is_lost_over_what_is_in_it(warehouse: Warehouse, payloads: list[Any]) -> None:
    warehouse.connection.execute(f"truncate {TABLE}")
    records = [Record(str(number), payload, NOON) for number, payload in enumerate(payloads) if payload is not None]
    result = warehouse.load(records, "full")
    assert result.inserted == len(records)
    landed = {
        key: json.loads(text, parse_float=Decimal, parse_int=Decimal)
        for key, text in warehouse.query(f"select record_id, payload::text from {TABLE}")
    }
    for one in records:
        if is_plain(one.payload):
            assert same(landed[one.record_id], one.payload)
        else:
            assert result.notes
    if all(is_plain(one.payload) for one in records):
        assert not any("record" in note and "with" in note for note in result.notes)
    # The same again is the same: nothing is written.
    assert warehouse.load(records, "full").unchanged == len(records)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(TEXT.filter(bool) | st.text(min_size=3000, max_size=5000), min_size=1, max_size=6, unique=True))
def test_no_record_is_lost_over_its_key(warehouse: Warehouse, keys: list[str]) -> None:
    warehouse.connection.execute(f"truncate {TABLE}")
    records = [Record(key, {"place": place}, NOON) for place, key in enumerate(keys)]
    assert warehouse.load(records, "full").inserted == len(keys)
    assert warehouse.load(records, "full").unchanged == len(keys)
    landed = dict(warehouse.query(f"select (payload->>'place')::int, record_id from {TABLE}"))
    for place, key in enumerate(keys):
        if is_plain(key) and len(key) < 250:
            assert landed[place] == key


def test_a_record_of_30_megabytes_and_one_of_many_lines_land(warehouse: Warehouse) -> None:
    large = record("large", Memo="äöü\\\n" * 6_000_000)
    lines = record("lines", Line=[{"Id": str(number), "Amount": Decimal("1.10")} for number in range(5_000)])
    assert warehouse.load([large, lines]).inserted == 2
    assert warehouse.one(f"select length(payload->>'Memo') from {TABLE} where record_id = 'large'") == 30_000_000
    assert warehouse.one(
        f"""
        select sum((line->>'Amount')::numeric) from {TABLE}, jsonb_array_elements(payload->'Line') as line
        where record_id = 'lines'
        """
    ) == Decimal("5500.00")


@pytest.mark.parametrize("depth", [1_000, 50_000])
def test_a_deeply_nested_record_lands(warehouse: Warehouse, depth: int) -> None:
    payload: Any = "bottom"
    for _ in range(depth):
        payload = {"a": payload}
    result = warehouse.load([Record("1", payload, NOON)])
    assert result.inserted == 1
    assert warehouse.one(f"select payload::text like '%%bottom%%' from {TABLE}")
    assert bool(result.notes) == (depth > 2_000)


def test_what_was_replaced_is_said_in_the_run(warehouse: Warehouse) -> None:
    warehouse.load([record("7", Memo="a\0b"), record("8", Rate=Decimal("NaN")), record("9", Memo="fine")])
    assert warehouse.one("select notes from ops.sync_runs") == [
        "1 record with NaN or infinite numbers, kept as text (id 8)",
        "1 record with characters that Postgres can't store (NUL, lone surrogates), replaced by U+FFFD (id 7)",
    ]


def test_a_change_of_shape_lands_and_is_recorded(warehouse: Warehouse) -> None:
    warehouse.load([record(str(number), Total=Decimal("1.5"), Ref={"value": "1"}) for number in range(20)], "full")
    assert warehouse.query("select * from ops.schema_drift") == []
    result = warehouse.load([record(str(number), Total="1.5", Ref=[], Extra=True) for number in range(20)], "full")
    assert result.updated == 20
    assert warehouse.query(
        "select org_id, source, stream, path, change, old_type, new_type, run_id from ops.schema_drift order by path"
    ) == [
        (1, "quickbooks", "invoice", "Extra", "new", None, "boolean", result.run_id),
        (1, "quickbooks", "invoice", "Ref", "type", "object", "array", result.run_id),
        (1, "quickbooks", "invoice", "Total", "type", "number", "string", result.run_id),
    ]
    assert result.notes == [
        "the shape of the records changed: Extra (new), Ref (type), Total (type); see ops.schema_drift"
    ]

    result = warehouse.load([record(str(number), Ref=[]) for number in range(20)], "full")
    missing = warehouse.query("select path from ops.schema_drift where change = 'missing' order by path")
    assert missing == [("Extra",), ("Total",)]
    assert warehouse.load([record(str(number), Ref=[]) for number in range(20)], "full").notes == []
