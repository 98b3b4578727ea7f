"""SQL Server over its own protocol: pymssql (FreeTDS) reads from a server that speaks TDS over a socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import stamina
from tds_server import SqlError, TdsServer, serving_tds

from orchestration.errors import ConfigurationError, SourceError, StreamUnavailable, TransientError
from orchestration.sources.azure_sql.session import open_cases
from orchestration.sources.azure_sql.streams import CASES
from orchestration.sources.azure_sql.verify import case_figures
from orchestration.sources.core import sql_link
from orchestration.sources.core.sql import Database
from orchestration.sources.core.sql_tables import Table

ASLEEP = SqlError(40613, "Database 'cases' on server 'x' is not currently available. Please retry.", 17)
CASE_COLUMNS = [*CASES.table.required, "In-Person Sessions", "TAT - Client Contact to First Session", "Case Manager"]


def case(number: int) -> tuple[Any, ...]:
    return (date(2026, 11, 1 + number % 20), None, "Open", "EAP", "Anxiety", number, Decimal(number) / 4, "Ada Byron")


@pytest.fixture(autouse=True)
def _retries_without_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=20, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def server() -> Iterator[TdsServer]:
    # Every row of the case table stands there twice.
    rows = [case(number // 2) for number in range(2400)]
    with serving_tds(tables={"Case_Data_Summary_NOPHI": (CASE_COLUMNS, rows)}) as running:
        yield running


def read(server: TdsServer) -> tuple[list[dict[str, Any]], Any, Any]:
    with open_cases({"url": server.url()}, organization="vital", timezone="America/Chicago") as session:
        extract = session.read(CASES, None, None)
        return [dict(record.payload or {}) for record in extract.records], extract, session.stats


def test_the_case_table_is_read_in_t_sql_within_one_snapshot(server: TdsServer) -> None:
    rows, extract, stats = read(server)
    names = [name for name in CASE_COLUMNS if name != "Case Manager"]
    expected = [dict(zip(CASE_COLUMNS, case(number // 2), strict=True)) for number in range(2400)]
    for row in expected:
        del row["Case Manager"]
        row["Case Create Date"] = row["Case Create Date"].isoformat()
    assert rows == expected
    assert extract.state == {"read_at": "2026-11-20T13:00:00.123456+00:00", "rows": 2400}
    assert stats.retries == 0

    (login,) = server.logins
    assert (login["read_only"], login["application"], login["database"]) == (True, "aiop", "cases")
    asked = [" ".join(statement.split()) for statement in server.statements]
    place = asked.index("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
    assert "snapshot_isolation_state" in " ".join(asked[:place])
    assert asked[place + 1 : place + 3] == ["COMMIT TRAN", "BEGIN TRAN"]
    selected = ", ".join(f"[dbo].[Case_Data_Summary_NOPHI].[{name}] AS [{name}]" for name in names)
    assert f"SELECT {selected} FROM [dbo].[Case_Data_Summary_NOPHI]" in asked[place:]
    assert "SELECT count(*) AS count_1 FROM [dbo].[Case_Data_Summary_NOPHI]" in asked[place:]
    # The transaction is begun before the first of its questions, and nothing is ever kept of it.
    kept = [
        one for one in asked if re.match(r"(insert|update|delete|merge|create|drop|alter|exec)\b", one, re.IGNORECASE)
    ]
    assert not kept


@pytest.mark.parametrize("number", [40613, 40197, 40501, 49918, 10928, 233])
def test_a_database_that_wakes_up_at_the_first_connection_is_asked_again(server: TdsServer, number: int) -> None:
    server.errors_at_login = [SqlError(number, "It is not there yet.", 17), ASLEEP, None]
    rows, _, stats = read(server)
    assert (len(rows), stats.retries, len(server.logins)) == (2400, 2, 3)
    assert stats.waited_seconds >= 5


def test_a_database_that_never_wakes_up_ends_the_stream_after_some_attempts(server: TdsServer) -> None:
    server.errors_at_login = [ASLEEP] * 50
    with pytest.raises(TransientError, match=r"not currently available.*tried 8 times"):
        read(server)
    assert len(server.logins) == 8


@pytest.mark.parametrize(
    ("number", "text", "way_out"),
    [
        (18456, "Login failed for user 'reader'.", "user, password and database"),
        (40615, "Client with IP address '1.2.3.4' is not allowed to access the server.", "firewall"),
    ],
)
def test_a_refused_login_is_tried_once_and_says_the_way_out(
    server: TdsServer, number: int, text: str, way_out: str
) -> None:
    server.errors_at_login = [SqlError(number, text)] * 5
    with pytest.raises(ConfigurationError) as refused:
        read(server)
    assert way_out in refused.value.hint
    assert (refused.value.organization, refused.value.source) == ("vital", "azure_sql")
    assert "pass-of-reader" not in str(refused.value)
    assert len(server.logins) == 1


def test_no_password_is_sent_where_the_server_does_not_encrypt(server: TdsServer) -> None:
    url = server.url().replace("?encryption=off", "")
    with open_cases({"url": url}, organization="vital", timezone="UTC") as session:
        with pytest.raises(SourceError):
            session.read(CASES, None, None)
    assert server.logins == []


@pytest.mark.parametrize("row", [1, 1500, 2399])
def test_a_connection_lost_half_way_begins_the_snapshot_again(server: TdsServer, row: int) -> None:
    server.rows_before = {row: "drop"}
    rows, _, stats = read(server)
    assert len(rows) == 2400
    assert (stats.retries, len(server.logins)) == (1, 2)


def test_an_answer_that_stalls_is_cut_off_and_asked_again(server: TdsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_link, "PAGE_SECONDS", 1.0)
    server.rows_before = {number: "0.2" for number in range(100, 130)}
    stalled = iter([True])

    def once(statement: str) -> None:
        if "[Case Type]" in statement and not next(stalled, False):
            server.rows_before = {}

    server.before_answer = once
    rows, _, stats = read(server)
    assert (len(rows), stats.retries) == (2400, 1)


def test_without_snapshot_isolation_a_count_that_is_off_is_read_again(server: TdsServer) -> None:
    server.snapshots = False
    names, rows = server.tables["Case_Data_Summary_NOPHI"]
    moves = iter([True])

    def a_case_is_taken_out_behind_the_count(statement: str) -> None:
        if "AS [Case Type]" in statement and next(moves, False):
            server.tables["Case_Data_Summary_NOPHI"] = (names, rows[:-1])

    server.before_answer = a_case_is_taken_out_behind_the_count
    found, extract, stats = read(server)
    assert (len(found), extract.state["rows"], stats.retries) == (2399, 2399, 1)
    assert "SET TRANSACTION ISOLATION LEVEL SNAPSHOT" not in " ".join(server.statements)


def test_a_table_that_may_not_be_read_is_the_streams_own_error_with_the_servers_text(server: TdsServer) -> None:
    server.before_answer = lambda statement: (
        SqlError(229, "The SELECT permission was denied on the object 'Case_Data_Summary_NOPHI'.")
        if "AS [Case Type]" in statement
        else None
    )
    with pytest.raises(StreamUnavailable, match="SELECT permission was denied") as refused:
        read(server)
    assert "grant SELECT" in refused.value.hint


def test_figures_are_asked_afresh_by_group_and_exact_spelling(server: TdsServer) -> None:
    with open_cases({"url": server.url()}, organization="vital", timezone="UTC") as session:
        figures = case_figures(session, date(2026, 11, 20))
    assert figures == {
        "total_cases": 2400,
        "new_cases_30d": 2400,
        "closed_cases_30d": 0,
        "cases_by_type EAP": 2400,
        "cases_by_status Open": 2400,
        "cases_by_category Anxiety": 2400,
    }
    grouped = [" ".join(statement.split()) for statement in server.statements if "GROUP BY" in statement]
    table = "[dbo].[Case_Data_Summary_NOPHI]"
    day, kind = f"{table}.[Case Create Date]", f"CAST({table}.[Case Type] AS NVARCHAR(max))"
    assert grouped[0] == f"SELECT {day}, count(*) AS count_1 FROM {table} GROUP BY {day}"
    assert grouped[2].endswith(f"FROM {table} GROUP BY {kind} COLLATE Latin1_General_BIN2"), grouped[2]


def test_a_refusal_is_told_under_its_own_number_whatever_failed_before(server: TdsServer) -> None:
    server.errors_at_login = [ASLEEP, SqlError(18456, "Login failed for user 'reader'.")]
    with pytest.raises(ConfigurationError, match="Login failed"):
        read(server)
    assert len(server.logins) == 2
    # A database that can't be opened fails the login as well: Microsoft has it asked again.
    both = SqlError(4060, "Cannot open database 'cases' requested by the login. The login failed.", 11)
    server.errors_at_login = [both, None]
    assert len(read(server)[0]) == 2400


TYPED = Table("Typed", ("Id",), ("Money", "Bit", "Float", "At", "Day", "Raw", "Text", "Long", "Nothing"), key=("Id",))
# Also halves of a pair, as SQL Server keeps them of texts cut in the middle of a character.
ODD_TEXT = "O'Brien \N{FAMILY} 漢 a\0b \t\r\n half \ud83d of \udc6a"


@pytest.fixture
def typed() -> Iterator[TdsServer]:
    names = ["Id", "Money", "Bit", "Float", "At", "Day", "Raw", "Text", "Long", "Nothing"]
    first = (
        1,
        Decimal("-152340.1200"),
        True,
        0.1,
        datetime.fromisoformat("2026-02-03T00:00:00"),
        date(2026, 2, 3),
        b"\x00\xff",
        ODD_TEXT,
        "x" * 3_000_000,
        None,
    )
    rest = [(number, *[None] * 9) for number in range(2, 2501)]
    with serving_tds(tables={"Typed": (names, [first, *rest])}) as running:
        yield running


def test_values_come_over_tds_with_every_digit_and_character(typed: TdsServer) -> None:
    with Database(typed.url()) as database:
        row = next(database.rows(database.find(TYPED, None)))
        assert database.now() == datetime(2026, 11, 20, 13, 0, 0, 123456, tzinfo=UTC)
    assert str(row["Money"]) == "-152340.1200"
    assert (row["Bit"], str(row["Float"])) == (True, "0.1")
    assert (row["At"], row["Day"], row["Raw"]) == ("2026-02-03T00:00:00", "2026-02-03", "00ff")
    # FreeTDS hands on what is no character as a question mark, and every other as it is.
    assert row["Text"] == ODD_TEXT.replace("\ud83d", "?").replace("\udc6a", "?")
    assert (len(row["Long"]), row["Nothing"]) == (3_000_000, None)


def test_a_keyed_table_goes_on_behind_the_row_it_broke_off_at(typed: TdsServer) -> None:
    typed.rows_before = {1700: "drop"}
    with Database(typed.url()) as database:
        ids = [row["Id"] for row in database.rows(database.find(TYPED, None))]
    assert ids == list(range(1, 2501))
    resumed = [statement for statement in typed.statements if "> " in statement and "[Id]" in statement]
    assert resumed
    assert "ORDER BY [dbo].[Typed].[Id]" in " ".join(resumed[0].split())
