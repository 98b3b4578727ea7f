"""Which months of a report are asked for when, how they land, and what is done about a report that is too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from quickbooks_fake import FakeBooks, open_fake
from report_fake import Line, no_data, report

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.quickbooks.months import months_between, shift
from orchestration.sources.quickbooks.session import Company
from orchestration.sources.quickbooks.source import QUICKBOOKS

PROFIT_AND_LOSS = QUICKBOOKS.stream("profit_and_loss")
BALANCE_SHEET = QUICKBOOKS.stream("balance_sheet")
CASH_FLOW = QUICKBOOKS.stream("cash_flow")
FIRST = date(2020, 1, 1)
SALES = Line(
    "Sales", {month: Decimal(month.year * 100 + month.month) for month in months_between(FIRST, date(2030, 12, 1))}
)
INCOME = Line("Income", lines=[SALES], group="Income")


def by_month(name: str, params: Mapping[str, str]) -> dict[str, Any]:
    return report(name, [INCOME], params)


def books(make: Callable[[str, Mapping[str, str]], dict[str, Any]] = by_month, **values: Any) -> FakeBooks:
    return FakeBooks(reports=make, **{"now": datetime(2026, 3, 10, 12, tzinfo=UTC), **values})


def read(
    company: Company,
    stream: Any = PROFIT_AND_LOSS,
    state: Mapping[str, Any] | None = None,
    window: tuple[date, date] | None = None,
) -> tuple[dict[str, Record], Extract]:
    extract = company.read(stream, state, window)
    records = list(extract.records)
    landed = {record.record_id: record for record in records}
    assert len(landed) == len(records)
    return landed, extract


def asked(fake: FakeBooks) -> list[tuple[str, str]]:
    return [(params["start_date"], params["end_date"]) for params in fake.asked_reports]


def months(landed: Mapping[str, Record]) -> list[str]:
    return sorted(key.split("|")[2] for key in landed if ".." not in key)


def sales(record: Record) -> Decimal:
    assert record.payload is not None
    return Decimal(record.payload["Rows"]["Row"][0]["Rows"]["Row"][0]["ColData"][1]["value"])


def test_the_first_read_goes_back_to_the_start_half_year_by_half_year() -> None:
    fake = books()
    landed, extract = read(open_fake(fake, start_date="2024-11-17"))
    assert asked(fake) == [
        ("2024-11-01", "2024-12-31"),
        ("2025-01-01", "2025-06-30"),
        ("2025-07-01", "2025-12-31"),
        ("2026-01-01", "2026-03-31"),
    ]
    assert months(landed) == [f"{month:%Y-%m}" for month in months_between(date(2024, 11, 1), date(2026, 3, 1))]
    assert extract.mode == "incremental"
    assert extract.state == {
        "start": "2024-11-01",
        "accounting_method": None,
        "basis": "Accrual",
        "full_at": "2026-03-10T12:00:00+00:00",
    }


def test_a_month_lands_with_its_own_column_and_nothing_of_the_request() -> None:
    landed, _ = read(open_fake(books()))
    record = landed["ProfitAndLoss|accrual|2025-08"]
    payload = record.payload
    assert payload is not None
    assert sales(record) == Decimal("202508")
    assert payload["report"] == "ProfitAndLoss"
    assert payload["basis"] == "accrual"
    assert (payload["period_start"], payload["period_end"]) == ("2025-08-01", "2025-08-31")
    assert payload["is_total"] is False
    assert payload["no_data"] is False
    assert payload["Column"]["ColTitle"] == "Aug 2025"
    assert payload["Header"].keys() == {"ReportName", "ReportBasis", "SummarizeColumnsBy", "Currency", "Option"}
    assert record.updated_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_an_unchanged_month_is_the_same_whenever_it_is_read() -> None:
    fake = books()
    first, _ = read(open_fake(fake))
    fake.pass_time(days=30)
    second, _ = read(open_fake(fake))
    for key in first:
        if ".." not in key:
            assert first[key].payload == second[key].payload


def test_the_total_of_a_half_year_covers_its_months() -> None:
    landed, _ = read(open_fake(books()))
    totals = {key: record for key, record in landed.items() if ".." in key}
    assert set(totals) == {
        "ProfitAndLoss|accrual|2025-01..2025-06",
        "ProfitAndLoss|accrual|2025-07..2025-12",
        "ProfitAndLoss|accrual|2026-01..2026-06",
    }
    for record in totals.values():
        payload = record.payload
        assert payload is not None
        assert payload["is_total"] is True
        covered = months_between(
            date.fromisoformat(payload["period_start"]), date.fromisoformat(payload["period_end"]).replace(day=1)
        )
        parts = [sales(landed[f"ProfitAndLoss|accrual|{month:%Y-%m}"]) for month in covered]
        assert sales(record) == sum(parts)
    current = totals["ProfitAndLoss|accrual|2026-01..2026-06"].payload
    assert current is not None
    assert (current["period_start"], current["period_end"]) == ("2026-01-01", "2026-03-31")


def test_at_night_the_last_six_months_are_read_with_the_half_years_they_lie_in() -> None:
    fake = books()
    _, extract = read(open_fake(fake))
    fake.pass_time(days=1)
    fake.asked_reports.clear()
    _, again = read(open_fake(fake), state=extract.state)
    assert asked(fake) == [("2025-07-01", "2025-12-31"), ("2026-01-01", "2026-03-31")]
    assert again.state == extract.state


def test_a_restated_month_of_the_window_comes_back_with_its_total() -> None:
    fake = books()
    _, extract = read(open_fake(fake))
    restated = Line("Sales", {**SALES.own, date(2025, 7, 1): Decimal("1.23")})
    fake.reports = lambda name, params: report(name, [Line("Income", lines=[restated])], params)
    landed, _ = read(open_fake(fake), state=extract.state)
    assert sales(landed["ProfitAndLoss|accrual|2025-07"]) == Decimal("1.23")
    assert sales(landed["ProfitAndLoss|accrual|2025-07..2025-12"]) == sum(
        sales(landed[f"ProfitAndLoss|accrual|2025-{month:02}"]) for month in range(7, 13)
    )


@pytest.mark.parametrize(("days", "requests"), [(6, 2), (7, 3), (40, 3)])
def test_once_a_week_everything_is_read_again(days: int, requests: int) -> None:
    fake = books()
    _, extract = read(open_fake(fake))
    fake.pass_time(days=days)
    fake.asked_reports.clear()
    read(open_fake(fake), state=extract.state)
    assert len(fake.asked_reports) == requests


@pytest.mark.parametrize("change", [{"start_date": "2024-06-01"}, {"accounting_method": "Cash"}])
def test_changed_settings_mean_reading_everything(change: dict[str, str]) -> None:
    fake = books()
    _, extract = read(open_fake(fake))
    fake.asked_reports.clear()
    read(open_fake(fake, **change), state=extract.state)
    assert len(fake.asked_reports) >= 3


@pytest.mark.parametrize(
    ("stream", "settings", "whole"),
    [
        (PROFIT_AND_LOSS, {}, True),
        (BALANCE_SHEET, {}, True),
        (CASH_FLOW, {}, False),
        (PROFIT_AND_LOSS, {"accounting_method": "Accrual"}, False),
    ],
)
def test_a_company_that_changes_its_basis_has_all_months_read_on_the_new_one(
    stream: Any, settings: dict[str, str], whole: bool
) -> None:
    fake = books()
    _, extract = read(open_fake(fake, **settings), stream)
    fake.preferences["ReportPrefs"] = {"ReportBasis": "Cash"}
    fake.asked_reports.clear()
    _, changed = read(open_fake(fake, **settings), stream, extract.state)
    assert (asked(fake)[0][0] == "2025-01-01") is whole
    assert changed.state.get("basis") == ("Cash" if whole else settings.get("accounting_method"))
    # And only once.
    fake.asked_reports.clear()
    read(open_fake(fake, **settings), stream, changed.state)
    assert asked(fake)[0][0] == "2025-07-01"


@pytest.mark.parametrize("status", [400, 503])
def test_preferences_that_cant_be_read_count_as_unchanged(status: int) -> None:
    fake = books()
    _, extract = read(open_fake(fake))

    def refuse(_: FakeBooks, __: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        return httpx2.Response(status, json={}) if "Preferences" in params.get("query", "") else None

    fake.before.append(refuse)
    fake.asked_reports.clear()
    _, again = read(open_fake(fake, attempts=1), state=extract.state)
    assert asked(fake)[0][0] == "2025-07-01"
    assert again.state == extract.state


def test_a_backfill_reads_the_half_years_it_touches() -> None:
    fake = books()
    _, extract = read(open_fake(fake, start_date="2024-03-01"))
    fake.asked_reports.clear()
    window = (date(2024, 5, 20), date(2024, 8, 3))
    landed, backfill = read(open_fake(fake, start_date="2024-03-01"), state=extract.state, window=window)
    assert asked(fake) == [("2024-03-01", "2024-06-30"), ("2024-07-01", "2024-12-31")]
    assert len(months(landed)) == 10
    assert backfill.state == extract.state


def test_a_backfill_may_go_further_back_than_the_start() -> None:
    fake = books()
    read(open_fake(fake), window=(date(2022, 5, 1), date(2022, 6, 30)))
    assert asked(fake) == [("2022-05-01", "2022-06-30")]


def test_a_backfill_ends_with_the_current_month() -> None:
    fake = books()
    read(open_fake(fake), window=(date(2026, 2, 1), date(2027, 8, 31)))
    assert asked(fake) == [("2026-01-01", "2026-03-31")]


def test_a_backfill_of_the_future_finds_nothing() -> None:
    fake = books()
    landed, _ = read(open_fake(fake), window=(date(2027, 2, 1), date(2027, 8, 31)))
    assert landed == {}
    assert fake.asked_reports == []


@pytest.mark.parametrize(
    ("zone", "last"), [("America/Chicago", "2026-03-31"), ("Asia/Tokyo", "2026-04-30"), ("UTC", "2026-04-30")]
)
def test_the_current_month_is_the_companys_not_utcs(zone: str, last: str) -> None:
    fake = books(now=datetime(2026, 4, 1, 2, 0, tzinfo=UTC))
    read(open_fake(fake, timezone=zone))
    assert fake.asked_reports[-1]["end_date"] == last


def test_the_companys_own_zone_wins_where_it_tells_one() -> None:
    fake = books(now=datetime(2026, 4, 1, 2, 0, tzinfo=UTC), company={"DefaultTimeZone": "Asia/Tokyo"})
    read(open_fake(fake, timezone="America/Chicago"))
    assert fake.asked_reports[-1]["end_date"] == "2026-04-30"
    fake.company = {"DefaultTimeZone": "Pacific Standard Time"}
    read(open_fake(fake, timezone="America/Chicago"))
    assert fake.asked_reports[-1]["end_date"] == "2026-03-31"


def test_a_server_that_quotes_an_example_time_is_dated_by_its_header() -> None:
    fake = books(now=datetime(2015, 7, 6, tzinfo=UTC))

    def dated(inner: FakeBooks, request: httpx2.Request, _params: dict[str, str]) -> httpx2.Response:
        hooks, inner.before = inner.before, []
        response = inner.handle(request)
        inner.before = hooks
        headers = {"Date": "Tue, 10 Mar 2026 12:00:00 GMT"}
        return httpx2.Response(response.status_code, headers=headers, content=response.content)

    fake.before.append(dated)
    read(open_fake(fake))
    assert fake.asked_reports[-1]["end_date"] == "2026-03-31"


def test_a_start_in_the_future_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="start_date lies in the future: 2030-01-01"):
        read(open_fake(books(), start_date="2030-01-15"))


@pytest.mark.parametrize(("method", "basis"), [("Cash", "cash"), ("Accrual", "accrual"), (None, "accrual")])
def test_records_carry_the_basis_the_report_states(method: str | None, basis: str) -> None:
    fake = books()
    settings = {"accounting_method": method} if method else {}
    landed, _ = read(open_fake(fake, **settings))
    assert {key.split("|")[1] for key in landed} == {basis}
    assert fake.asked_reports[0].get("accounting_method") == method


def test_the_cash_flow_has_no_basis_and_is_asked_without_one() -> None:
    fake = books()
    landed, _ = read(open_fake(fake, accounting_method="Cash"), CASH_FLOW)
    assert "CashFlow|none|2026-03" in landed
    assert "accounting_method" not in fake.asked_reports[0]


def test_a_report_that_does_not_state_its_basis_has_the_companys() -> None:
    def silent(name: str, params: Mapping[str, str]) -> dict[str, Any]:
        made = by_month(name, params)
        del made["Header"]["ReportBasis"]
        return made

    fake = books(silent, preferences={"ReportPrefs": {"ReportBasis": "Cash"}})
    assert "ProfitAndLoss|cash|2026-03" in read(open_fake(fake))[0]
    assert "ProfitAndLoss|accrual|2026-03" in read(open_fake(fake, accounting_method="Accrual"))[0]


def test_months_without_any_posting_land_as_such() -> None:
    landed, _ = read(open_fake(books(no_data)))
    payload = landed["ProfitAndLoss|accrual|2025-08"].payload
    assert payload is not None
    assert payload["no_data"] is True
    assert payload["Rows"] == {}


def test_months_without_postings_land_though_the_report_has_no_columns() -> None:
    landed, _ = read(open_fake(books(lambda name, params: no_data(name, params, columns=False))))
    assert len(months(landed)) == 15
    assert landed["ProfitAndLoss|accrual|2025-01..2025-06"].deleted


def test_a_report_without_total_column_deletes_a_total_that_would_go_stale() -> None:
    landed, _ = read(open_fake(books(lambda name, params: report(name, [INCOME], params, total=False))))
    assert landed["ProfitAndLoss|accrual|2025-01..2025-06"] == Record(
        "ProfitAndLoss|accrual|2025-01..2025-06", None, deleted=True
    )
    assert len(months(landed)) == 15


# As Intuit answers a question whose answer would be too large.
TOO_LARGE = {
    "Message": "Result Set Big Error",
    "Detail": "Result Set Big Error : Report too large, please customize",
    "code": "10100",
    "element": "ReportName",
}


def limited_to(count: int, status: int = 504) -> Any:
    """Answers with a status where more months are asked for than the server manages; with 400 and 200 says why."""
    body = {"Fault": {"Error": [TOO_LARGE], "type": "ValidationFault"}} if status in (200, 400) else None

    def respond(_fake: FakeBooks, request: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        if "/reports/" not in request.url.path:
            return None
        first, last = date.fromisoformat(params["start_date"]), date.fromisoformat(params["end_date"])
        return httpx2.Response(status, json=body) if shift(first, count) <= last else None

    return respond


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("status", [504, 500, 400, 200])
def test_a_report_that_is_too_much_is_asked_for_in_parts(count: int, status: int) -> None:
    fake = books(before=[limited_to(count, status)])
    landed, extract = read(open_fake(fake))
    assert len(months(landed)) == 15
    assert sales(landed["ProfitAndLoss|accrual|2025-05"]) == Decimal("202505")
    assert landed["ProfitAndLoss|accrual|2025-01..2025-06"].deleted
    assert "2025-01 to 2025-06 asked for in parts" in extract.notes[0]


def test_a_timeout_is_not_repeated_before_less_is_asked_for() -> None:
    requests: list[str] = []

    def count(_fake: FakeBooks, request: httpx2.Request, params: dict[str, str]) -> None:
        if "/reports/" in request.url.path:
            requests.append(params["start_date"] + params["end_date"])

    fake = books(before=[count, limited_to(3)])
    read(open_fake(fake))
    assert len(requests) == len(set(requests))


def test_a_single_month_that_times_out_is_repeated_then_given_up() -> None:
    fake = books(before=[limited_to(0)])
    with pytest.raises(TransientError, match=r"failed with 504.*tried \d times"):
        read(open_fake(fake))


def test_a_single_month_that_is_too_large_for_one_report_is_named() -> None:
    fake = books(before=[limited_to(0, 400)])
    with pytest.raises(PermanentError, match=r"ProfitAndLoss of 2025-01 can't be read: .*Report too large") as caught:
        read(open_fake(fake))
    assert "one month is too much for one report" in caught.value.hint


def test_a_report_cut_short_is_asked_for_in_parts() -> None:
    def cut(name: str, params: Mapping[str, str]) -> dict[str, Any]:
        made = by_month(name, params)
        if len(made["Columns"]["Column"]) > 4:
            made["Rows"]["Row"].append(
                {"ColData": [{"value": "Unable to display more data. Please reduce the date range."}]}
            )
        return made

    landed, extract = read(open_fake(books(cut)))
    assert len(months(landed)) == 15
    assert "more cells than QuickBooks puts into one report" in extract.notes[0]


def test_a_server_that_only_sums_up_is_asked_month_by_month() -> None:
    fake = books(lambda name, params: report(name, [INCOME], {**params, "summarize_column_by": "Total"}))
    landed, _ = read(open_fake(fake))
    assert len(months(landed)) == 15
    assert sales(landed["ProfitAndLoss|accrual|2025-05"]) == Decimal("202505")


def test_a_server_that_answers_with_an_example_is_refused() -> None:
    example = {"start_date": "2016-01-01", "end_date": "2016-10-31", "summarize_column_by": "Total"}
    with pytest.raises(PermanentError, match="another period than asked for") as caught:
        read(open_fake(books(lambda name, _params: report(name, [INCOME], example))), BALANCE_SHEET)
    assert str(caught.value).startswith("bennett / quickbooks / balance_sheet")


def test_a_report_in_the_companys_language_lands_the_same() -> None:
    def renamed(name: str, params: Mapping[str, str]) -> dict[str, Any]:
        return report(name, [INCOME], params, titles=["Début", "Févr", "Mars", "Avr", "Mai", "Juin"], dates=True)

    ours, theirs = read(open_fake(books()))[0], read(open_fake(books(renamed)))[0]
    assert ours.keys() == theirs.keys()
    for key, record in ours.items():
        assert record.payload is not None
        assert record.payload["Rows"] == theirs[key].payload["Rows"]  # type: ignore[index]
