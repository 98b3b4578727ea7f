"""What a source sends lands as it was sent: every digit, every character, every size."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cases import proves
from conformance_world import Warehouse

AMOUNTS = {
    "Precise": ("1234567890123456789.1234", None),
    "ThreeDecimals": ("10.005", None),
    "Sum": ("0.30000000000000004", None),
    "Negative": ("-0.01", None),
    "Zero": ("0.00", None),
    "Odd": ("9007199254740993", None),
    "BeyondInt64": ("18446744073709551617", None),
    "TooLargeForTheMart": ("123456789012345678901234567890.12", None),
    "Empty": ('""', ""),
    "ZeroText": ('"0.00"', "0.00"),
    "Grouped": ('"1,234.50"', "1,234.50"),
    "Brackets": ('"(12.00)"', "(12.00)"),
}
TEXTS = {
    "[Column With Spaces - And Hyphens]": ('"x"', "x"),
    "Quotes": (r'"O\"Brien \\ \'s; drop table x; --"'.replace(r"\'", "'"), "O\"Brien \\ 's; drop table x; --"),
    "Emoji": ('"\N{FAMILY}\N{ZERO WIDTH JOINER} na\u00efve \N{CJK UNIFIED IDEOGRAPH-6F22}"', None),
    "Escaped": (r'"\ud83d\ude00 \u00e9"', "\U0001f600 \u00e9"),
    "Lines": (r'"a\tb\nc\r\n\\N\\."', "a\tb\nc\r\n\\N\\."),
    "NoDate": ('"0000-00-00"', "0000-00-00"),
    "LastDate": ('"9999-12-31"', "9999-12-31"),
    "TypedDate": ('"2918-08-01"', "2918-08-01"),
    "Infinity": ('"infinity"', "infinity"),
    "InTheGap": ('"2026-03-08T02:30:00"', "2026-03-08T02:30:00"),
    "Doubled": ('"first","Doubled":"last"', "last"),
}
REFUSED = {
    "Nul": (r'"a\u0000b"', "a\ufffdb"),
    "Half": (r'"a\ud800b"', "a\ufffdb"),
    "NotANumber": ("NaN", "NaN"),
    "Endless": ("-Infinity", "-Infinity"),
}


def member_texts(members: dict[str, tuple[str, str | None]]) -> str:
    return ",".join(f'"{name}":{text}' for name, (text, _) in members.items())


def expected(members: dict[str, tuple[str, str | None]]) -> dict[str, str]:
    return {name: text.strip('"') if value is None else value for name, (text, value) in members.items()}


def landed(warehouse: Warehouse, key: str, names: list[str]) -> dict[str, str]:
    members = {warehouse.standin.member(name): name for name in names}
    rows = warehouse.query(
        f"select name, {warehouse.standin.text_at} from {{stream}}, unnest(%s::text[]) as name"
        " where {key} = %s and deleted_at is null",
        list(members),
        warehouse.standin.served(key),
    )
    return {members[name]: value for name, value in rows}


@proves("21")
def test_amounts_and_long_numbers_land_digit_by_digit(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.serve(standin.record_text("9007199254740993", member_texts(AMOUNTS)))
    warehouse.night()
    assert landed(warehouse, "9007199254740993", list(AMOUNTS)) == expected(AMOUNTS)


@proves("22b")
def test_odd_texts_and_names_survive(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.serve(standin.record_text("1", member_texts(TEXTS)))
    warehouse.night()
    assert landed(warehouse, "1", list(TEXTS)) == expected(TEXTS)


@proves("22a")
def test_what_postgres_refuses_loses_no_record(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    good = [standin.record_text(str(number), '"Fine":true') for number in (2, 3)]
    refused = {name: value for name, value in REFUSED.items() if name in standin.refused}
    standin.serve(standin.record_text("1", member_texts(refused)), *good)
    warehouse.night()
    assert warehouse.live() == {standin.served(key) for key in ("1", "2", "3")}
    assert landed(warehouse, "1", list(refused)) == expected(refused)
    assert "can't store" in warehouse.notes()
    assert ("NaN" in warehouse.notes()) == ("NotANumber" in refused)


@proves("22c")
def test_new_missing_and_retyped_members_are_accepted_and_recorded(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    standin.serve(*(standin.record_text(str(n), '"Kept":1,"Dropped":"x","Merged":7') for n in range(1, 4)))
    warehouse.night()
    standin.serve(*(standin.record_text(str(n), '"Kept":1,"Merged":"7;8","Added":{"a":[1]}') for n in range(1, 4)))
    warehouse.read_in_full_next()
    warehouse.night()
    assert landed(warehouse, "2", ["Kept", "Merged", "Added", "Dropped"]) == {
        "Kept": "1",
        "Merged": "7;8",
        "Added": '{"a": [1]}',
        "Dropped": None,
    }
    drift = warehouse.query("select path, change from ops.schema_drift where stream = %s", standin.stream)
    said = {("Added", "new"), ("Dropped", "missing"), ("Merged", "type")}
    assert {(standin.member(name), change) for name, change in said} <= set(drift)


@proves("22d")
def test_a_record_of_30_megabytes_and_a_deeply_nested_one_land(warehouse: Warehouse) -> None:
    standin = warehouse.standin
    lines = ",".join(
        f'{{"LineNum":{number},"Amount":{number}.05,"Description":"{"x" * 5950}"}}' for number in range(5000)
    )
    nested = "[" * 1000 + "1" + "]" * 1000
    standin.serve(
        standin.record_text("1", f'"Lines":[{lines}]'),
        standin.record_text("2", f'"Nested":{nested}'),
        standin.record_text("3", '"Small":1'),
    )
    warehouse.night()
    assert warehouse.live() == {"1", "2", "3"}
    assert warehouse.value("1", "{Lines,4999,Amount}") == "4999.05"
    assert warehouse.value("2", "{Nested,0,0,0,0}").count("[") == 996


@proves("F41")
@pytest.mark.parametrize("newest_first", [True, False])
def test_an_id_twice_in_one_answer_lands_once_as_its_newest(warehouse: Warehouse, newest_first: bool) -> None:
    standin = warehouse.standin
    newest = standin.record_text("1", '"Version":"newest"', standin.now)
    older = standin.record_text("1", '"Version":"older"', standin.now - timedelta(days=1))
    standin.serve(*((newest, older) if newest_first else (older, newest)))
    warehouse.night()
    assert warehouse.live() == {"1"}
    assert warehouse.value("1", f"{{{standin.member('Version')}}}") == "newest"
