"""What an asset says of a night in Dagster: rows and seconds of its stream, and how old it may grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest
from landing_helpers import gone, record
from test_sync import World, world  # noqa: F401 - a fixture

from orchestration.defs import sources
from orchestration.defs.sources import landed_key, source_assets
from orchestration.errors import TransientError
from orchestration.sources import SOURCES
from orchestration.sources.core.records import Record


def night(monkeypatch: pytest.MonkeyPatch, **config: Any) -> dict[str, Mapping[str, Any]]:
    """Materialize the scripted source; what it says of each stream."""
    monkeypatch.setattr(sources, "quality_checks", lambda *_: [])
    result = dg.materialize([source_assets("scripted")], run_config={"ops": {"sync_scripted": {"config": config}}})
    assert result.success
    events = result.asset_materializations_for_node("sync_scripted")
    return {event.asset_key.path[-1]: {name: one.value for name, one in event.metadata.items()} for event in events}


def test_rows_and_seconds_are_those_of_the_stream_over_all_organizations(
    world: World,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.connect("one", "two", "three")
    first = night(monkeypatch)
    nine = {"rows_received": 9, "rows_inserted": 9, "rows_updated": 0, "rows_deleted": 0}
    for stream, said in first.items():
        assert said.pop("seconds") > 0
        assert said == {"organizations": 3, "organizations_failed": 0, **nine}, stream
    assert first.keys() == {"customer", "invoice", "bill"}

    def changed(organization: str, stream: str) -> Iterator[Record]:
        if (organization, stream) == ("three", "invoice"):
            raise TransientError("down")
        yield record("0", of=organization, stream=stream)  # as it was
        if stream == "invoice":
            yield record("1", of=organization, stream=stream, amount=2)
            yield gone("2")
            yield from (record(number, of=organization, stream=stream) for number in ("3", "4"))

    world.source.read_stream = changed
    second = night(monkeypatch)
    # Of one and two each: 1 changed, 1 gone, 2 new, and 1 that came and is as it was.
    assert {name: value for name, value in second["invoice"].items() if name != "seconds"} == {
        "organizations": 2,
        "organizations_failed": 1,
        "rows_received": 10,
        "rows_inserted": 4,
        "rows_updated": 2,
        "rows_deleted": 2,
    }
    assert second["bill"]["rows_received"] == 3
    assert second["bill"]["rows_inserted"] == second["bill"]["rows_updated"] == second["bill"]["rows_deleted"] == 0

    alone = night(monkeypatch, orgs=["two"])
    assert alone["invoice"]["organizations"] == 1
    # With nobody, nothing is read.
    assert {said["organizations"] for said in night(monkeypatch, orgs=[]).values()} == {0}


def window(spec: dg.AssetSpec) -> tuple[timedelta, timedelta] | None:
    """After how long an asset is late, and after how long too late; None where it may grow as old as it likes."""
    policy = spec.freshness_policy
    if policy is None:
        return None
    return policy.warn_window.to_timedelta(), policy.fail_window.to_timedelta()  # type: ignore[attr-defined]


TWO_NIGHTS = (timedelta(hours=26), timedelta(hours=50))


@pytest.mark.parametrize("source", SOURCES)
def test_every_landed_stream_may_miss_a_night_by_two_hours_and_no_second_one(source: str) -> None:
    specs = {spec.key: spec for spec in source_assets(source).specs}
    assert specs.keys() == {landed_key(source, stream.name) for stream in SOURCES[source].streams}
    assert {key: window(spec) for key, spec in specs.items()} == dict.fromkeys(specs, TWO_NIGHTS)


@pytest.mark.slow
def test_of_what_dbt_builds_the_marts_grow_old_and_what_they_are_built_from_does_not() -> None:
    from orchestration.definitions import defs

    found: dict[str, set[tuple[timedelta, timedelta] | None]] = {}
    for spec in defs().resolve_all_asset_specs():
        found.setdefault(spec.key.path[0], set()).add(window(spec))
    assert found["marts"] == {TWO_NIGHTS}
    assert found["staging"] == found["intermediate"] == {None}
    assert {found[f"staging_{source}"] == {TWO_NIGHTS} for source in SOURCES} == {True}
