"""The statements as BigQuery would run them: on an emulator that executes them, against counts made in Python.

What the stand-in answers by fingerprint is held to the same results here, so it means what the SQL means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from bigquery_emulator import Emulator, emulator

from orchestration.demo.ga4.api import columns_of
from orchestration.demo.ga4.export import Export, Table
from orchestration.demo.ga4.properties import VITAL_APP
from orchestration.demo.ga4.truth import figures
from orchestration.demo.ga4_server import running
from orchestration.demo.world import World
from orchestration.sources import SOURCES
from orchestration.sources.core.records import Record
from orchestration.sources.ga4.reading import DATES
from orchestration.sources.ga4.statement import PARAMETERS, statement
from orchestration.sources.ga4.verify import app_figures

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bigquery_emulator")]

# A dozen dates around a change of clocks, and one without a table. Long ago: the emulator's clock is this machine's.
APP = replace(VITAL_APP, known_users=20, history_days=12, missing=frozenset({-5}), flag_since=-90)
NIGHT = World(base=datetime(2024, 3, 14, 13, tzinfo=UTC))
TODAY, STREAMED_TOO, STREAMED_ONLY, UNFLAGGED = "20240314", "20240312", "20240311", "20240305"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("emulator")) as started:
        yield started


def read(connection: dict[str, Any], state: dict[str, Any] | None = None) -> tuple[list[Record], dict[str, Any]]:
    """All sessions, by the extractor itself."""
    ga4 = SOURCES["ga4"]
    with ga4.open(connection, organization="org", timezone=APP.timezone) as session:
        extract = session.read(ga4.stream("sessions"), state, None)
        return list(extract.records), extract.state


def tables_of_the_app() -> dict[str, Table]:
    """What Google leaves in a dataset: a date both daily and streamed, one streamed only, one of before the flag."""
    tables = {name: table for name, table in Export(APP).tables(NIGHT).items() if TODAY not in name}
    both = tables[f"events_{STREAMED_TOO}"]
    tables[f"events_intraday_{STREAMED_TOO}"] = Table(lambda: both.rows[:-5], both.modified)
    tables[f"events_intraday_{STREAMED_ONLY}"] = tables.pop(f"events_{STREAMED_ONLY}")
    return tables


def without_flag(table: Table) -> Table:
    """The table as it was before Google said who is active."""
    rows = [{key: value for key, value in row.items() if key != "is_active_user"} for row in table.rows]
    return Table(lambda: rows, table.modified, frozenset({"is_active_user"}))


def comparable(records: list[Record]) -> dict[str, Any]:
    """Payloads by date, stream, user and session; the hash of a user is that of its dataset, here the same."""
    return {record.record_id: record.payload for record in records}


def test_the_emulator_and_the_stand_in_give_the_same_sessions(emulated: Emulator) -> None:
    tables = tables_of_the_app()
    tables[f"events_{UNFLAGGED}"] = without_flag(tables[f"events_{UNFLAGGED}"])
    emulated.make(APP.dataset, tables, columns_of)
    by_sql, state = read(emulated.connection(APP.dataset))

    with running(properties=[replace(APP, project="emulated", lively=False)], world=NIGHT) as server:
        server.export(APP.slug).given.update(tables)
        by_python, _ = read(server.connection(APP.slug))
    assert comparable(by_sql) == comparable(by_python)
    assert len(by_sql) > 150
    assert {record.payload["is_active"] for record in by_sql} == {True, False}
    assert any(record.payload["deliveries"] > record.payload["events"] for record in by_sql)
    assert any(record.payload["user"] is None for record in by_sql)

    # Every event once: the date that is also streamed is counted from its daily table.
    assert state[DATES].keys() == {name[-8:] for name in tables}
    assert state[DATES][STREAMED_TOO][0] == f"events_{STREAMED_TOO}"
    assert state[DATES][STREAMED_ONLY][0] == f"events_intraday_{STREAMED_ONLY}"
    counted = [table for name, table in tables.items() if name != f"events_intraday_{STREAMED_TOO}"]
    assert sum(record.payload["deliveries"] for record in by_sql) == sum(len(table.rows) for table in counted)


def test_who_viewed_nothing_has_an_empty_list_of_screens_and_not_none(emulated: Emulator) -> None:
    name, table = f"events_{UNFLAGGED}", tables_of_the_app()[f"events_{UNFLAGGED}"]
    emulated.make("analytics_3", {name: table}, columns_of)
    text = statement(f"emulated.analytics_3.{name}", [column["name"] for column in columns_of(table)])
    counted = f"select countif(screens is null) as absent, countif(views = 0) as without from (\n{text}\n)"
    with SOURCES["ga4"].open(emulated.connection("analytics_3"), organization="org", timezone=APP.timezone) as session:
        (row,) = session.export.bigquery.rows(counted, PARAMETERS)
    assert row["without"] > 0
    assert row["absent"] == 0, "an answer may send NULL for it, which Google's client can't read as a list"


def test_a_marts_figures_asked_afresh_are_those_counted_by_hand(emulated: Emulator) -> None:
    tables = tables_of_the_app()
    emulated.make("analytics_2", tables, columns_of)
    truth = figures(tables, NIGHT.now, APP.zone)
    ga4 = SOURCES["ga4"]
    with ga4.open(emulated.connection("analytics_2"), organization="org", timezone=APP.timezone) as session:
        for day in sorted(truth)[-3:]:
            asked = app_figures(session, day)
            assert asked == {name: truth[day][name] for name in asked}, day


def test_figures_are_asked_of_a_table_that_lacks_columns(emulated: Emulator) -> None:
    table, absent = tables_of_the_app()[f"events_{UNFLAGGED}"], {"stream_id", "platform", "is_active_user"}
    rows = [{key: value for key, value in row.items() if key not in absent} for row in table.rows]
    bare = Table(lambda: rows, table.modified, frozenset(absent))
    emulated.make("analytics_4", {f"events_{UNFLAGGED}": bare}, columns_of)
    with SOURCES["ga4"].open(emulated.connection("analytics_4"), organization="org", timezone=APP.timezone) as session:
        asked = app_figures(session, date.fromisoformat(UNFLAGGED))
    assert asked["total_sessions"] > 0
    assert asked["ios_downloads"] == 0, "nothing tells the platform"
