"""An account with everything that goes wrong on the way to it: tokens, limits, refusals, scopes that are missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from fault_server import FaultServer, Step, answer
from zoom_account import ZoomAccount

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.sources import SOURCES
from orchestration.sources.core.limits import RateLimiter
from orchestration.sources.zoom.api import encoded_uuid
from orchestration.sources.zoom.connection import ZoomConnection
from orchestration.sources.zoom.faults import DailyLimit, Forbidden
from orchestration.sources.zoom.limits import Limits
from orchestration.sources.zoom.source import ZOOM

SECRET = "a-secret-that-opens-nothing"
SETTINGS = {"account_id": "acc", "client_id": "cli", "client_secret": SECRET}
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}
QUEUES = ZOOM.stream("call_queues")
TOKEN = answer({"access_token": "eyJ.first", "token_type": "bearer", "expires_in": 3599}, headers=DATE)
AGAIN = answer({"access_token": "eyJ.second", "token_type": "bearer", "expires_in": 3599}, headers=DATE)
PAGE = answer({"call_queues": [{"id": "1", "status": "active"}], "next_page_token": ""}, headers=DATE)


def refusal(status: int, code: int, message: str = "No.", **headers: str) -> Step:
    return answer({"code": code, "message": message}, status, {**DATE, **headers})


def open_real(server: FaultServer, **settings: Any) -> Any:
    connection = {**SETTINGS, "base_url": server.url, "token_url": f"{server.url}/oauth/token", **settings}
    return ZOOM.open(connection, organization="vital", timezone="America/Chicago")


def queues(server: FaultServer, *steps: Step) -> tuple[list[Any], Any]:
    """What reading the queues gives when those steps come first, and what it cost."""
    server.plays(*steps)
    with open_real(server) as session:
        return list(session.read(QUEUES, None, None).records), session.stats


def test_a_token_is_asked_for_by_the_apps_own_credentials_and_serves_the_session(fault_server: FaultServer) -> None:
    with open_real(fault_server):
        pass
    assert fault_server.seen == []
    fault_server.plays(TOKEN, PAGE, PAGE)
    with open_real(fault_server, base_url=f"{fault_server.url}/v2") as session:
        for _ in range(2):
            list(session.read(QUEUES, None, None).records)
    token, first, second = fault_server.seen
    assert (token.method, token.path) == ("POST", "/oauth/token")
    assert token.query == {"grant_type": ["account_credentials"], "account_id": ["acc"]}
    assert token.headers["authorization"].startswith("Basic ")
    assert (first.path, first.headers["authorization"]) == ("/v2/phone/call_queues", "Bearer eyJ.first")
    assert second.headers["authorization"] == "Bearer eyJ.first"
    assert SOURCES["zoom"] is ZOOM


def test_a_refused_token_is_renewed_once_and_the_same_page_asked_again(fault_server: FaultServer) -> None:
    records, stats = queues(fault_server, TOKEN, refusal(401, 124, "Invalid access token."), AGAIN, PAGE)
    assert len(records) == 1
    assert stats.retries == 0
    assert fault_server.seen[-1].headers["authorization"] == "Bearer eyJ.second"


def test_a_token_refused_twice_is_a_matter_for_a_person(fault_server: FaultServer) -> None:
    refused = refusal(401, 124, "Invalid access token.")
    with pytest.raises(ConfigurationError, match="credentials are refused"):
        queues(fault_server, TOKEN, refused, AGAIN, refused)
    assert len(fault_server.seen) == 4


def test_a_token_about_to_end_is_replaced_before_it_does(fault_server: FaultServer) -> None:
    fault_server.plays(TOKEN, PAGE, AGAIN, PAGE)
    with open_real(fault_server) as session:
        list(session.read(QUEUES, None, None).records)
        began = session.auth.now()
        session.auth.now = lambda: began + timedelta(seconds=3599 - 100)
        list(session.read(QUEUES, None, None).records)
    assert [seen.headers["authorization"] for seen in fault_server.seen if seen.method == "GET"] == [
        "Bearer eyJ.first",
        "Bearer eyJ.second",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "Invalid client_id or client_secret", "error": "invalid_client"},
        {"reason": "unsupported grant type", "error": "unsupported_grant_type"},
        {"reason": "Invalid account_id", "error": "invalid_request"},
        {"reason": "The app is deactivated", "error": "invalid_grant"},
    ],
)
def test_refused_credentials_are_asked_about_once_and_never_shown(fault_server: FaultServer, body: dict) -> None:
    with pytest.raises(ConfigurationError) as raised:
        queues(fault_server, answer(body, 400, DATE))
    assert len(fault_server.seen) == 1
    assert "server-to-server OAuth app" in raised.value.hint
    assert (raised.value.organization, raised.value.source, raised.value.stream) == ("vital", "zoom", "call_queues")
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("header", "at_least", "below"),
    [
        ("7", 7, 9),
        (format_datetime(NOW + timedelta(seconds=20), usegmt=True), 20, 22),
        ("2026-11-20T13:00:20Z", 20, 22),
        (None, 1, 3),
    ],
)
def test_throttled_it_waits_as_told_or_backs_off(
    fault_server: FaultServer, header: str | None, at_least: float, below: float
) -> None:
    told = {"Retry-After": header} if header else {}
    message = "You have reached the maximum per-second rate limit for this API. Try again later."
    records, stats = queues(fault_server, TOKEN, refusal(429, 429, message, **told), PAGE)
    assert len(records) == 1
    assert at_least <= stats.retry_seconds < below


@pytest.mark.parametrize(
    "step",
    [
        refusal(429, 429, "You have reached the maximum daily rate limit for this API. Refer to the response header."),
        refusal(429, 429, "Wait.", **{"X-RateLimit-Type": "Daily-limit", "Retry-After": "2026-11-21T00:00:00Z"}),
    ],
)
def test_todays_requests_used_up_ends_all_streams_of_the_product_at_once(fault_server: FaultServer, step: Step) -> None:
    of_phone = [stream for stream in ZOOM.streams if stream.name in ("phone_users", "call_queues", "call_history")]
    fault_server.plays(TOKEN, step)
    with open_real(fault_server) as session:
        for stream in of_phone:
            with pytest.raises(TransientError, match="requests of today are used up") as raised:
                list(session.read(stream, None, None).records)
            assert isinstance(raised.value, DailyLimit)
            assert "midnight GMT" in raised.value.hint
            assert "later start_date" in raised.value.hint
        assert session.stats.retry_seconds == 0
        assert len(fault_server.seen) == 2
        # Zoom counts those of meetings on their own.
        fault_server.plays(answer({"users": [{"id": "u"}]}, headers=DATE), answer({"users": []}, headers=DATE))
        assert [record.record_id for record in session.read(ZOOM.stream("users"), None, None).records] == ["u"]


def test_no_permission_is_told_from_a_refused_token_by_its_words(fault_server: FaultServer) -> None:
    said = "You do not have permission, because the current site `1` does not belong to the target sites."
    fault_server.plays(TOKEN, refusal(400, 124, said))
    with open_real(fault_server) as session:
        extract = session.read(QUEUES, None, None)
    assert list(extract.records) == []
    assert "does not belong to the target sites" in extract.notes[0]
    assert len(fault_server.seen) == 2


def test_an_expired_page_token_starts_the_list_again_whatever_its_code(fault_server: FaultServer) -> None:
    first = answer({"call_queues": [{"id": "1"}], "next_page_token": "t"}, headers=DATE)
    last = answer({"call_queues": [{"id": "2"}], "next_page_token": ""}, headers=DATE)
    expired = refusal(400, 400, "The next page token is invalid or expired.")
    records, _ = queues(fault_server, TOKEN, first, expired, first, last)
    assert [record.record_id for record in records] == ["1", "2"]
    with pytest.raises(PermanentError, match="invalid or expired"):
        queues(fault_server, TOKEN, expired)


def test_failing_for_ever_ends_bounded_and_never_as_an_empty_list(fault_server: FaultServer) -> None:
    for step in (
        refusal(500, 0),
        answer({"users": []}, headers=DATE),
        answer({"call_queues": None}, headers=DATE),
        answer([], headers=DATE),
        refusal(200, 200),
    ):
        fault_server.seen.clear()
        with pytest.raises(TransientError, match="tried 6 times"):
            queues(fault_server, TOKEN, step)
        assert len(fault_server.seen) == 7


@pytest.mark.parametrize("body", [{"total_records": 0}, {"call_queues": None, "total_records": 0}])
def test_an_answer_that_counts_no_records_needs_no_list_of_them(fault_server: FaultServer, body: dict) -> None:
    records, stats = queues(fault_server, TOKEN, answer(body | {"next_page_token": ""}, headers=DATE))
    assert (records, stats.requests) == ([], 2)


@pytest.mark.parametrize(
    ("status", "code", "error", "says"),
    [
        (404, 2300, PermanentError, "code 2300"),
        (400, 300, PermanentError, "code 300"),
        (404, 2001, ConfigurationError, "does not know the account"),
        (400, 3001, PermanentError, "No."),
    ],
)
def test_a_refused_question_is_not_asked_again(
    fault_server: FaultServer, status: int, code: int, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        queues(fault_server, TOKEN, refusal(status, code))
    assert len(fault_server.seen) == 2


@pytest.mark.parametrize("stream", [stream.name for stream in ZOOM.streams])
def test_a_stream_that_never_could_be_read_is_skipped_by_name(zoom: ZoomAccount, stream: str) -> None:
    zoom.add_meeting("m==", zoom.add_person("a"), "2026-11-19T15:00:00+00:00")
    zoom.account.missing_scopes = {SCOPES[stream]}
    read = zoom.read(stream)
    assert (read.extract.mode, read.records, read.extract.state) == ("incremental", [], {})
    assert read.notes == [f"{stream} skipped: it takes the scope {SCOPES[stream]}, which the account or the app lacks"]
    zoom.account.missing_scopes = set()
    zoom.read(stream)
    assert zoom.states[stream]["read_at"] == "2026-11-20T13:00:00+00:00"

    zoom.account.missing_scopes = {SCOPES[stream]}
    before = dict(zoom.states[stream])
    with pytest.raises(Forbidden, match="does not let the app read this") as raised:
        zoom.read(stream)
    assert raised.value.kind == "configuration"
    assert not isinstance(raised.value, ConfigurationError), "the organization's other streams go on"
    read = zoom.read(stream, skip_streams=[stream])
    assert (read.records, read.extract.state) == ([], before)


SCOPES = {
    "users": "user:read:list_users:admin",
    "phone_users": "phone:read:list_users:admin",
    "call_queues": "phone:read:list_call_queues:admin",
    "daily_report": "report:read:admin",
    "meetings": "report:read:list_meetings:admin",
    "participants": "report:read:list_meeting_participants:admin",
    "call_history": "phone:read:list_call_logs:admin",
}


def test_an_account_without_zoom_phone_is_read_without_it(zoom: ZoomAccount) -> None:
    zoom.account.has_phone = False
    for stream in ("phone_users", "call_queues", "call_history"):
        assert "No permission: the account has no Zoom Phone licence." in zoom.read(stream).notes[0]
    assert zoom.read("users").notes == []


@pytest.mark.parametrize(("status", "code"), [(400, 4700), (400, 4711), (401, 104), (400, 200), (403, 0)])
def test_whatever_says_that_it_may_not_be_read_is_a_reason_to_skip(
    fault_server: FaultServer, status: int, code: int
) -> None:
    message = "No permission." if code in (0, 200) else "Invalid access token, does not contain scopes:[some:scope]."
    fault_server.plays(TOKEN, refusal(status, code, message))
    with open_real(fault_server) as session:
        (note,) = session.read(QUEUES, None, None).notes
    missing = "a plan, licence or role that the account has not (No permission.)" if code in (0, 200) else None
    assert (
        note == f"call_queues skipped: it takes {missing or 'the scope some:scope'}, which the account or the app lacks"
    )


def test_an_app_without_any_scope_is_a_mistake_and_not_seven_skipped_streams(fault_server: FaultServer) -> None:
    fault_server.plays(TOKEN, refusal(400, 4700, "Invalid access token, does not contain scope."))
    with open_real(fault_server) as session:
        for stream in ZOOM.streams[:-1]:
            assert "skipped" in session.read(stream, None, None).notes[0]
        with pytest.raises(ConfigurationError, match="may read nothing"):
            session.read(ZOOM.streams[-1], None, None)


def test_limits_are_the_plans_by_weight_until_an_answer_tells_the_accounts_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, float]] = []

    class Noted(RateLimiter):
        def __init__(self, calls: int, seconds: float) -> None:
            made.append((calls, seconds))
            super().__init__(calls, seconds)

        def permit(self, calls: int, seconds: float) -> None:
            made.append((calls, seconds))

    monkeypatch.setattr("orchestration.sources.zoom.limits.RateLimiter", Noted)
    limits = Limits("pro")
    assert limits.of("/users", "medium") is limits.of("/other", "medium")
    limits.of("/report/daily", "heavy")
    limits.of("/phone/call_history", "heavy")
    assert made == [(18, 1.0), (9, 1.0), (4, 1.0)]
    headers = {"x-ratelimit-category": "Resource-intensive", "x-ratelimit-type": "QPS", "x-ratelimit-limit": "20"}
    limits.learn("/report/daily", "heavy", headers)
    # The operation weighs more than was documented: 10 a minute, and then what the answer said.
    assert made[3:] == [(9, 60.0), (18, 1.0)]
    Limits("free").of("/report/daily", "heavy")
    assert made[5:] == [(1, 1.0 / 0.9)]


@pytest.mark.parametrize(
    ("uuid", "path"),
    [
        ("4444AAAiAAAAAiAiAiiAii==", "4444AAAiAAAAAiAiAiiAii%3D%3D"),
        ("ab/cd==", "ab%2Fcd%3D%3D"),
        ("/ab==", "%252Fab%253D%253D"),
        ("ab//cd==", "ab%252F%252Fcd%253D%253D"),
    ],
)
def test_uuids_are_encoded_twice_where_their_slashes_would_be_the_paths(uuid: str, path: str) -> None:
    assert encoded_uuid(uuid) == path


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"client_secret": " "}, "client_secret: Value error, is empty"),
        ({"base_url": "http://zoom.example.com"}, "must use https"),
        ({"plan": "gold"}, "plan: Input should be"),
        ({"skip_streams": ["webinars"]}, "is no stream of Zoom"),
        ({"participants_per_run": -1}, "participants_per_run"),
    ],
)
def test_settings_that_can_not_work_are_refused_before_anything_is_asked(settings: dict, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as raised:
        with ZOOM.open({**SETTINGS, **settings}, organization="vital", timezone="UTC"):
            pass
    assert SECRET not in str(raised.value)


def test_a_secret_stands_in_the_file_as_a_reference_only() -> None:
    ZoomConnection.model_validate({**SETTINGS, "client_secret": "env:ZOOM_SECRET"})
    with pytest.raises(ValueError, match="must be a reference"):
        ZoomConnection.model_validate(SETTINGS)
