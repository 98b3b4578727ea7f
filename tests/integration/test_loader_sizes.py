"""Few records are sent with one statement, many by COPY: what is left behind is the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from landing_helpers import NOON, TABLE, Warehouse, failing, gone, record

from orchestration.errors import TransientError
from orchestration.sources.core.records import Record
from orchestration.warehouse import incoming
from orchestration.warehouse.loader import MassDeletionRefused

KEYS = st.sampled_from(["1", "2", "3", "4", "", "a\0b", "é|2", "x" * 2000])
INSTANTS = st.none() | st.integers(0, 3).map(lambda seconds: NOON + timedelta(seconds=seconds))
PAYLOADS = st.fixed_dictionaries(
    {"v": st.integers(0, 2)},
    optional={
        "SyncToken": st.sampled_from(["1", "2", "10", "x"]),
        "Memo": st.sampled_from(["\0", 'quo"te\\', "ü", "NaN"]),
    },
)
RECORDS = st.builds(Record, KEYS, PAYLOADS, INSTANTS, st.booleans()) | st.builds(
    Record, KEYS, st.none(), INSTANTS, st.just(True)
)
LOADS = st.lists(st.tuples(st.sampled_from(["full", "incremental"]), st.lists(RECORDS, max_size=8)), max_size=4)

FEW_ROWS = incoming.FEW_ROWS
Limit = Callable[[int], None]


@pytest.fixture
def warehouse(database_everywhere: str) -> Warehouse:
    return Warehouse()


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> Limit:
    return lambda limit: monkeypatch.setattr(incoming, "FEW_ROWS", limit)


def outcome(warehouse: Warehouse, mode: str, records: list[Record], org_id: int) -> Any:
    """What a load says of itself, or that it was refused."""
    try:
        result = warehouse.load(records, mode, org_id=org_id, max_deleted_share=0.5)
    except MassDeletionRefused as refused:
        return str(refused)
    return dataclasses.replace(result, run_id=0, seconds=0.0)


def left_behind(warehouse: Warehouse, org_id: int) -> list[list[tuple]]:
    return [
        [row[1:] for row in warehouse.contents() if row[0] == org_id],
        warehouse.query("select stream, path, types from ops.stream_shapes where org_id = %s order by path", org_id),
        warehouse.query("select path, change, old_type from ops.schema_drift where org_id = %s order by id", org_id),
        warehouse.query("select state from ops.watermarks where org_id = %s", org_id),
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loads=LOADS)
@example(loads=[("full", [record("1"), record("2"), record("1", v=2)]), ("full", [gone("1"), record("")])])
def test_the_number_of_records_decides_nothing_but_the_way_they_take(
    warehouse: Warehouse, few_rows: Limit, loads: list[tuple[str, list[Record]]]
) -> None:
    warehouse.connection.execute(f"truncate {TABLE}, ops.stream_shapes, ops.schema_drift, ops.watermarks")
    for mode, records in loads:
        few_rows(FEW_ROWS)
        sent = outcome(warehouse, mode, records, 1)
        few_rows(-1)
        copied = outcome(warehouse, mode, records, 2)
        assert sent == copied
        assert left_behind(warehouse, 1) == left_behind(warehouse, 2)


@pytest.mark.parametrize("count", [3, 4])
def test_the_last_of_the_few_and_the_first_of_the_many_land_alike(
    warehouse: Warehouse, few_rows: Limit, count: int
) -> None:
    few_rows(3)
    records = [record(str(number), v=1) for number in range(count)]
    assert warehouse.load(records, "full").inserted == count
    before = warehouse.versions()
    assert warehouse.load(reversed(records), "full").unchanged == count
    assert warehouse.versions() == before
    changed = [record("0", v=2), *records[1:-1]]
    result = warehouse.load(changed, "full", max_deleted_share=0.5)
    assert (result.updated, result.deleted, result.unchanged) == (1, 1, count - 2)


def test_one_large_record_among_few_takes_the_way_of_many(warehouse: Warehouse) -> None:
    large = record("large", Memo="x" * (incoming.FEW_CHARACTERS + 1))
    assert warehouse.load([record("1"), large, record("2")]).inserted == 3
    assert warehouse.one("select count(*) from pg_class where relname = 'aiop_incoming'") == 1


def test_a_source_that_fails_among_few_leaves_everything_as_it_was(warehouse: Warehouse) -> None:
    warehouse.load([record("1")], state={"since": "a"})
    before = warehouse.contents(), warehouse.versions(), warehouse.query("select * from ops.watermarks")
    error = TransientError("page 2 failed")
    with pytest.raises(TransientError) as raised:
        warehouse.load(failing([record("1", v=2), record("2")], error), "full", state={"since": "b"})
    assert raised.value is error
    assert (warehouse.contents(), warehouse.versions(), warehouse.query("select * from ops.watermarks")) == before


@pytest.mark.parametrize("limit", [-1, FEW_ROWS])
def test_a_few_changes_touch_a_few_rows_however_many_an_organization_has(
    warehouse: Warehouse, few_rows: Limit, limit: int
) -> None:
    """Ten records among 20,000: reading every row of the organization would take a large one seconds a night."""
    warehouse.load([record(str(number), pad="x" * 200) for number in range(20_000)])
    warehouse.connection.execute(f"analyze {TABLE}")
    few_rows(limit)
    with touched(warehouse, "coalesce(idx_tup_fetch, 0) + seq_tup_read", "pg_stat_user_tables") as rows:
        result = warehouse.load([record(str(number), v=2) for number in range(19_995, 20_005)])
    assert (result.updated, result.inserted) == (5, 5)
    assert rows[0] < 200


def test_a_first_load_into_a_table_known_to_be_empty_takes_no_longer_for_it(warehouse: Warehouse) -> None:
    """Looked through for each record, the table would be read 20,000 times while it grows."""
    warehouse.connection.execute(f"vacuum analyze {TABLE}")
    with touched(warehouse, "heap_blks_hit + heap_blks_read", "pg_statio_user_tables") as pages:
        assert warehouse.load([record(str(number), pad="x" * 200) for number in range(20_000)]).inserted == 20_000
    assert pages[0] < 500_000


@contextmanager
def touched(warehouse: Warehouse, figure: str, view: str) -> Iterator[list[int]]:
    """By how much a figure of the server's statistics about the landed table grew in the block."""

    def now() -> int:
        warehouse.connection.execute("select pg_stat_force_next_flush()")
        return warehouse.one(f"select {figure} from {view} where relid = %s::regclass", TABLE)

    before, growth = now(), [0]
    yield growth
    growth[0] = now() - before
