"""SQL sources against a real server: rows by cursor, one instant, no writing, a deadline that ends a drip."""

from __future__ import annotations

import psycopg
import pytest
import stamina

from orchestration.errors import PermanentError, TransientError
from orchestration.sources.core import sql_link
from orchestration.sources.core.sql import Database
from orchestration.sources.core.sql_tables import Table

TABLE = Table("In Voice", required=("Invoice No",), optional=("Gone", "At", "Amount", "Flag"), key=("Invoice No",))


@pytest.fixture(autouse=True)
def _retries_without_waiting():
    stamina.set_testing(True, attempts=20, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def url(database: str) -> str:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            """
            create schema ten001;
            create table ten001."In Voice" (
                "Invoice No" int primary key, "At" timestamp, "Amount" numeric(19, 4), "Flag" boolean, "Card" text
            );
            insert into ten001."In Voice"
            select n, '2026-02-03', 0.1, n % 2 = 0, '4111' from generate_series(1, 2500) as n
            """
        )
    return database


def test_rows_of_a_real_server_come_exactly_and_once(url: str) -> None:
    with Database(url) as database:
        found = database.find(TABLE, "TEN001")
        rows = list(database.rows(found))
    assert [row["Invoice No"] for row in rows] == list(range(1, 2501))
    assert {name: str(value) for name, value in rows[0].items()} == {
        "Invoice No": "1",
        "At": "2026-02-03T00:00:00",
        "Amount": "0.1000",
        "Flag": "False",
    }


def test_reading_goes_on_behind_the_last_row_when_the_server_ends_the_session(url: str) -> None:
    with Database(url) as database, psycopg.connect(url, autocommit=True) as other:
        rows = database.rows(database.find(TABLE, "ten001"))
        seen = [next(rows) for _ in range(1500)]
        other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'aiop' and datname = current_database()"
        )
        seen += rows
    assert [row["Invoice No"] for row in seen] == list(range(1, 2501))
    assert database.stats.retries == 1


def test_one_instant_is_seen_by_all_queries_of_a_consistent_reading(url: str) -> None:
    with Database(url) as database, psycopg.connect(url, autocommit=True) as other:

        def counts(link):
            found = link.find(TABLE, "ten001")
            before = link.values(found.count())
            other.execute('delete from ten001."In Voice" where "Invoice No" > 100')
            return before, link.values(found.count()), sum(1 for _ in link.rows(found.select()))

        assert database.ask(counts, consistent=True) == ([(2500,)], [(2500,)], 2500)
        assert database.ask(counts, consistent=True) == ([(100,)], [(100,)], 100)


def test_writing_is_refused_by_the_server_as_well(url: str) -> None:
    with Database(url) as database:
        found = database.find(TABLE, "ten001")
        link = database.link()
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            link._connection.connection.dbapi_connection.execute('delete from ten001."In Voice"')
        with pytest.raises(PermanentError, match="only read"):
            database.ask(lambda link: link._connection.exec_driver_sql('delete from ten001."In Voice"'))
        assert database.ask(lambda link: link.values(found.count())) == [(2500,)]


def test_a_question_that_is_not_answered_in_time_is_cut_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import func, select

    monkeypatch.setattr(sql_link, "PAGE_SECONDS", 0.3)
    with Database(url) as database, pytest.raises(TransientError, match=r"still answering|statement timeout"):
        database.ask(lambda link: link.values(select(func.pg_sleep(20))))
    assert database.stats.retries > 1
