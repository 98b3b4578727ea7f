"""The case database read for real: whole, as of one instant, listed columns alone; and lived with for weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import stamina
from case_world import CaseWorld, case_databases, world_of
from psycopg import sql
from sqlalchemy import event

from orchestration.demo.cases.caseload import SCHEMA, TABLE, Caseload
from orchestration.demo.cases.life import rows
from orchestration.demo.cases.truth import snapshot
from orchestration.demo.serving.databases import Server, StandInDatabase
from orchestration.demo.world import World
from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.quality.check import check
from orchestration.sources.azure_sql.session import open_cases
from orchestration.sources.azure_sql.streams import CASES
from orchestration.sources.core.records import Record
from orchestration.sources.core.sql_link import Link
from orchestration.sync import sync
from orchestration.verify import verify
from orchestration.warehouse.embedded import EmbeddedPostgres

SMALL = Caseload("harbor", "America/New_York", per_weekday=3.0, history_days=60, twins=0.1)
ODD = Caseload("aurora", "Pacific/Auckland", 0.7, 90, dates="timestamp", lacks=frozenset({"Web Hits", "Net Promoter"}))
_TABLE = sql.Identifier(SCHEMA, TABLE)


@pytest.fixture(autouse=True)
def _retries_without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=20, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def server(postgres_home: Path) -> Server:
    return Server(EmbeddedPostgres(postgres_home).superuser_url)


@pytest.fixture
def cases(server: Server) -> Iterator[StandInDatabase]:
    with case_databases(server, [SMALL], World()) as made:
        yield made["harbor"]


def read(database: StandInDatabase, schema: str | None = SCHEMA) -> tuple[list[Record], Any]:
    with open_cases(
        {"url": database.reader_url, "database_schema": schema}, organization="harbor", timezone="America/New_York"
    ) as session:
        extract = session.read(CASES, None, None)
        return list(extract.records), extract


def change(database: StandInDatabase, statement: str, *parameters: Any) -> None:
    with database.writing() as connection:
        connection.execute(sql.SQL(statement).format(table=_TABLE), parameters)


def test_every_row_is_read_as_it_stands_and_identical_ones_each(cases: StandInDatabase) -> None:
    records, extract = read(cases)
    table = rows(SMALL, World())
    names = {*CASES.table.required, *CASES.table.optional}

    def shown(row: dict[str, Any]) -> frozenset[tuple[str, Any]]:
        written = {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
        return frozenset((name, value) for name, value in written.items() if name in names)

    assert Counter(shown(dict(record.payload or {})) for record in records) == Counter(map(shown, table))
    assert len({shown(row) for row in table}) < len(table), "some rows are there twice"
    assert {record.record_id for record in records} == {""}
    assert (extract.mode, extract.state) == ("full", {"read_at": World().now.isoformat(), "rows": len(table)})


def test_names_and_comments_are_never_asked_for(cases: StandInDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    with cases.writing() as connection:
        named = "select count(*) from {table} where {columns}"
        columns = sql.SQL('"Satisfaction Comments" is not null and "Case Manager" is not null')
        assert connection.execute(sql.SQL(named).format(table=_TABLE, columns=columns)).fetchone() != (0,)
    asked: list[str] = []
    with open_cases(
        {"url": cases.reader_url, "database_schema": SCHEMA}, organization="harbor", timezone="UTC"
    ) as session:
        event.listen(session.database._engine, "before_cursor_execute", lambda *given: asked.append(str(given[2])))
        payloads = [record.payload or {} for record in session.read(CASES, None, None).records]
    assert asked
    for never in ("Satisfaction Comments", "Primary Counselor Name", "Case Manager", "*, "):
        assert not [statement for statement in asked if never in statement]
        assert not [payload for payload in payloads if never in payload]


def test_the_whole_is_of_one_instant_whatever_happens_meanwhile(
    cases: StandInDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    total, found = len(rows(SMALL, World())), Link.find

    def while_cases_are_taken_out(link: Link, *given: Any) -> Any:
        # Between the first question of the transaction and the count.
        change(cases, "delete from {table} where \"Workflow Status\" = 'Closed'")
        return found(link, *given)

    monkeypatch.setattr(Link, "find", while_cases_are_taken_out)
    records, extract = read(cases)
    assert len(records) == extract.state["rows"] == total
    monkeypatch.undo()
    assert 0 < len(read(cases)[0]) < total


@pytest.mark.parametrize(("wrong", "passes"), [(1, True), (100, False)])
def test_rows_that_are_not_as_many_as_counted_are_read_again_and_then_an_error(
    cases: StandInDatabase, monkeypatch: pytest.MonkeyPatch, wrong: int, passes: bool
) -> None:
    given, readings = Link.rows, []

    def losing_one(link: Link, statement: Any) -> Iterator[dict[str, Any]]:
        readings.append(statement)
        held = list(given(link, statement))
        yield from held[:-1] if len(readings) <= wrong else held

    monkeypatch.setattr(Link, "rows", losing_one)
    if passes:
        assert len(read(cases)[0]) == len(rows(SMALL, World()))
        assert len(readings) == 2
    else:
        with pytest.raises(TransientError, match="changed while it was read: it counted") as failed:
            read(cases)
        assert (failed.value.organization, failed.value.stream) == ("harbor", CASES.name)
        assert len(readings) > 2


def test_a_missing_column_is_left_out_or_named_by_its_weight(cases: StandInDatabase) -> None:
    change(cases, 'alter table {table} drop column "Triage Tier"')
    records, extract = read(cases)
    assert extract.notes == ["columns that the table does not have: Triage Tier"]
    assert not [record for record in records if "Triage Tier" in (record.payload or {})]
    change(cases, 'alter table {table} rename column "Date Closed" to "Closed On"')
    with pytest.raises(ConfigurationError, match=r"\[Case_Data_Summary_NOPHI\] has no column \[Date Closed\]"):
        read(cases)
    with pytest.raises(ConfigurationError, match=r"no table \[elsewhere\]\.\[Case_Data_Summary_NOPHI\]"):
        read(cases, "elsewhere")


def test_the_login_can_write_nothing(cases: StandInDatabase) -> None:
    with psycopg.connect(cases.reader_url.replace("+psycopg", "")) as connection:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute(sql.SQL("delete from {}").format(_TABLE))
        connection.rollback()
        connection.execute("set default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(sql.SQL("delete from {}").format(_TABLE))


def test_a_window_is_refused_because_no_row_can_be_told_from_another(cases: StandInDatabase) -> None:
    with open_cases(
        {"url": cases.reader_url, "database_schema": SCHEMA}, organization="harbor", timezone="UTC"
    ) as session:
        with pytest.raises(PermanentError, match="no key") as refused:
            session.read(CASES, None, (date(2026, 1, 1), date(2026, 1, 31)))
    assert "--from" in refused.value.hint


@pytest.fixture
def world(server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CaseWorld]:
    caseloads = (SMALL, ODD)
    with case_databases(server, caseloads, World()) as made:
        with world_of(caseloads, made, tmp_path, monkeypatch, database) as one:
            yield one


def landed(world: CaseWorld) -> list[tuple]:
    return world.query(
        "select org_id, record_id, xmin::text from staging_azure_sql.case_data_summary_nophi order by 1, 2"
    )


@pytest.mark.slow
def test_a_failed_or_empty_night_leaves_rows_and_mart_as_they_are(world: CaseWorld) -> None:
    world.night()
    day = snapshot(SMALL, World()).snapshot_date
    before, mart = landed(world), world.query("select m.*, m.xmin::text from marts.mart_case_metrics as m order by 1")
    assert world.mart("harbor") == {day: snapshot(SMALL, World()).figures}
    assert world.mart("aurora") == {date(2026, 11, 21): snapshot(ODD, World()).figures}

    # An empty table, and one that is gone.
    harbor = world.databases["harbor"]
    change(harbor, "delete from {table} where true")
    report = sync("azure_sql", orgs=["harbor"])
    assert [(one.stream, one.error.kind) for one in report.failures] == [(CASES.name, "refused")]
    change(harbor, "drop table {table}")
    report = sync("azure_sql", orgs=["harbor"])
    assert [one.error.kind for one in report.failures] == ["configuration"]
    assert sync("azure_sql", orgs=["aurora"]).rows_changed == 0
    assert landed(world) == before

    # A telephone number in a column where none belongs: the organization is held back, and its last good day stays.
    assert check("azure_sql", document=False).held == ()
    aurora = world.databases["aurora"]
    change(aurora, "update {table} set \"Solution\" = 'call 612-555-0142' where ctid = (select min(ctid) from {table})")
    assert not sync("azure_sql", orgs=["aurora"]).failures
    (held,) = check("azure_sql", document=False).held
    assert "aurora" in str(held)
    world.build()
    assert world.query("select m.*, m.xmin::text from marts.mart_case_metrics as m order by 1") == mart
    change(aurora, "update {table} set \"Solution\" = 'EAP' where \"Solution\" like 'call%%'")
    assert not sync("azure_sql", orgs=["aurora"]).failures
    assert check("azure_sql", document=False).held == ()

    # Asked afresh: one database is gone, and the other one agrees to the last figure until somebody changes a row.
    assert verify("azure_sql", ["aurora"]).agrees
    assert [error.message for error in verify("azure_sql", ["harbor"]).errors]
    change(world.databases["aurora"], "update {table} set \"Case Type\" = 'Odd' where \"Case Type\" = 'Coaching'")
    differing = verify("azure_sql", ["aurora"]).differences
    assert {difference.metric for difference in differing} == {"cases_by_type Coaching", "cases_by_type Odd"}


def test_a_corrected_row_is_not_added_and_identical_ones_are_counted(world: CaseWorld) -> None:
    sync("azure_sql", orgs=["harbor"])
    table = rows(SMALL, World())
    harbor, live = (
        world.databases["harbor"],
        (
            "select count(*), count(*) filter (where payload ->> 'Solution' = 'New') from"
            " staging_azure_sql.case_data_summary_nophi where org_id = 1 and deleted_at is null"
        ),
    )
    change(harbor, "update {table} set \"Solution\" = 'New' where ctid = (select min(ctid) from {table})")
    change(harbor, "insert into {table} select * from {table} where \"Solution\" = 'New'")
    report = sync("azure_sql", orgs=["harbor"])
    assert not report.failures
    assert world.query(live) == [(len(table) + 1, 2)]
    # One of the two identical rows goes: the other one stays.
    change(harbor, "delete from {table} where ctid = (select min(ctid) from {table} where \"Solution\" = 'New')")
    sync("azure_sql", orgs=["harbor"])
    assert world.query(live) == [(len(table), 1)]


@pytest.mark.slow
def test_weeks_of_nights_show_each_day_as_it_was(world: CaseWorld) -> None:
    expected: dict[str, dict[date, dict[str, Any]]] = {"harbor": {}, "aurora": {}}
    for day in (0, 1, 9, 31):
        now = World(days=day)
        world.live_to(now)
        world.night()
        for one in (SMALL, ODD):
            truth = snapshot(one, now)
            expected[one.slug][truth.snapshot_date] = truth.figures
        assert verify("azure_sql").agrees
    assert {slug: world.mart(slug) for slug in expected} == expected
    versions = world.query("select id, xmin::text, ctid::text from marts.mart_case_metrics order by id")
    assert world.night().rows_changed == 0
    world.build_and_check()
    assert world.query("select id, xmin::text, ctid::text from marts.mart_case_metrics order by id") == versions
