"""SQL databases as sources: what is asked, in T-SQL word for word, and what is made of the answers (on SQLite)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, delete, insert, text
from sqlalchemy.dialects import mssql

from orchestration.errors import ConfigurationError, PermanentError, StreamUnavailable, TransientError
from orchestration.logs import redact
from orchestration.sources.core.connection import ConnectionSettings
from orchestration.sources.core.retry import TryAgain
from orchestration.sources.core.spool import Spool
from orchestration.sources.core.sql import Database
from orchestration.sources.core.sql_errors import explained
from orchestration.sources.core.sql_link import clock_statement, snapshot_statement
from orchestration.sources.core.sql_tables import FoundTable, Table, columns_statement, found_table
from orchestration.sources.core.sql_url import DatabaseUrl, parsed, read_only_engine
from orchestration.sources.core.sql_values import json_value, record_key

TABLE = Table(
    "GL Detail", required=("Account No", "Year"), optional=("In-Person", "Posted"), key=("Account No", "Year")
)
FOUND = FoundTable(TABLE, "ten001", "GL Detail", {"Account No": "Account No", "Year": "year", "In-Person": "In-Person"})


def t_sql(statement: object) -> str:
    compiled = statement.compile(dialect=mssql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    return " ".join(str(compiled).split())


def test_a_table_is_asked_for_in_brackets_schema_first_and_its_listed_columns_alone() -> None:
    assert t_sql(FOUND.select()) == (
        "SELECT [ten001].[GL Detail].[Account No] AS [Account No], [ten001].[GL Detail].[year] AS [Year], "
        "[ten001].[GL Detail].[In-Person] AS [In-Person] FROM [ten001].[GL Detail]"
    )
    assert t_sql(FOUND.count()) == "SELECT count(*) AS count_1 FROM [ten001].[GL Detail]"
    assert t_sql(FOUND.select().with_only_columns(FOUND.column("Year")).limit(5)) == (
        "SELECT TOP 5 [ten001].[GL Detail].[year] FROM [ten001].[GL Detail]"
    )


def test_reading_goes_on_behind_the_last_row_in_the_order_of_the_key() -> None:
    rest = FOUND.in_key_order(FOUND.after(FOUND.select(), {"Account No": "110100", "Year": 2026}))
    assert t_sql(rest).partition("WHERE ")[2] == (
        "[ten001].[GL Detail].[Account No] > '110100' OR [ten001].[GL Detail].[Account No] = '110100' "
        "AND [ten001].[GL Detail].[year] > 2026 ORDER BY [ten001].[GL Detail].[Account No], [ten001].[GL Detail].[year]"
    )


def test_columns_and_clock_are_asked_for_as_sql_server_knows_them() -> None:
    assert t_sql(columns_statement("GL Detail", "Ten001")) == (
        "SELECT [INFORMATION_SCHEMA].COLUMNS.TABLE_SCHEMA, [INFORMATION_SCHEMA].COLUMNS.TABLE_NAME, "
        "[INFORMATION_SCHEMA].COLUMNS.COLUMN_NAME FROM [INFORMATION_SCHEMA].COLUMNS "
        "WHERE lower([INFORMATION_SCHEMA].COLUMNS.TABLE_NAME) = 'gl detail' "
        "AND lower([INFORMATION_SCHEMA].COLUMNS.TABLE_SCHEMA) = 'ten001'"
    )
    assert t_sql(clock_statement("mssql")) == "SELECT SYSUTCDATETIME() AS now"
    assert t_sql(snapshot_statement()) == (
        "SELECT sys.databases.snapshot_isolation_state FROM sys.databases WHERE sys.databases.name = DB_NAME()"
    )


def discovered(*names: str) -> FoundTable:
    return found_table(TABLE, "ten001", [("ten001", "GL Detail", name) for name in names], "the database")


def test_columns_are_found_whatever_their_case_and_named_as_the_list_names_them() -> None:
    found = discovered("account no", "Year", "YEAR", "Card Number", "Posted")
    assert dict(found.stored) == {"Account No": "account no", "Year": "Year", "Posted": "Posted"}
    assert (found.missing, found.unlisted, found.has("In-Person")) == (("In-Person",), 2, False)
    with pytest.raises(KeyError):
        found.column("Card Number")


def test_a_missing_required_column_is_named_with_its_table() -> None:
    with pytest.raises(ConfigurationError, match=r"\[ten001\]\.\[GL Detail\] has no column \[Account No\]") as missing:
        discovered("Year")
    assert "renamed" in missing.value.hint
    with pytest.raises(ConfigurationError, match=r"no table \[ten001\]\.\[GL Detail\]"):
        discovered()


def test_of_tables_that_differ_in_case_the_one_spelled_as_asked_is_read() -> None:
    rows = [("ten001", name, column) for name in ("gl detail", "GL Detail") for column in TABLE.required]
    assert found_table(TABLE, "ten001", rows, "").name == "GL Detail"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (Decimal("152340.1200"), Decimal("152340.1200")),
        (0.1, Decimal("0.1")),
        (datetime.fromisoformat("2026-02-03"), "2026-02-03T00:00:00"),
        (datetime.fromisoformat("2026-02-03T01:02:03.123"), "2026-02-03T01:02:03.123000"),
        (date(2026, 2, 3), "2026-02-03"),
        (time(1, 2), "01:02:00"),
        (True, True),
        (None, None),
        (b"\x00\xff", "00ff"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (" padded ", " padded "),
        (2**63, 2**63),
    ],
)
def test_values_keep_every_digit_and_get_no_offset(given: object, written: object) -> None:
    assert json_value(given) == written
    assert type(json_value(given)) is type(written)


def test_a_key_is_its_text_or_an_array_of_several() -> None:
    row = {"InvoiceNo": 110012345, "AccountNo": "110100", "Field": "Actual", "Year": 2026, "Month": 2, "Gone": None}
    assert record_key(row, ["InvoiceNo"]) == "110012345"
    assert record_key(row, ["AccountNo", "Field", "Year", "Month"]) == '["110100","Actual",2026,2]'
    assert record_key(row, ["AccountNo", "Gone"]) == '["110100",null]'
    assert record_key(row, ["Gone"]) == record_key(row, []) == record_key({"SerialNo": " "}, ["SerialNo"]) == ""


class Settings(ConnectionSettings):
    url: DatabaseUrl


def test_a_url_is_a_reference_in_the_file_and_shown_nowhere() -> None:
    secret = "mssql+pymssql://reader:p%40ss-of-7@db.example.com/cases"
    with pytest.raises(ValueError, match="must be a reference"):
        Settings.model_validate({"url": secret})
    settings = Settings.resolved({"url": secret})
    parsed(settings.url)
    assert "ss-of-7" not in repr(settings)
    assert "ss-of-7" not in redact(f"login with p@ss-of-7 or p%40ss-of-7 at {secret}")
    for wrong in ("no url 7Secret", "oracle+nonsense://u:7Secret@h/d", "http://u:7Secret@h/d"):
        with pytest.raises(ConfigurationError) as refused:
            Settings.resolved({"url": wrong})
        assert "7Secret" not in str(refused.value)


def test_sql_server_is_reached_encrypted_and_for_reading_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def connect(**arguments: object) -> None:
        seen.update(arguments)
        raise RuntimeError("enough")

    monkeypatch.setattr("pymssql.connect", connect)
    url = parsed("mssql://reader:secret-of-reader@db.example.com:1433/cases?charset=utf8")
    with pytest.raises(RuntimeError):
        read_only_engine(url, statement_seconds=90).connect()
    assert seen["encryption"] == "require"
    assert seen["read_only"] is True
    assert (seen["login_timeout"], seen["timeout"], seen["charset"]) == (30, 90, "utf8")
    with pytest.raises(ConfigurationError, match="switches encryption off"):
        read_only_engine(parsed("mssql+pymssql://u:secret-u@db.example.com/d?encryption=off"), statement_seconds=1)
    with pytest.raises(ConfigurationError, match="switches encryption off"):
        read_only_engine(parsed("mssql+pyodbc://u:secret-u@db.example.com/d?Encrypt=no"), statement_seconds=1)


@pytest.mark.parametrize(
    "number", [40613, 40197, 40501, 49918, 49919, 49920, 10928, 10929, 4060, 233, 64, 20003, 20009]
)
def test_sql_servers_transient_numbers_are_asked_again(number: int) -> None:
    assert isinstance(explained(Exception((number, b"It is unwell.")), "the database", connecting=True), TryAgain)
    odbc = Exception(
        "HY000", f"[HY000] [Microsoft][ODBC Driver 18 for SQL Server]It is unwell. ({number}) (SQLConnect)"
    )
    assert isinstance(explained(odbc, "the database", connecting=True), TryAgain)


@pytest.mark.parametrize("number", [18456, 40615, 18470, 229, 40532])
def test_refusals_are_for_a_person_at_once(number: int) -> None:
    error = explained(
        Exception((number, b"No.\nDB-Lib error message 20002, severity 9")), "the database", connecting=True
    )
    assert isinstance(error, ConfigurationError)
    assert error.hint


@pytest.mark.parametrize(
    ("raised", "connecting", "alone"),
    [
        (Exception((229, b"The SELECT permission was denied on the object 'Customer'.")), False, True),
        (Exception((230, b"The SELECT permission was denied on the column 'Title'.")), False, True),
        (Exception("42501", "permission denied for table Customer"), False, True),
        # The login, the firewall, the database: no other table can be read either.
        (Exception((18456, b"Login failed.")), False, False),
        (Exception((916, b"The login is not able to access the database.")), False, False),
        (Exception("42501", 'permission denied for database "d"'), True, False),
    ],
)
def test_what_is_refused_of_a_table_is_that_tables_alone(raised: Exception, connecting: bool, alone: bool) -> None:
    error = explained(raised, "the database", connecting=connecting)
    assert isinstance(error, ConfigurationError)
    assert isinstance(error, StreamUnavailable) == alone
    assert "grant SELECT" in error.hint or not alone


def test_a_database_that_wakes_up_is_asked_again_also_where_the_login_is_told_to_have_failed() -> None:
    said = b"Database 'cases' on server 'x' is not currently available. Login failed for user 'reader'."
    assert isinstance(explained(Exception((18456, said)), "the database", connecting=True), TryAgain)


def test_a_table_that_is_unknown_half_way_is_no_reason_to_ask_again() -> None:
    assert isinstance(explained(Exception((208, b"Invalid object name")), "it", connecting=False), PermanentError)


@pytest.fixture
def cases(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    with create_engine(url).begin() as connection:
        connection.execute(
            text('create table "GL Detail" ("Account No" text, "Year" int, "In-Person" numeric, Card text)')
        )
        for number in range(2500):
            connection.execute(text('insert into "GL Detail" values (:no, 2026, 1, 4111)'), {"no": f"{number:05}"})
    return url


def test_rows_come_once_each_in_pages(cases: str) -> None:
    with Database(cases) as database:
        rows = list(database.rows(database.find(TABLE, None)))
    assert [row["Account No"] for row in rows] == [f"{number:05}" for number in range(2500)]
    assert rows[0] == {"Account No": "00000", "Year": 2026, "In-Person": 1}
    assert database.stats.requests == 5, "connect, find, and three pages"


def test_reading_a_keyed_table_goes_on_where_it_broke_off(cases: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Database(cases) as database:
        rows = database.rows(database.find(TABLE, None))
        first = [next(rows) for _ in range(1000)]
        database.close()
        rest = list(rows)
    assert [row["Account No"] for row in (*first, *rest)] == [f"{number:05}" for number in range(2500)]
    assert database.stats.retries == 1


def test_reading_without_a_key_does_not_begin_again_behind_its_back(cases: str) -> None:
    keyless = Table(TABLE.name, required=TABLE.required)
    with Database(cases) as database:
        rows = database.rows(database.find(keyless, None))
        assert next(rows)
        database.close()
        with pytest.raises(TransientError, match="no key"):
            list(rows)


def test_nothing_but_queries_is_ever_sent(cases: str) -> None:
    with Database(cases) as database:
        found = database.find(TABLE, None)
        for statement in (delete(found.source), insert(found.source).values({"Account No": "x"})):
            with pytest.raises(PermanentError, match="only read"):
                database.ask(lambda link, statement=statement: link.values(statement))
        with pytest.raises(PermanentError, match="only read: refused to send drop"):
            database.ask(lambda link: link._connection.exec_driver_sql('drop table "GL Detail"'))
        assert database.ask(lambda link: link.values(found.count())) == [(2500,)]


def test_the_clock_is_the_servers(cases: str) -> None:
    with Database(cases) as database:
        assert abs((database.now() - datetime.now(UTC)).total_seconds()) < 60


def test_a_spool_gives_back_what_it_was_given_also_from_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.sources.core.spool._IN_MEMORY", 100)
    spool = Spool()
    rows = [
        {"n": number, "amount": Decimal("0.10"), "text": 'a "line"\n\N{CJK UNIFIED IDEOGRAPH-6F22}'}
        for number in range(50)
    ]
    for row in rows:
        spool.add(row)
    assert len(spool) == 50
    assert list(spool.drain()) == rows
    assert str(next(iter(rows))["amount"]) == "0.10"
