"""What is asked of a Softbase database, compiled for SQL Server: every statement, and nothing that may not be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import mssql

from orchestration.errors import ConfigurationError, StreamUnavailable
from orchestration.sources.core.records import RequestStats
from orchestration.sources.core.sql_tables import FoundTable, Table, found_table
from orchestration.sources.softbase import verified_cash, verify, views
from orchestration.sources.softbase.connection import SoftbaseConnection
from orchestration.sources.softbase.session import Dealership
from orchestration.sources.softbase.streams import AUDIT, STREAMS, ViewStream

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
STREAM = {stream.name: stream for stream in STREAMS}
# Of customers and people, what no statement may name; card numbers stand in a view that is read.
FORBIDDEN = re.compile(
    r"Credit ?Card|CVV|BillToName|ShipToName|ShipName|Address|Phone|EMail|Salesman|Technician|Writer"
    r"|OpenBy|ClosedBy|ChangedBy|AddedBy|LastTransBy|Comments|Zip",
    re.IGNORECASE,
)


def compiled(statement: Select[Any]) -> str:
    dialect = mssql.dialect()
    # As a connection to a server of this century finds it.
    dialect.server_version_info = (16, 0)
    text = statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    return " ".join(str(text).split())


@dataclass
class Recorder:
    """A database that has every allowed column but those ``lacking``, and answers nothing."""

    lacking: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    rows_there: int = 10
    now_is: datetime = NOW
    asked: list[str] = field(default_factory=list)
    stats: RequestStats = field(default_factory=RequestStats)

    def find(self, table: Table, schema: str | None) -> FoundTable:
        names = [] if table.name in self.absent else [*table.required, *table.optional, "CreditCardNo", "Comments"]
        rows = [(schema or "", table.name, name) for name in names if name not in self.lacking]
        return found_table(table, schema, rows, "the database")

    def now(self) -> datetime:
        return self.now_is

    def rows(self, found: FoundTable, statement: Select[Any]) -> Iterator[dict[str, Any]]:
        self.asked.append(compiled(found.in_key_order(statement) if found.table.key else statement))
        return iter(())

    def ask(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def values(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        self.asked.append(compiled(statement))
        grouped = re.search(r"GROUP BY (CAST|[^()]*$)", self.asked[-1])
        return [] if grouped else [(self.rows_there,)]


def read(
    stream: ViewStream, state: dict[str, Any] | None = None, window: Any = None, begin: date | None = None, **facts: Any
) -> tuple[Any, str]:
    """The extract and the statement that its records come from."""
    database = Recorder(**facts)
    extract = views.ViewReader(database, "ten001", stream, state or {}, CHICAGO, begin).read(window)  # type: ignore[arg-type]
    assert list(extract.records) == []
    return extract, database.asked[-1] if database.asked else ""


def state_of(since: datetime, full_at: datetime | None = None) -> dict[str, Any]:
    return {"changed_since": since.isoformat(), "full_at": (full_at or since).isoformat()}


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_every_read_is_of_a_schemas_view_by_names_in_brackets(stream: ViewStream) -> None:
    extract, statement = read(stream)
    assert extract.mode == "full"
    assert f"FROM [ten001].[{stream.view}]" in statement
    assert all(f"AS [{name}]" in statement for name in (*stream.required, *stream.optional))
    assert "*" not in statement
    _, changes = read(stream, state_of(NOW - timedelta(days=1)))
    assert f"FROM [ten001].[{stream.view}]" in changes


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_no_statement_names_what_is_peoples_own(stream: ViewStream) -> None:
    for statement in (
        read(stream)[1],
        read(stream, state_of(NOW - timedelta(days=1)))[1],
        read(stream, window=(date(2026, 1, 1), date(2026, 1, 31)))[1],
    ):
        assert not FORBIDDEN.search(statement)


def test_of_customers_four_columns_are_read() -> None:
    _, statement = read(STREAM["customer"])
    assert re.findall(r"AS \[(\w+)\]", statement) == ["Number", "Name", "State", "Terms"]


def test_changes_are_modified_created_and_deleted_rows_and_recent_business() -> None:
    extract, statement = read(STREAM["invoice_reg"], state_of(NOW - timedelta(days=1)))
    assert extract.mode == "incremental"
    # 13:00 UTC less three hours is 04:00 in Chicago; 45 days before the 20th of November is the 6th of October.
    for column in ("LastModificationTime", "CreationTime", "DeletionTime"):
        assert f"[{column}] >= '2026-11-19 04:00:00" in statement
    for column in ("InvoiceDate", "ClosedDate", "OpenDate"):
        assert f"[{column}] >= '2026-10-06 00:00:00" in statement


def test_rows_never_modified_are_read_where_nothing_says_when_they_were_created() -> None:
    _, statement = read(STREAM["equipment"], state_of(NOW), lacking=frozenset({"CreationTime"}))
    assert "[LastModificationTime] IS NULL" in statement
    assert "[CreationTime]" not in statement


@pytest.mark.parametrize("begin", [None, date(2026, 1, 1)])
def test_open_orders_are_always_read_those_closed_in_1900_among_them(begin: date | None) -> None:
    _, statement = read(STREAM["wo"], state_of(NOW), begin=begin)
    wanted = 1 if begin is None else 2
    assert statement.count("[ClosedDate] IS NULL") == wanted
    assert statement.count("[ClosedDate] < '1990-01-01 00:00:00") == wanted


@pytest.mark.parametrize(
    ("since", "wall"),
    [
        # Half past one and one o'clock of the hour that comes twice; the hour before the one that is missing.
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), "2026-10-31 22:30:00"),
        (datetime(2026, 11, 1, 7, 30, tzinfo=UTC), "2026-10-31 23:30:00"),
        (datetime(2026, 3, 8, 8, 30, tzinfo=UTC), "2026-03-07 23:30:00"),
    ],
)
def test_a_clock_change_leaves_no_change_out(since: datetime, wall: str) -> None:
    _, statement = read(STREAM["invoice_reg"], state_of(since), now_is=since + timedelta(hours=5))
    assert f"[LastModificationTime] >= '{wall}" in statement
    # Whatever is written from then on shows a later time, also in the repeated hour and in UTC.
    later = (since.astimezone(CHICAGO).replace(tzinfo=None), since.replace(tzinfo=None))
    first_repeated = datetime(since.year, since.month, since.day, 1)  # noqa: DTZ001
    assert all(datetime.fromisoformat(wall) < at for at in (*later, first_repeated))


def test_east_of_greenwich_the_earlier_of_both_clocks_counts() -> None:
    database = Recorder()
    state = state_of(NOW)
    reader = views.ViewReader(database, "ten001", STREAM["invoice_reg"], state, ZoneInfo("Pacific/Auckland"), None)  # type: ignore[arg-type]
    list(reader.read(None).records)
    assert "[LastModificationTime] >= '2026-11-20 10:00:00" in database.asked[-1]


WITHOUT_AUDIT: dict[str, Any] = {"lacking": frozenset(AUDIT)}


def test_a_view_that_tells_of_no_deletion_is_read_whole_while_it_is_small() -> None:
    extract, statement = read(STREAM["invoice_reg"], state_of(NOW), **WITHOUT_AUDIT)
    assert (extract.mode, "WHERE" in statement) == ("full", False)
    extract, statement = read(STREAM["invoice_reg"], state_of(NOW), rows_there=views.WHOLE_ROWS + 1, **WITHOUT_AUDIT)
    assert extract.mode == "incremental"
    assert "[InvoiceDate] >= '2026-10-06" in statement


def test_a_view_without_dates_and_audit_columns_is_read_whole_however_large() -> None:
    for name in ("gl", "rental_history", "chart_of_accounts"):
        extract, _ = read(STREAM[name], state_of(NOW), rows_there=10**7, **WITHOUT_AUDIT)
        assert extract.mode == "full"


def test_rows_without_a_key_are_read_whole() -> None:
    extract, statement = read(STREAM["gl_detail"], state_of(NOW), lacking=frozenset({"Id"}), rows_there=10**7)
    assert extract.mode == "full"
    assert "ORDER BY" not in statement
    extract, statement = read(STREAM["gl_detail"], state_of(NOW))
    assert extract.mode == "incremental"
    assert statement.endswith("ORDER BY [ten001].[GLDetail].[Id]")


def test_a_week_after_the_last_full_read_comes_another() -> None:
    stream = STREAM["invoice_reg"]
    assert read(stream, state_of(NOW, NOW - timedelta(days=6, hours=11)))[0].mode == "incremental"
    assert read(stream, state_of(NOW, NOW - timedelta(days=6, hours=13)))[0].mode == "full"


def test_state_follows_the_servers_clock() -> None:
    full, _ = read(STREAM["invoice_reg"])
    assert full.state == {
        **dict.fromkeys(("read_at", "changed_since", "full_at"), NOW.isoformat()),
        "read_on": "2026-11-20",
    }
    later, _ = read(STREAM["invoice_reg"], full.state, now_is=NOW + timedelta(days=1))
    assert later.state == {
        "read_at": (NOW + timedelta(days=1)).isoformat(),
        "read_on": "2026-11-21",
        "changed_since": (NOW + timedelta(days=1)).isoformat(),
        "full_at": NOW.isoformat(),
    }


def test_a_read_is_of_the_dealerships_own_date() -> None:
    # 13:00 UTC on the 20th is 02:00 on the 21st in Auckland.
    reader = views.ViewReader(Recorder(), "ten001", STREAM["wo"], {}, ZoneInfo("Pacific/Auckland"), None)  # type: ignore[arg-type]
    assert reader.read(None).state["read_on"] == "2026-11-21"


def test_a_window_asks_for_business_of_its_days() -> None:
    extract, statement = read(STREAM["invoice_reg"], window=(date(2026, 3, 1), date(2026, 3, 31)))
    assert extract.mode == "incremental"
    assert "[InvoiceDate] >= '2026-03-01" in statement
    assert "[InvoiceDate] < '2026-04-01" in statement


def test_what_was_over_before_the_start_date_is_left_out() -> None:
    begin = date(2026, 1, 1)
    assert "[ClosedDate] >= '2026-01-01" in read(STREAM["wo"], begin=begin)[1]
    assert "[ClosedDate] IS NULL" in read(STREAM["wo"], begin=begin)[1]
    assert "2026-01-01" not in read(STREAM["gl"], begin=begin)[1]


def test_a_required_column_that_is_missing_is_named() -> None:
    with pytest.raises(StreamUnavailable, match=r"\[ten001\]\.\[InvoiceReg\] has no column \[SaleCode\]"):
        read(STREAM["invoice_reg"], lacking=frozenset({"SaleCode"}))


def test_an_optional_column_that_is_missing_is_left_out_and_said() -> None:
    extract, statement = read(STREAM["invoice_reg"], lacking=frozenset({"HourMeter"}))
    assert "[HourMeter]" not in statement
    assert "HourMeter" in extract.notes[0]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_a_view_that_no_mart_is_made_of_is_skipped_where_a_dealership_lacks_it(stream: ViewStream) -> None:
    absent = frozenset({stream.view})
    if stream.name in ("branch", "sale_codes", "customer", "gl_detail", "depreciation"):
        extract, _ = read(stream, absent=absent)
        assert (extract.mode, extract.state) == ("incremental", {})
        assert f"no view {stream.view}" in extract.notes[0]
    else:
        with pytest.raises(StreamUnavailable, match="no table"):
            read(stream, absent=absent)


def test_a_view_is_not_skipped_that_was_there_or_lacks_a_column_or_can_t_be_asked_for() -> None:
    with pytest.raises(StreamUnavailable, match="no table"):
        read(STREAM["depreciation"], state_of(NOW), absent=frozenset({"Depreciation"}))
    with pytest.raises(StreamUnavailable, match=r"no column \[SerialNo\]"):
        read(STREAM["depreciation"], lacking=frozenset({"SerialNo"}))

    class Refusing(Recorder):
        def find(self, table: Table, schema: str | None) -> FoundTable:
            raise ConfigurationError("login failed")

    with pytest.raises(ConfigurationError, match="login failed"):
        views.ViewReader(Refusing(), "ten001", STREAM["branch"], {}, CHICAGO, None).read(None)  # type: ignore[arg-type]


class Renting(Recorder):
    """One that has departments that rent: of a branch, and of none."""

    def values(self, statement: Select[Any]) -> list[tuple[Any, ...]]:
        named = statement.selected_columns.keys()
        if named == ["Branch", "Dept", "Title"]:
            return [(1, 60, "Rental"), (None, 61, "Rental")]
        rows = super().values(statement)
        return [(1, 60), (None, 61), (1, 10)] if named == ["InventoryBranch", "InventoryDept"] else rows


@pytest.mark.parametrize("lacking", [frozenset(), frozenset({*AUDIT, "SwapEndDate", "DealerSaleDate"})])
def test_figures_are_asked_for_in_sql_servers_words(lacking: frozenset[str]) -> None:
    database = Renting(lacking=lacking)
    url = "mssql+pymssql://u:p@127.0.0.1/d"
    settings = SoftbaseConnection.resolved({"url": url, "schema": "ten001", "gl_calendar": "calendar"})
    session = Dealership(database, settings, "one", CHICAGO, database.stats)  # type: ignore[arg-type]
    verify.sales_figures(session, date(2026, 1, 1), date(2026, 1, 2))
    verify.fleet_figures(session)
    assert verified_cash.cash_figures(session) is not None
    asked = "\n".join(database.asked)
    assert "CAST([ten001].[InvoiceReg].[InvoiceDate] AS DATE)" in asked
    assert "EXISTS (SELECT 1 FROM [ten001].[WORental], [ten001].[WO] WHERE" in asked
    assert "[AccountField] = 'Actual'" in asked
    assert "NOT LIKE '9%'" in asked
    assert "SELECT DISTINCT [ten001].[Equipment].[InventoryBranch]" in asked
    assert re.search(r"\[InventoryBranch\] IS NULL AND \[\w+\]\.\[\w+\]\.\[InventoryDept\] = '?61", asked)
    # What is grouped by an expression with a parameter, some drivers take for another expression than what is selected.
    assert not re.search(r"GROUP BY CASE", asked)
    assert not FORBIDDEN.search(asked)
    # SQL Server has no boolean conditions but comparisons.
    assert not re.search(r"(WHERE|AND) (0|1|\[\w+\]\.\[\w+\]\.\[\w+\])( AND|$)", asked)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"schema": "ten001; drop table x"}, "is no name of a schema"),
        ({"schema": "ten001", "timezone": "Chicago"}, "is no time zone"),
        ({}, "schema"),
        ({"schema": "ten001", "table": "x"}, "table"),
    ],
)
def test_settings_that_are_wrong_are_named(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        SoftbaseConnection.resolved({"url": "mssql+pymssql://u:p@h/d"} | settings)


@pytest.mark.parametrize("state", [None, state_of(NOW - timedelta(days=1))], ids=["all", "changes"])
def test_a_read_says_that_recent_business_was_read_whatever_changed_and_counts_it(state: dict[str, Any] | None) -> None:
    window = (date(2026, 1, 1), date(2026, 1, 31))
    for name in ("invoice_reg", "wo", "gl_detail"):
        assert (read(STREAM[name], state)[0].reread_days, read(STREAM[name], state)[0].reread_records) == (45, 0)
        assert read(STREAM[name], state, window)[0].reread_days == 0, "days of somebody's choice"
    # By audit columns alone: a night without changes is none without rows.
    assert {read(STREAM[name], state)[0].reread_days for name in ("equipment", "gl", "chart_of_accounts")} == {0}

    class Filled(Recorder):
        def rows(self, found: FoundTable, statement: Select[Any]) -> Iterator[dict[str, Any]]:
            # 45 days before the 20th of November is the 6th of October. One without any date; one edited alone.
            for number, day in enumerate(("2026-10-06T00:00:00", "2026-10-05T23:59:59", None, "1900-01-01")):
                yield {"InvoiceNo": number, "InvoiceDate": day, "LastModificationTime": "2026-11-20T01:00:00"}
            yield {"InvoiceNo": 9, "InvoiceDate": "2026-01-01", "ClosedDate": "2026-11-19"}

    extract = views.ViewReader(Filled(), "ten001", STREAM["invoice_reg"], state or {}, CHICAGO, None).read(None)  # type: ignore[arg-type]
    assert len(list(extract.records)) == 5
    assert extract.reread_records == 2
