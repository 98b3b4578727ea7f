"""Every rule of every source's suites finds the record that breaks it, and none finds a good one."""

from __future__ import annotations

import uuid

import pytest
from broken_rows import BROKEN, NO_INSTANT
from quality_world import NOON, QualityWorld

from orchestration.quality.expectations import EVERY_RECORD
from orchestration.quality.suites import suites
from orchestration.sources import SOURCES
from orchestration.sources.core.records import Extract, Record
from orchestration.warehouse.landed_tables import ensure_tables
from orchestration.warehouse.loader import load

ALL = {"has_key": (" ", {}), "is_object": ("list", [])}


def test_every_rule_finds_the_record_that_breaks_it_and_no_good_one(database: str) -> None:
    assert set(BROKEN) == set(SOURCES), "a new source's rules are tried as well"
    assert {rule.name for rule in EVERY_RECORD} == set(ALL)
    world = QualityWorld(1)
    missed, wronged = [], []
    for source, streams in BROKEN.items():
        _connect(world, source)
        assert set(streams) == {suite.stream for suite in suites(source)}, source
        expected: dict[tuple[str, str], str] = {}
        for suite in suites(source):
            rows = streams[suite.stream]
            own = {rule.name for rule in suite.expectations} - set(ALL)
            assert set(rows.broken) == own, (source, suite.stream)
            key, good = rows.good(0)
            records = [Record(key, good, NOON)]
            expected[suite.stream, key] = ""
            for number, (rule, change) in enumerate(rows.broken.items(), start=1):
                key, payload = rows.good(number)
                silent = change == NO_INSTANT
                records.append(Record(key, payload if silent else payload | change, None if silent else NOON))
                expected[suite.stream, key] = rule
            for rule, (key, payload) in ALL.items():
                records.append(Record(key, payload, NOON))  # type: ignore[arg-type]
                expected[suite.stream, key] = rule
            _load(world, source, suite.stream, records)
        world.check(source=source)
        found = {
            (stream, key): set(names)
            for stream, key, names in world.query(
                "select stream, record_id, expectations from ops.quality_violations where source = %s", source
            )
        }
        for (stream, key), rule in expected.items():
            broken = found.get((stream, key), set())
            if rule and rule not in broken:
                missed.append((source, stream, rule, broken))
            if not rule and broken:
                wronged.append((source, stream, broken))
    assert (missed, wronged) == ([], [])


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_stream_has_expectations_that_run_on_whatever_lands(database: str, source: str) -> None:
    world = QualityWorld(1)
    _connect(world, source)
    for suite in suites(source):
        _load(world, source, suite.stream, [Record("1", {"id": 2}, None), Record(" ", [], None)])  # type: ignore[arg-type]
    checked = world.check(source=source)
    streams = {stream.name for stream in SOURCES[source].streams}
    for rule in ALL:
        assert {one.stream for one in checked.failing if one.expectation == rule} == streams
    assert {one.organization for one in checked.held} == {"org_1"}


def _connect(world: QualityWorld, source: str) -> None:
    world.connection.execute(
        "insert into ops.connections (org_id, source, settings) values (1, %s, '{}') on conflict do nothing", [source]
    )
    ensure_tables(world.connection, source, SOURCES[source].streams)


def _load(world: QualityWorld, source: str, stream: str, records: list[Record]) -> None:
    load(
        world.connection,
        org_id=1,
        source=source,
        stream=stream,
        extract=Extract(records, "incremental"),
        batch_id=uuid.uuid4(),
    )
