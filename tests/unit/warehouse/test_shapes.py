"""Shapes of payloads and their differences."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from orchestration.warehouse import shapes
from orchestration.warehouse.shapes import MAX_PATHS, Change, Shapes

INVOICE = {"Id": "1", "Total": Decimal("1.5"), "Line": [{"Amount": 1}], "MetaData": {"Time": "x"}, "Note": None}


def observed(*payloads: Any) -> Shapes:
    result = Shapes()
    for payload in payloads:
        result.observe(payload)
    return result


def known(*payloads: Any) -> dict[str, set[str]]:
    return observed(*payloads).types()


def test_paths_are_taken_two_levels_deep() -> None:
    assert known({**INVOICE, "Deep": {"a": {"b": 1}}}) == {
        "Id": {"string"},
        "Total": {"number"},
        "Line": {"array"},
        "Line[].Amount": {"number"},
        "MetaData": {"object"},
        "MetaData.Time": {"string"},
        "Note": {"null"},
        "Deep": {"object"},
        "Deep.a": {"object"},
    }


def test_a_path_that_some_records_lack_is_marked() -> None:
    types = known(INVOICE, {"Id": "2", "Line": [{"Amount": 1}, {"Tax": 1}]})
    assert types["Total"] == {"number", "absent"}
    assert types["Line[].Amount"] == {"number", "absent"}
    assert types["MetaData.Time"] == {"string"}  # wherever there is a MetaData


def test_a_first_load_differs_from_nothing() -> None:
    changes, grown = observed(INVOICE).changes({})
    assert changes == []
    assert grown == known(INVOICE)


def test_the_same_shape_again_is_no_change() -> None:
    assert observed(INVOICE).changes(known(INVOICE)) == ([], {})


def test_new_missing_and_retyped_paths_are_told() -> None:
    after = {"Id": 1, "Line": [{"Amount": 1}], "MetaData": {"Time": "x"}, "Note": "text", "Extra": {"a": True}}
    changes, grown = observed(after).changes(known(INVOICE))
    assert changes == [
        Change("Extra", "new", None, "object"),
        Change("Id", "type", "string", "number"),
        Change("Total", "missing", "number", None),
    ]
    assert grown["Id"] == {"string", "number"}
    assert grown["Total"] == {"number", "absent"}
    assert grown["Note"] == {"null", "string"}  # a first value is no change of type
    assert observed(after).changes(known(INVOICE) | grown) == ([], {})


def test_numbers_are_one_type_and_optional_paths_are_never_missing() -> None:
    before = known({"a": 1, "b": 1}, {"a": Decimal("1.5")})
    assert observed({"a": 2.5}).changes(before) == ([], {})


def test_what_is_inside_a_path_that_is_gone_is_not_told_apart() -> None:
    changes, _ = observed({k: v for k, v in INVOICE.items() if k != "Line"}).changes(known(INVOICE))
    assert [change.path for change in changes] == ["Line"]


def test_objects_whose_keys_are_data_do_not_grow_without_end() -> None:
    first = known({f"key {number}": 1 for number in range(5000)})
    assert len(first) == MAX_PATHS
    changes, grown = observed({f"other {number}": 1 for number in range(5000)}).changes(first)
    assert (changes, grown) == ([], {})


def test_names_that_postgres_cannot_store_are_cleaned() -> None:
    assert known({"a\0\ud800": 1, "x" * 5000: 1}) == {"a\ufffd\ufffd": {"number"}, "x" * 200: {"number"}}


def test_every_early_record_is_looked_at_and_one_of_many_later() -> None:
    wants = [number for number in range(1, 10_001) if Shapes().wants(number)]
    assert wants[: shapes._ALL_UNTIL] == list(range(1, shapes._ALL_UNTIL + 1))
    assert len(wants) < 2 * shapes._ALL_UNTIL


def test_payloads_that_are_no_objects_have_no_shape() -> None:
    assert known("text", None, [1, 2], 5) == {}
