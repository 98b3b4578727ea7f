"""GA4's extractor against the stand-in: which tables are read, what lands of them, what BigQuery's refusals mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from orchestration.demo.ga4.export import Table
from orchestration.demo.ga4.life import Row
from orchestration.demo.ga4.properties import blank_property
from orchestration.demo.ga4.statements import KNOWN, fingerprint
from orchestration.demo.ga4.tokens import make_key
from orchestration.demo.ga4_server import RunningGa4, running
from orchestration.demo.serving.faults import Fault
from orchestration.errors import ConfigurationError, PermanentError, SourceError, TransientError
from orchestration.logs import redact
from orchestration.sources import SOURCES
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.ga4 import bigquery as bigquery_module
from orchestration.sources.ga4 import verify
from orchestration.sources.ga4.bigquery import BigQuery
from orchestration.sources.ga4.connection import Ga4Connection
from orchestration.sources.ga4.reading import Export, Pseudonyms
from orchestration.sources.ga4.statement import REQUIRED, optional, statement
from orchestration.sources.ga4.tables import date_tables

GA4 = SOURCES["ga4"]
ADDRESS = "https://bigquery.googleapis.com"


@pytest.fixture
def server() -> Iterator[RunningGa4]:
    """An empty property in Chicago, where it is 7 o'clock on 2026-11-20."""
    with running(properties=[blank_property()]) as started:
        yield started


def event(name: str, second: int, user: str | None = "ann", **parameters: Any) -> Row:
    """An event of 2026-02-03; texts and numbers as parameters."""

    def value(given: Any) -> dict[str, Any]:
        text, number = (given, None) if isinstance(given, str) else (None, given)
        return {"string_value": text, "int_value": number, "float_value": None, "double_value": None}

    return {
        "event_date": "20260203",
        "event_timestamp": second * 1_000_000,
        "event_name": name,
        "event_params": [{"key": key, "value": value(given)} for key, given in parameters.items()],
        "user_pseudo_id": user,
        "stream_id": "1",
        "platform": "IOS",
        "is_active_user": None,
    }


def write(server: RunningGa4, name: str, *rows: Row, without: frozenset[str] = frozenset(), at: int = 0) -> None:
    modified = datetime(2026, 11, 20, 0, at, tzinfo=UTC)
    server.export("blank").given[name] = Table(lambda: list(rows), modified, without)


def read(
    server: RunningGa4,
    stream: str = "sessions",
    state: dict[str, Any] | None = None,
    window: tuple[date, date] | None = None,
    **settings: Any,
) -> tuple[list[Record], Extract]:
    connection = server.connection("blank") | settings
    with GA4.open(connection, organization="org", timezone="UTC") as session:
        extract = session.read(GA4.stream(stream), state, window)
        return list(extract.records), extract


def payloads(records: list[Record]) -> list[dict[str, Any]]:
    return [dict(record.payload or {}) for record in records]


def asked(server: RunningGa4, path: str) -> list[Any]:
    return [one for one in server.service.log if path in one.path]


# Tables


def test_a_date_is_read_from_its_daily_table_and_streamed_only_once_it_is_over() -> None:
    names = [
        "events_20260201",
        "events_intraday_20260201",
        "events_intraday_20260202",
        "events_intraday_20260203",
        "events_20260209",
        "events_fresh_20260202",
        "events_20260230",
        "events_2026",
        "users_20260202",
        "pseudonymous_users_20260202",
        "my_events_20260202",
    ]
    chosen = {str(table.day): table.name for table in date_tables(names, date(2026, 2, 3))}
    assert chosen == {
        "2026-02-01": "events_20260201",
        "2026-02-02": "events_intraday_20260202",
        # A daily table is there when its date is over, whatever this machine's clock says.
        "2026-02-09": "events_20260209",
    }
    assert [table.provisional for table in date_tables(names, date(2026, 2, 3))] == [False, True, False]
    assert "events_intraday_20260202" not in {table.name for table in date_tables(names, None)}


def test_today_ends_at_the_propertys_midnight(server: RunningGa4) -> None:
    write(server, "events_intraday_20261119", event("x", 1))
    write(server, "events_intraday_20261120", event("x", 1))
    # 2026-11-20 13:00 UTC: in Kiritimati the 21st has begun.
    assert read(server, property_timezone="America/Chicago")[1].state["dates"].keys() == {"20261119"}
    later = read(server, property_timezone="Pacific/Kiritimati")[1].state["dates"]
    assert later.keys() == {"20261119", "20261120"}


@pytest.mark.parametrize(
    ("instant", "over"),
    [
        # A second before and at midnight in Chicago: of a winter's day, and of the days of 23 and of 25 hours.
        ("2026-03-08T05:59:59", []),
        ("2026-03-08T06:00:00", ["20260307"]),
        ("2026-03-09T04:59:59", ["20260307"]),
        ("2026-03-09T05:00:00", ["20260307", "20260308"]),
        ("2026-11-02T05:59:59", ["20260307", "20260308"]),
        ("2026-11-02T06:00:00", ["20260307", "20260308", "20261101"]),
    ],
)
def test_a_date_is_over_at_the_propertys_midnight_and_not_a_second_before(instant: str, over: list[str]) -> None:
    class Listing:
        """What is asked of BigQuery here: names, and its clock."""

        clock = datetime.fromisoformat(instant).replace(tzinfo=UTC)

        def tables(self) -> list[str]:
            return [f"events_intraday_{day}" for day in ("20260307", "20260308", "20261101")]

    export = Export(cast(BigQuery, Listing()), ZoneInfo("America/Chicago"))
    assert [f"{table.day:%Y%m%d}" for table in export.tables()] == over


def test_tables_are_listed_to_their_end(server: RunningGa4) -> None:
    for number in range(1, 29):
        for year in range(1980, 2020):
            write(server, f"events_{year}02{number:02d}")
    for number in range(200):
        write(server, f"other_{number}")
    with GA4.open(server.connection("blank"), organization="org", timezone="UTC") as session:
        assert len(session.export.tables()) == 28 * 40
    assert len(asked(server, "/tables")) == 2


def test_the_last_four_dates_are_read_again_and_older_ones_when_they_changed(server: RunningGa4) -> None:
    for day in range(1, 11):
        write(server, f"events_202602{day:02d}", event("x", 1))
    _, first = read(server)
    assert sorted(first.replaced) == [f'["202602{day:02d}", ' for day in range(1, 11)]
    assert {len(beginning) for beginning in first.replaced} == {GA4.stream("sessions").part_length}
    write(server, "events_20260203", event("x", 1), event("x", 2), at=1)
    _, second = read(server, state=first.state)
    assert second.replaced == [f'["202602{day:02d}", ' for day in (3, 7, 8, 9, 10)]
    assert second.mode == "incremental"
    # A window is read whatever the state says, and its dates alone.
    _, window = read(server, state=second.state, window=(date(2026, 2, 1), date(2026, 2, 2)))
    assert window.replaced == ['["20260201", ', '["20260202", ']


def test_tables_older_than_watched_are_looked_at_once_a_week(server: RunningGa4) -> None:
    write(server, "events_20250101", event("x", 1))
    write(server, "events_20260210", event("x", 1))
    _, first = read(server)
    write(server, "events_20250101", event("x", 1), event("x", 2), at=1)
    server.advance(1)
    _, second = read(server, state=first.state)
    assert second.replaced == ['["20260210", ']
    server.advance(6)
    _, third = read(server, state=second.state)
    assert third.replaced == ['["20250101", ', '["20260210", ']


def test_dates_counted_by_other_rules_are_all_read_again_once(server: RunningGa4) -> None:
    for day in ("20250101", "20260101", "20260210"):
        write(server, f"events_{day}", event("x", 1))
    _, first = read(server)
    before = {name: value for name, value in first.state.items() if name != "counted_by"}
    del server.export("blank").given["events_20260101"]
    _, second = read(server, state=before)
    assert second.replaced == ['["20250101", ', '["20260210", ']
    assert second.notes == ["what is counted of a date has changed: all dates are read again"]
    assert second.state["dates"] == first.state["dates"], "a date whose table is gone stays known"
    _, third = read(server, state=second.state)
    assert (third.replaced, third.notes) == (['["20260210", '], [])
    # Tables are described by no rules.
    _, days = read(server, "days", read(server, "days")[1].state)
    assert (days.notes, "counted_by" in days.state) == ([], False)


def test_a_table_that_is_gone_stays_known_and_none_begins_before_start_date(server: RunningGa4) -> None:
    for day in ("20260101", "20260201", "20260210"):
        write(server, f"events_{day}", event("x", 1))
    _, first = read(server, start_date="2026-01-15")
    assert first.state["dates"].keys() == {"20260201", "20260210"}
    assert first.state["exported_since"] == "20260101"
    del server.export("blank").given["events_20260101"], server.export("blank").given["events_20260201"]
    records, second = read(server, state=first.state)
    assert second.state["dates"].keys() == {"20260201", "20260210"}
    assert second.state["exported_since"] == "20260101"
    assert second.replaced == ['["20260210", ']
    assert {record.deleted for record in records} == {False}


def test_a_daily_table_replaces_the_streamed_one(server: RunningGa4) -> None:
    write(server, "events_intraday_20260203", event("x", 1))
    _, first = read(server)
    assert first.state["dates"] == {"20260203": ["events_intraday_20260203", 1795132800000]}
    write(server, "events_20260203", event("x", 1), event("x", 2))
    records, second = read(server, state=first.state)
    assert second.state["dates"]["20260203"][0] == "events_20260203"
    assert [one["events"] for one in payloads(records)] == [2]
    days, _ = read(server, "days")
    assert [(one["table"], one["provisional"], one["rows"]) for one in payloads(days)] == [
        ("events_20260203", False, 2)
    ]


def test_a_table_deleted_while_it_is_read_costs_a_note(server: RunningGa4) -> None:
    write(server, "events_20260202", event("x", 1))
    write(server, "events_20260203", event("x", 1))
    listed = server.service.api.answer

    def answer(method: str, path: str, *rest: Any) -> Any:
        if path.endswith("/tables/events_20260202"):
            server.export("blank").given.pop("events_20260202", None)
        return listed(method, path, *rest)

    server.service.api.answer = answer  # type: ignore[method-assign]
    records, extract = read(server)
    assert {record.record_id[2:10] for record in records} == {"20260203"}
    assert extract.notes == ["events_20260202 was deleted while it was read: what landed of its date stays"]


# What lands


def test_what_a_session_is_and_what_lies_outside(server: RunningGa4) -> None:
    write(
        server,
        "events_20260203",
        event("first_open", 10, ga_session_id=7, ga_session_number=1, session_engaged="1"),
        event("screen_view", 12, ga_session_id="7", firebase_screen=" Home ", firebase_screen_class="C"),
        event("screen_view", 13, ga_session_id=7, firebase_screen="", firebase_screen_class="Class"),
        event("page_view", 15, ga_session_id=7, page_title='Q&A "x"'),
        event("screen_view", 16, ga_session_id=7),
        event("user_engagement", 19, ga_session_id=7, engagement_time_msec=1500),
        event("notification_receive", 30),
        event("screen_view", 40, user=None, ga_session_id=9),
        event("first_open", 41, user=None),
    )
    records, _ = read(server)
    found = {(one["user"] is not None, one["session_id"]): one for one in payloads(records)}
    session = found[True, 7]
    assert session | {"user": "…"} == {
        "date": "2026-02-03",
        "stream_id": "1",
        "user": "…",
        "session_id": 7,
        "platform": "IOS",
        "session_number": 1,
        "session_engaged": 1,
        "is_active": True,
        "first_event_us": 10_000_000,
        "last_event_us": 19_000_000,
        "engagement_ms": 1500,
        "first_opens": 1,
        "first_visits": 0,
        "events": 6,
        "deliveries": 6,
        "views": 4,
        # A page is viewed, and is no screen.
        "screen_views": 3,
        "screens": [
            {"name": "(not set)", "views": 1},
            {"name": "Class", "views": 1},
            {"name": "Home", "views": 1},
            {"name": 'Q&A "x"', "views": 1},
        ],
    }
    assert (found[True, None]["events"], found[True, None]["is_active"]) == (1, False)
    nobody = found[False, None]
    assert (nobody["events"], nobody["views"], nobody["first_opens"], len(found)) == (2, 1, 1, 3)
    ids = {record.record_id for record in records}
    assert f'["20260203", "1", "{session["user"]}", 7]' in ids
    assert '["20260203", "1", null, null]' in ids


def test_an_event_counts_once_and_google_says_who_is_active(server: RunningGa4) -> None:
    twice = event("screen_view", 1, ga_session_id=1, engagement_time_msec=5, z="a")
    write(
        server,
        "events_20260203",
        twice,
        twice | {"event_params": twice["event_params"][::-1]},
        event("screen_view", 1, ga_session_id=1, engagement_time_msec=5, z="b"),
        # By Google's word neither is active but who is new; without it, engagement tells.
        event("user_engagement", 2, user="bob", engagement_time_msec=9) | {"is_active_user": False},
        event("first_visit", 2, user="cyd") | {"is_active_user": False},
        event("scroll", 2, user="dan") | {"is_active_user": True},
    )
    records, _ = read(server)
    by_events = {one["events"]: one for one in payloads(records) if one["session_id"]}
    assert (by_events[2]["deliveries"], by_events[2]["engagement_ms"], by_events[2]["is_active"]) == (3, 10, True)
    assert sorted(one["is_active"] for one in payloads(records) if not one["session_id"]) == [False, True, True]


def test_columns_that_a_table_lacks_are_not_asked_for(server: RunningGa4) -> None:
    row = event("screen_view", 1, ga_session_id=1, engagement_time_msec=5)
    bare = {key: value for key, value in row.items() if key not in ("stream_id", "platform", "is_active_user")}
    write(server, "events_20260203", bare, without=frozenset({"stream_id", "platform", "is_active_user"}))
    (record,), _ = read(server)
    assert record.payload is not None
    assert (record.payload["stream_id"], record.payload["platform"], record.payload["is_active"]) == (None, None, True)
    write(server, "events_20260203", row, without=frozenset({"event_params"}))
    with pytest.raises(PermanentError, match="has no column event_params"):
        read(server)


def test_nor_are_they_where_figures_are_asked_afresh(server: RunningGa4, monkeypatch: pytest.MonkeyPatch) -> None:
    write(server, "events_20260202", event("screen_view", 1, ga_session_id=1))
    absent = frozenset({"stream_id", "platform", "is_active_user"})
    write(server, "events_20260203", event("screen_view", 1, ga_session_id=1), without=absent)
    with GA4.open(server.connection("blank"), organization="org", timezone="UTC") as session:
        asked = []
        rows = session.export.bigquery.rows
        monkeypatch.setattr(
            session.export.bigquery,
            "rows",
            lambda text, *given, **named: asked.append(text) or rows(text, *given, **named),
        )
        verify.app_figures(session, date(2026, 2, 3))
    before, after = asked[0].split("union all")
    for name in sorted(absent - {"is_active_user"}):
        assert (f"{name} as {name}" in before, f"cast(null as string) as {name}" in after) == (True, True)
    assert ("cast(null as bool)" in before, "cast(null as bool)" in after) == (False, True)


def test_users_are_hashed_by_organization_dataset_and_key() -> None:
    hashes = {
        Pseudonyms(key, organization, dataset)("1234567890.1609459200")
        for key in ("", "k")
        for organization in ("a", "b")
        for dataset in ("p.d", "p.e")
    }
    assert len(hashes) == 8
    assert all(len(one) == 32 and "1234567890" not in one for one in hashes)
    assert Pseudonyms("k", "a", "p.d")("x") == Pseudonyms("k", "a", "p.d")("x")


def test_the_stand_in_knows_the_statements_and_no_other(server: RunningGa4) -> None:
    """Whoever changes a statement proves it on the emulator and tells the stand-in: see statements.KNOWN."""
    text = statement("p.d.events_20260203", [*REQUIRED, "platform"])
    assert KNOWN[fingerprint(text)] == "sessions"
    part = verify._EVENTS.format(day="20260203", table="p.d.events_20260203", **optional({"stream_id"}))
    assert KNOWN[fingerprint(verify._STATEMENT.format(events=part))] == "figures"
    assert fingerprint(text.replace("count(*)", "count(1)")) not in KNOWN
    with GA4.open(server.connection("blank"), organization="org", timezone="UTC") as session:
        with pytest.raises(PermanentError, match="does not know this statement"):
            list(session.export.bigquery.rows("select 1 from `project-blank.analytics_100000001.x`", {}))


# What BigQuery's answers mean


@pytest.mark.parametrize("reason", ["jobBackendError", "jobInternalError", "jobRateLimitExceeded"])
def test_a_job_that_failed_is_run_anew(server: RunningGa4, reason: str) -> None:
    write(server, "events_20260203", event("x", 1))
    server.service.api.failing.extend([reason, reason])
    records, _ = read(server)
    assert len(records) == 1
    assert len({job for job in server.service.api.jobs}) == 3


def test_a_job_that_fails_while_it_is_waited_for_is_run_anew(
    server: RunningGa4, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure that only the job's own state tells."""
    monkeypatch.setattr(bigquery_module, "_POLL", 0.01)
    write(server, "events_20260203", event("x", 1))
    server.service.api.pending = 3
    server.service.api.failing.append("backendError")
    records, _ = read(server)
    assert len(records) == 1
    assert len(server.service.api.jobs) == 2
    assert [one.path.rpartition("/")[2] for one in asked(server, "/jobs/")].count("job_000000") == 3


@pytest.mark.parametrize("path", ["/tables", "/tables/events_20260203", "/queries/job_000000"])
def test_a_jobs_failure_told_elsewhere_has_the_request_made_again(server: RunningGa4, path: str) -> None:
    """A list, a table, a page of a result: no job is to blame that another one could stand in for."""
    write(server, "events_20260203", event("x", 1, ga_session_id=1), event("x", 2, ga_session_id=2))
    server.service.api.page_rows = 1
    told = {"reason": "jobRateLimitExceeded", "message": "Too many jobs."}
    body = json.dumps({"error": {"code": 400, "message": "Too many jobs.", "errors": [told]}})
    server.service.faults.add(Fault("body", path=path, status=400, body=body))
    records, _ = read(server)
    assert (len(records), len(server.service.api.jobs)) == (2, 1)

    server.service.faults.add(Fault("body", path=path.replace("000000", ""), status=400, body=body, count=None))
    with pytest.raises(TransientError, match="tried 6 times") as failed:
        read(server)
    assert str(failed.value).startswith("org / ga4 / sessions: BigQuery's job failed (jobRateLimitExceeded)")


def test_a_job_that_does_not_end_is_given_up(server: RunningGa4, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigquery_module, "_POLL", 0.01)
    monkeypatch.setattr(bigquery_module, "LONGEST_JOB", 0.2)
    write(server, "events_20260203", event("x", 1))
    server.service.api.pending = 10**6
    with pytest.raises(TransientError, match="still running"):
        read(server)


@pytest.mark.parametrize(
    ("reason", "kind", "says"),
    [
        ("accessDenied", ConfigurationError, "BigQuery Data Viewer"),
        ("billingNotEnabled", ConfigurationError, "billing on"),
        ("bytesBilledLimitExceeded", PermanentError, "maximum_bytes_billed"),
        ("quotaExceeded", TransientError, "midnight, Pacific Time"),
        ("invalidQuery", PermanentError, "invalidQuery"),
        ("rateLimitExceeded", TransientError, "tried 6 times"),
    ],
)
def test_a_reason_says_what_to_do(server: RunningGa4, reason: str, kind: type[SourceError], says: str) -> None:
    write(server, "events_20260203", event("x", 1))
    status = 400 if reason == "invalidQuery" else 403
    body = json.dumps({"error": {"code": status, "message": "No.", "errors": [{"reason": reason, "message": "No."}]}})
    server.service.faults.add(Fault("body", path="/queries", status=status, body=body, count=None))
    with pytest.raises(kind) as failed:
        read(server)
    assert says in str(failed.value)
    assert str(failed.value).startswith("org / ga4 / sessions: ")


def test_too_expensive_a_statement_is_refused_before_it_runs(server: RunningGa4) -> None:
    write(server, "events_20260203", *[event("x", number) for number in range(20_000)])
    with pytest.raises(PermanentError, match="raise maximum_bytes_billed"):
        read(server, maximum_bytes_billed=10 * 2**20)


@pytest.mark.parametrize("settings", [{"dataset": "analytics_9"}, {"project": "another-project"}])
def test_an_unknown_dataset_is_a_matter_of_settings(server: RunningGa4, settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="check project, dataset"):
        read(server, **settings)


def test_statements_run_in_the_project_that_pays_for_them_and_read_the_exports(server: RunningGa4) -> None:
    write(server, "events_20260203", event("screen_view", 1, ga_session_id=7))
    server.service.api.billed = {"data-team": server.export("blank").property.project}
    with pytest.raises(ConfigurationError, match="Access Denied: Project") as raised:
        read(server)
    assert "billing_project" in raised.value.hint

    records, _ = read(server, billing_project="data-team")
    assert len(records) == 1
    # Another that pays makes no other users.
    server.service.api.billed = {}
    assert [record.payload for record in read(server)[0]] == [record.payload for record in records]


def test_an_export_without_tables_lands_nothing(server: RunningGa4) -> None:
    records, extract = read(server)
    assert (records, extract.replaced, extract.state["dates"]) == ([], [], {})


# Settings and credentials


def test_only_an_emulator_on_this_machine_is_read_without_a_key() -> None:
    given = {"project": "p", "dataset": "analytics_1"}
    with pytest.raises(ConfigurationError, match="service_account is missing"):
        Ga4Connection.resolved(given)
    with pytest.raises(ConfigurationError, match="service_account is missing"):
        Ga4Connection.resolved(given | {"base_url": "http://10.0.0.7:9050"})
    assert Ga4Connection.resolved(given | {"base_url": "http://127.0.0.1:9050"}).location is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("project", "p`; drop table x; --"),
        ("dataset", "analytics_1`"),
        ("dataset", "a.b"),
        ("property_timezone", "Mars/Olympus"),
        ("maximum_bytes_billed", 1),
    ],
)
def test_settings_that_cant_be_are_refused(name: str, value: object) -> None:
    given = {"project": "p", "dataset": "analytics_1", "base_url": "http://127.0.0.1:1"}
    with pytest.raises(ConfigurationError, match=name):
        Ga4Connection.resolved(given | {name: value})


@pytest.mark.parametrize("text", ["no json", "{}", '{"client_email": "a@b", "private_key": "-----BEGIN nothing"}'])
def test_a_key_that_is_none_is_refused_without_being_shown(text: str) -> None:
    settings = {"project": "p", "dataset": "d", "service_account": text}
    with pytest.raises(ConfigurationError, match="service_account") as refused:
        with GA4.open(settings, organization="org", timezone="UTC"):
            pass
    assert text not in str(refused.value)
    assert refused.value.organization == "org"


def test_each_secret_of_a_key_is_kept_out_of_logs(server: RunningGa4) -> None:
    key = make_key("reader@project-blank.iam.gserviceaccount.com")
    server.service.tokens.keys[key.email] = key
    text = key.json(f"{server.base_url}/token")
    read(server, service_account=text)
    facts = json.loads(text)
    for secret in (text, facts["private_key"], facts["private_key_id"], *server.service.tokens.issued):
        assert secret not in redact(f"seen: {secret}.")
    for line in facts["private_key"].splitlines()[1:-1]:
        assert line not in redact(line)
    assert "project-blank" in redact(f"at {facts['project_id']}")


def test_a_clock_that_is_refused_names_it(server: RunningGa4) -> None:
    key = make_key("reader@project-blank.iam.gserviceaccount.com")
    server.service.tokens.keys["someone@else"] = key
    with pytest.raises(ConfigurationError, match="refuses the service account's key") as refused:
        read(server, service_account=key.json(f"{server.base_url}/token"))
    assert "this machine's clock" in refused.value.hint
    assert len(server.service.log) == 1


def test_a_read_says_that_the_newest_dates_were_read_again_without_those_that_have_no_table(server: RunningGa4) -> None:
    for day in range(1, 11):
        write(server, f"events_202602{day:02d}", event("user_engagement", 1, ga_session_id=day))
    records, extract = read(server)
    assert (len(records), extract.reread_days) == (10, 10)
    records, extract = read(server, state=extract.state)
    assert (len(records), extract.reread_days) == (4, 4)
    # A date without a table is unknown and not empty.
    del server.export("blank").given["events_20260209"]
    records, extract = read(server, state=extract.state)
    assert (len(records), extract.reread_days) == (3, 3)
    assert read(server, state=extract.state, window=(date(2026, 2, 1), date(2026, 2, 3)))[1].reread_days == 0
    server.export("blank").given.clear()
    for stream, days in (("sessions", 4), ("days", 10)):
        records, gone = read(server, stream, extract.state)
        assert (records, gone.reread_days) == ([], days)
    assert read(server)[1].reread_days == 0, "there never were any"
