"""What a load leaves behind, on every server that is supported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from landing_helpers import BATCH, NOON, SOURCE, STREAM, TABLE, Warehouse, failing, gone, record

from orchestration.errors import TransientError
from orchestration.sources.core.records import Extract, Record, RequestStats, Stream
from orchestration.warehouse.landed_tables import ensure_tables
from orchestration.warehouse.loader import MassDeletionRefused, load


@pytest.fixture
def warehouse(database_everywhere: str) -> Warehouse:
    return Warehouse()


def test_new_changed_and_unchanged_rows_are_told_apart(warehouse: Warehouse) -> None:
    first = warehouse.load([record(str(n), Total=Decimal("1.10")) for n in range(5)])
    assert (first.received, first.inserted, first.updated, first.unchanged) == (5, 5, 0, 0)

    second = warehouse.load([record("0"), *(record(str(n), Total=Decimal("1.10")) for n in range(1, 6))])
    assert (second.inserted, second.updated, second.unchanged, second.deleted) == (1, 1, 4, 0)
    assert second.changed == 2
    assert warehouse.payloads()["0"] == {"Id": "0"}


def test_money_lands_to_the_last_digit(warehouse: Warehouse) -> None:
    warehouse.load([record("1", Balance=Decimal("0.10"), Total=Decimal("12345678901234567890.123456789"), Id64=2**64)])
    assert warehouse.query(f"select payload->>'Balance', payload->>'Total', payload->>'Id64' from {TABLE}") == [
        ("0.10", "12345678901234567890.123456789", "18446744073709551616")
    ]


def test_unchanged_rows_are_neither_written_nor_locked(warehouse: Warehouse) -> None:
    records = [record(str(n), Text="ä\n\t\\") for n in range(200)]
    warehouse.load(records, "full")
    before = warehouse.versions()
    result = warehouse.load(reversed(records), "full")
    assert result.unchanged == 200
    assert warehouse.versions() == before


def test_an_object_with_its_keys_in_another_order_is_unchanged(warehouse: Warehouse) -> None:
    warehouse.load([Record("1", {"Id": "1", "a": {"x": 1, "y": 2}}, NOON)])
    assert warehouse.load([Record("1", {"a": {"y": 2, "x": 1}, "Id": "1"}, NOON)]).unchanged == 1


def test_organizations_do_not_touch_each_others_rows(warehouse: Warehouse) -> None:
    warehouse.load([record("1", Of="first"), record("2")], "full", org_id=1)
    warehouse.load([record("1", Of="second")], "full", org_id=2)
    assert warehouse.payloads(1)["1"]["Of"] == "first"
    assert warehouse.payloads(2) == {"1": {"Id": "1", "Of": "second"}}
    warehouse.load([], "full", org_id=2, allow_deletes=True)
    assert warehouse.present(1) == ["1", "2"]


def test_of_duplicates_the_last_updated_wins_wherever_it_stands(warehouse: Warehouse) -> None:
    old, new = NOON, NOON + timedelta(seconds=1)
    result = warehouse.load(
        [record("a", new, v="newest"), record("a", old, v="old"), record("a", None, v="undated"), record("b", v="only")]
    )
    assert (result.received, result.duplicates, result.inserted) == (4, 2, 2)
    assert warehouse.payloads()["a"]["v"] == "newest"


def test_of_duplicates_of_one_instant_the_higher_sync_token_wins_as_a_number(warehouse: Warehouse) -> None:
    warehouse.load([record("a", SyncToken="10"), record("a", SyncToken="9"), record("a", SyncToken="x")])
    assert warehouse.payloads()["a"]["SyncToken"] == "10"


def test_of_equal_duplicates_the_last_to_arrive_wins(warehouse: Warehouse) -> None:
    warehouse.load([record("a", SyncToken="1", v=1), record("b", None, v=1), record("a", SyncToken="1", v=2)])
    warehouse.load([record("b", None, v=2), record("b", None, v=3)])
    assert [warehouse.payloads()[key]["v"] for key in ("a", "b")] == [2, 3]


def test_a_deletion_comes_after_a_change_of_the_same_instant(warehouse: Warehouse) -> None:
    warehouse.load([record("a", SyncToken="1"), record("b", SyncToken="1")])
    warehouse.load(
        [gone("a", NOON), record("a", NOON, SyncToken="7"), record("b", NOON, SyncToken="7"), gone("b", NOON)]
    )
    assert warehouse.present() == []


def test_a_deleted_record_keeps_its_payload_and_comes_back(warehouse: Warehouse) -> None:
    warehouse.load([record("1", v=1), record("2", v=1)])
    at = NOON + timedelta(days=1)
    result = warehouse.load([gone("1", at), Record("2", {"Id": "2", "status": "Deleted"}, None, True)])
    assert (result.deleted, result.updated, result.inserted) == (2, 0, 0)
    assert warehouse.payloads() == {"1": {"Id": "1", "v": 1}, "2": {"Id": "2", "v": 1}}
    assert warehouse.one(f"select deleted_at from {TABLE} where record_id = '1'") == at
    assert warehouse.one(f"select deleted_at = extracted_at from {TABLE} where record_id = '2'")

    assert warehouse.load([gone("1", at), gone("2")]).unchanged == 2

    result = warehouse.load([record("1", v=1)])  # the very payload it had
    assert (result.updated, result.unchanged) == (1, 0)
    assert warehouse.present() == ["1"]


def test_an_unknown_deletion_is_ignored_without_a_payload_and_landed_as_deleted_with_one(warehouse: Warehouse) -> None:
    result = warehouse.load([gone("1"), record("2", deleted=True)])
    assert (result.inserted, result.deleted, result.unchanged) == (1, 0, 1)
    assert warehouse.query(f"select record_id, deleted_at from {TABLE}") == [("2", NOON)]


def test_a_full_read_deletes_what_it_did_not_deliver(warehouse: Warehouse) -> None:
    warehouse.load([record(str(n)) for n in range(10)], "full")
    result = warehouse.load([record(str(n)) for n in range(8)], "full")
    assert (result.deleted, result.unchanged) == (2, 8)
    assert warehouse.present() == [str(n) for n in range(8)]
    assert len(warehouse.payloads()) == 10
    # An incremental read says nothing about the others.
    assert warehouse.load([record("1")]).deleted == 0


@pytest.mark.parametrize("left", [7, 0])
def test_a_full_read_that_would_delete_too_much_is_refused_until_allowed(warehouse: Warehouse, left: int) -> None:
    warehouse.load([record(str(n)) for n in range(10)], "full", state={"since": "a"})
    before = warehouse.versions(), warehouse.query("select state from ops.watermarks")
    with pytest.raises(MassDeletionRefused) as refused:
        warehouse.load([record(str(n), v=2) for n in range(left)], "full", state={"since": "b"})
    message = str(refused.value)
    for part in ("bennett", STREAM, f"{10 - left} of the 10", f"--allow-deletes {STREAM}"):
        assert part in message
    assert (warehouse.versions(), warehouse.query("select state from ops.watermarks")) == before

    result = warehouse.load([record(str(n)) for n in range(left)], "full", allow_deletes=True)
    assert result.deleted == 10 - left


def test_rows_without_a_key_may_all_change_but_not_become_few(warehouse: Warehouse) -> None:
    rows = [Record("", {"line": n, "hits": 1}, None) for n in range(10)]
    warehouse.load(rows, "full")
    changed = [Record("", {"line": n, "hits": 2}, None) for n in range(8)]
    result = warehouse.load(changed, "full")
    assert (result.inserted, result.deleted, len(warehouse.present())) == (8, 10, 8)
    before = warehouse.versions()
    for fewer in (changed[:6], []):
        with pytest.raises(MassDeletionRefused, match=f"{8 - len(fewer)} of the 8"):
            warehouse.load(fewer, "full")
    assert warehouse.versions() == before


def test_what_the_source_itself_reports_as_deleted_is_not_held_against_it(warehouse: Warehouse) -> None:
    warehouse.load([record(str(n)) for n in range(4)], "full")
    assert warehouse.load([gone(str(n), NOON) for n in range(4)]).deleted == 4


def test_the_floor_counts_only_rows_that_are_there(warehouse: Warehouse) -> None:
    warehouse.load([record(str(n)) for n in range(10)], "full")
    warehouse.load([gone(str(n), NOON) for n in range(8)])
    with pytest.raises(MassDeletionRefused, match="1 of the 2"):
        warehouse.load([record("9")], "full")


def test_a_backfill_neither_deletes_nor_moves_the_watermark(warehouse: Warehouse) -> None:
    warehouse.load([record(str(n)) for n in range(10)], "full", state={"since": "now"})
    before = warehouse.query("select state, last_success_at from ops.watermarks")
    result = warehouse.load([record("3", v=2)], "full", state={"since": "then"}, backfill=True)
    assert (result.updated, result.deleted) == (1, 0)
    assert warehouse.query("select state, last_success_at from ops.watermarks") == before


def test_rows_without_a_key_are_all_kept_and_found_again(warehouse: Warehouse) -> None:
    rows = [Record("", {"line": 1}, None), Record("", {"line": 2}, None), Record("", {"line": 1}, None)]
    assert warehouse.load(rows, "full").inserted == 3
    assert sorted(key.partition("#")[2] for key in warehouse.present()) == ["1", "1", "2"]
    assert warehouse.load(reversed(rows), "full").unchanged == 3
    assert warehouse.load(rows[:2], "full", max_deleted_share=0.5).deleted == 1


def test_the_watermark_and_the_run_are_stored_with_the_rows(warehouse: Warehouse) -> None:
    state: dict[str, object] = {}

    def read(before: object) -> Extract:
        def records():
            stats.requests += 3
            stats.waited_seconds += 1.5
            yield record("1")
            state["since"] = "2025-03-01"  # known only at the end

        assert before is None
        return Extract(records(), "full", state, ["a first read"])

    stats = RequestStats(requests=10)
    result = load(
        warehouse.connection,
        org_id=1,
        source=SOURCE,
        stream=STREAM,
        extract=read,
        batch_id=BATCH,
        stats=stats,
        dagster_run_id="run-1",
    )
    assert warehouse.query("select state, run_id, last_full_at is not null from ops.watermarks") == [
        ({"since": "2025-03-01"}, result.run_id, True)
    ]
    run = warehouse.query(
        """
        select run_id, batch_id, mode, status, rows_received, rows_inserted, rows_unchanged, requests, retries,
            waited_seconds, notes, dagster_run_id, error_message, finished_at >= started_at
        from ops.sync_runs
        """
    )
    assert run == [
        (
            result.run_id,
            BATCH,
            "full",
            "succeeded",
            1,
            1,
            0,
            3,
            0,
            Decimal("1.500"),
            ["a first read"],
            "run-1",
            None,
            True,
        )
    ]
    assert warehouse.one(f"select run_id from {TABLE}") == result.run_id


def test_an_incremental_load_keeps_the_time_of_the_last_full_one(warehouse: Warehouse) -> None:
    warehouse.load([record("1")], "full")
    before = warehouse.one("select last_full_at from ops.watermarks")
    warehouse.load([record("1")])
    after = warehouse.query("select last_full_at, last_success_at from ops.watermarks")[0]
    assert after[0] == before
    assert after[1] > before


def test_a_failing_source_leaves_everything_as_it_was(warehouse: Warehouse) -> None:
    warehouse.load([record("1")], state={"since": "a"})
    before = warehouse.contents(), warehouse.query("select * from ops.watermarks")
    error = TransientError("page 37 failed")
    with pytest.raises(TransientError) as raised:
        warehouse.load(failing([record(str(n), v=2, pad="x" * 1000) for n in range(2000)], error), "full")
    assert raised.value is error
    assert (warehouse.contents(), warehouse.query("select * from ops.watermarks")) == before
    assert warehouse.one("select count(*) from ops.sync_runs") == 1
    assert warehouse.load([record("1")]).unchanged == 1  # the connection is usable


def test_an_empty_read_succeeds(warehouse: Warehouse) -> None:
    result = warehouse.load([], state={"since": "b"})
    assert (result.received, result.changed) == (0, 0)
    assert warehouse.one("select state from ops.watermarks") == {"since": "b"}


def test_ready_json_lands_as_the_object_it_says(warehouse: Warehouse) -> None:
    ready = Record("1", msgspec.Raw(b'{"Id":"1","Total":1.10,"Text":"a\\u00e9\\\\b"}'), NOON)  # type: ignore[arg-type]
    dirty = Record("2", msgspec.Raw(b'{"Id":"2","Text":"a\\u0000b","v":NaN}'), NOON)  # type: ignore[arg-type]
    result = warehouse.load([ready, dirty])
    assert warehouse.one(f"select payload::text from {TABLE} where record_id = '1'") == (
        '{"Id": "1", "Text": "aé\\\\b", "Total": 1.10}'
    )
    assert warehouse.payloads()["2"] == {"Id": "2", "Text": "a\ufffdb", "v": "NaN"}
    assert len(result.notes) == 2


def test_instants_at_the_ends_of_time_land(warehouse: Warehouse) -> None:
    behind = datetime.min.replace(tzinfo=UTC).astimezone(UTC)
    ahead = datetime.max.replace(tzinfo=UTC)
    assert warehouse.load([record("1", behind), record("2", ahead)]).inserted == 2
    assert warehouse.one(f"select source_updated_at from {TABLE} where record_id = '2'") == ahead


def test_an_instant_without_a_zone_is_a_defect_of_the_extractor(warehouse: Warehouse) -> None:
    with pytest.raises(ValueError, match="time zone"):
        warehouse.load([record("1", datetime(2025, 1, 1))])  # noqa: DTZ001


def test_tables_can_be_ensured_again_and_say_what_they_hold(warehouse: Warehouse) -> None:
    ensure_tables(warehouse.connection, SOURCE, [Stream(STREAM, ""), Stream("bill", "")])
    ensure_tables(warehouse.connection, SOURCE, [Stream(STREAM, ""), Stream("bill", "")])
    uncommented = warehouse.query(
        """
        select a.attname from pg_attribute as a
        where a.attrelid in ('staging_quickbooks.invoice'::regclass, 'staging_quickbooks.bill'::regclass)
            and a.attnum > 0 and col_description(a.attrelid, a.attnum) is null
        """
    )
    assert uncommented == []


def test_a_stream_of_parts_is_indexed_by_them_also_where_its_table_was_there_before(warehouse: Warehouse) -> None:
    ensure_tables(warehouse.connection, SOURCE, [Stream(STREAM, "", part_length=3)])
    ensure_tables(warehouse.connection, SOURCE, [Stream(STREAM, "", part_length=3)])
    definition = warehouse.one("select indexdef from pg_indexes where indexname = 'invoice_parts'")
    assert definition.endswith('(org_id, "left"(record_id, 3))')


def test_parts_that_were_read_whole_lose_what_did_not_come_and_others_nothing(warehouse: Warehouse) -> None:
    """Keys that begin with a date; a read that replaces two of three dates. A beginning is text, not a pattern."""
    dates = ("d1%", "d2_", "d23")
    warehouse.load([record(f"{date}/{number}") for date in dates for number in range(10)])
    warehouse.load([record("d1%/0")], org_id=2)

    def night() -> Iterator[Record]:
        yield record("d1%/new")
        yield from (record(f"d1%/{number}") for number in range(9))
        yield from (record(f"d2_/{number}") for number in range(10))
        # Known once the records are read.
        extract.replaced += ["d1%/", "d2_/"]

    extract = Extract(night(), "incremental")
    result = warehouse.load_extract(extract)
    assert (result.inserted, result.updated, result.deleted, result.unchanged) == (1, 0, 1, 19)
    assert set(warehouse.present()) == {f"{date}/{n}" for date in dates for n in range(10)} - {"d1%/9"} | {"d1%/new"}
    assert warehouse.present(2) == ["d1%/0"]

    # Emptied: refused until somebody allows it, also where nothing at all came.
    emptied = Extract([], "incremental", replaced=["d2_/"])
    with pytest.raises(MassDeletionRefused, match="without 10 of the 10"):
        warehouse.load_extract(emptied)
    # A window of the past replaces as well: its dates were read whole.
    assert warehouse.load_extract(emptied, allow_deletes=True, backfill=True).deleted == 10
    assert not [key for key in warehouse.present() if key.startswith("d2_")]
    assert len([key for key in warehouse.present() if key.startswith("d23")]) == 10
