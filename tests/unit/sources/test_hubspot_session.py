"""A portal with everything that goes wrong on the way to it, limits, refusals, and scopes that are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from fault_server import FaultServer, Step, answer, cut_off, reset
from hubspot_portal import Portal

from orchestration.errors import ConfigurationError, PermanentError, SourceError, TransientError
from orchestration.sources import SOURCES, connection_models
from orchestration.sources.core.limits import RateLimiter
from orchestration.sources.hubspot.connection import HubSpotConnection
from orchestration.sources.hubspot.faults import DailyLimit, Forbidden
from orchestration.sources.hubspot.source import HUBSPOT

TOKEN = "pat-na1-5f0c7a52-1f6e-4c0e-9b1d-000000000000"
NOW = datetime(2026, 11, 20, 13, tzinfo=UTC)
DATE = {"Date": format_datetime(NOW, usegmt=True)}
OWNERS = HUBSPOT.stream("owners")
PAGE = answer({"results": [{"id": "1", "updatedAt": "2026-11-01T00:00:00Z"}]}, headers=DATE)
NONE = answer({"results": []}, headers=DATE)


def limited(policy: str, headers: dict[str, str] | None = None) -> Step:
    body = {
        "status": "error",
        "message": "You have reached your limit.",
        "errorType": "RATE_LIMIT",
        "policyName": policy,
    }
    return answer(body, 429, {**DATE, **(headers or {})})


def error(status: int, category: str = "", **more: Any) -> Step:
    return answer({"status": "error", "message": "It did not work.", "category": category, **more}, status, DATE)


def open_real(server: FaultServer, **settings: Any) -> Any:
    connection = {"access_token": TOKEN, "base_url": server.url, **settings}
    return HUBSPOT.open(connection, organization="vital", timezone="America/Chicago")


def owners(server: FaultServer, *steps: Step) -> tuple[list[Any], Any]:
    """What reading the owners gives when those steps come first, and what it cost."""
    server.plays(*steps)
    with open_real(server) as session:
        return list(session.read(OWNERS, None, None).records), session.stats


def test_the_registry_knows_hubspot_and_its_fifteen_streams() -> None:
    assert SOURCES["hubspot"] is HUBSPOT
    assert connection_models()["hubspot"] is HubSpotConnection
    assert {stream.name for stream in HUBSPOT.streams} == {
        "contacts", "companies", "deals", "tickets", "line_items", "products", "owners", "pipelines", "calls", "emails",
        "meetings", "tasks", "quotes", "feedback_submissions", "goals",
    }  # fmt: skip


def test_opening_a_portal_asks_for_nothing_and_reading_asks_as_documented(fault_server: FaultServer) -> None:
    with open_real(fault_server):
        pass
    assert fault_server.seen == []
    owners(fault_server, PAGE, NONE)
    first, second = fault_server.seen
    assert (first.method, first.path, first.headers["authorization"]) == ("GET", "/crm/v3/owners", f"Bearer {TOKEN}")
    assert first.query == {"limit": ["100"], "archived": ["false"]}
    assert second.query == {"limit": ["100"], "archived": ["true"]}


def test_a_server_that_knows_owners_with_a_slash_at_the_end_alone_is_asked_so(fault_server: FaultServer) -> None:
    records, _ = owners(fault_server, error(404), PAGE, NONE)
    assert [record.record_id for record in records] == ["1"]
    assert [seen.path for seen in fault_server.seen] == ["/crm/v3/owners", "/crm/v3/owners/", "/crm/v3/owners/"]

    # Neither is known: each is asked once, and the error is that of the address without.
    fault_server.seen.clear()
    with pytest.raises(PermanentError, match="refuses the request with 404: It is elsewhere"):
        owners(fault_server, answer({"message": "It is elsewhere."}, 404), error(404))
    assert [seen.path for seen in fault_server.seen] == ["/crm/v3/owners", "/crm/v3/owners/"]


def test_everything_on_the_way_may_fail_once(fault_server: FaultServer) -> None:
    steps = [
        reset,
        error(503),
        limited("TEN_SECONDLY_ROLLING", {"Retry-After": "3"}),
        cut_off(b'{"results": []}'),
        answer(b"<html>maintenance</html>"),
        PAGE,
        error(200),
        answer({"paging": {}}),
        error(423),
        error(502),
        error(524),
        NONE,
    ]
    records, stats = owners(fault_server, *steps)
    assert [record.record_id for record in records] == ["1"]
    assert stats.retries == 10


@pytest.mark.parametrize(
    ("policy", "header", "at_least", "below"),
    [
        ("TEN_SECONDLY_ROLLING", "7", 7, 9),
        ("TEN_SECONDLY_ROLLING", format_datetime(NOW + timedelta(seconds=20), usegmt=True), 20, 22),
        ("TEN_SECONDLY_ROLLING", (NOW + timedelta(seconds=20)).isoformat(), 20, 22),
        ("TEN_SECONDLY_ROLLING", None, 10, 11),
        ("SECONDLY", None, 1, 3),
        ("", None, 10, 11),
    ],
)
def test_throttled_it_waits_as_told_or_as_long_as_the_limit_lasts(
    fault_server: FaultServer, policy: str, header: str | None, at_least: float, below: float
) -> None:
    records, stats = owners(fault_server, limited(policy, {"Retry-After": header} if header else None), PAGE, NONE)
    assert len(records) == 1
    assert at_least <= stats.waited_seconds < below


def test_todays_quota_used_up_ends_at_once_for_all_streams_and_says_when_it_starts_anew(
    fault_server: FaultServer,
) -> None:
    fault_server.plays(limited("DAILY"))
    with open_real(fault_server) as session:
        for stream in HUBSPOT.streams:
            with pytest.raises(TransientError, match="requests of today are used up") as raised:
                list(session.read(stream, None, None).records)
            assert isinstance(raised.value, DailyLimit)
            assert raised.value.stream == stream.name
            assert "2026-11-21 06:00 UTC" in raised.value.hint
        assert session.stats.waited_seconds == 0
    assert len(fault_server.seen) == 1


@pytest.mark.parametrize("status", [401, 530])
def test_a_refused_token_is_a_matter_for_a_person_and_asked_about_once(fault_server: FaultServer, status: int) -> None:
    fault_server.plays(error(status, "EXPIRED_AUTHENTICATION") if status == 401 else answer(b"<html>1016</html>", 530))
    with (
        open_real(fault_server) as session,
        pytest.raises(ConfigurationError, match="refuses the access token") as raised,
    ):
        session.read(OWNERS, None, None)
    assert len(fault_server.seen) == 1
    assert (raised.value.organization, raised.value.source, raised.value.stream) == ("vital", "hubspot", "owners")
    assert TOKEN not in str(raised.value)


def test_failing_for_ever_ends_bounded_and_never_as_an_empty_list(fault_server: FaultServer) -> None:
    for step in (error(500), answer({"results": None}), answer({}), answer([]), error(429)):
        fault_server.seen.clear()
        with pytest.raises(TransientError, match="tried 6 times"):
            owners(fault_server, step)
        assert len(fault_server.seen) == 6


@pytest.mark.parametrize("status", [400, 414, 431])
def test_a_refused_question_is_not_asked_again(fault_server: FaultServer, status: int) -> None:
    with pytest.raises(PermanentError, match=f"refuses the request with {status}") as raised:
        owners(fault_server, error(status))
    assert len(fault_server.seen) == 1
    assert "skip_streams" in raised.value.hint


def test_403_without_a_missing_scope_is_no_reason_to_skip(fault_server: FaultServer) -> None:
    with pytest.raises(PermanentError, match="denies access") as raised:
        owners(fault_server, error(403, "BANNED"))
    assert raised.value.kind == "configuration"


@pytest.mark.parametrize("body", [{}, {"status": "error", "message": "Requires a person."}])
def test_403_that_names_no_scope_is_no_reason_to_skip(fault_server: FaultServer, body: dict[str, str]) -> None:
    with pytest.raises(PermanentError, match="denies access"):
        owners(fault_server, answer(body, 403, DATE))


@pytest.mark.parametrize(
    ("required", "named"),
    [
        ("any of [automation-access]", "automation-access"),
        ("all of [contacts, crm.objects.owners.read]", "contacts, crm.objects.owners.read"),
    ],
)
def test_403_that_names_missing_scopes_in_its_message_alone_is_skipped_or_fails_as_by_category(
    fault_server: FaultServer, required: str, named: str
) -> None:
    message = f"This hapikey (0b1d-secret) does not have proper permissions! (requires {required})"
    body = {"status": "error", "message": message, "correlationId": "a41a5c5e-2d0b-4b4f-8b8e-000000000000"}
    fault_server.plays(answer(body, 403, DATE))
    with open_real(fault_server) as session:
        extract = session.read(OWNERS, None, None)
        assert (extract.mode, list(extract.records), extract.state) == ("incremental", [], {})
        assert extract.notes == [
            f"owners skipped: it takes the scope {named}, which the portal's plan or the private app lacks"
        ]
        with pytest.raises(Forbidden, match=f"it takes the scope {named}") as raised:
            session.read(OWNERS, {"read_at": "2026-11-19T13:00:00+00:00"}, None)
    assert raised.value.kind == "configuration"
    assert "0b1d-secret" not in str(raised.value)


def test_a_batch_answered_in_part_is_asked_again_unless_the_rest_is_not_there(hubspot: Portal) -> None:
    hubspot.quiet_night()
    hubspot.add(1)
    other = '{"results": [], "errors": [{"category": "INTERNAL", "message": "no"}]}'
    hubspot.fault(kind="body", path="/batch/read", body=other, status=207, count=2)
    missing = '{"results": [], "errors": [{"category": "OBJECT_NOT_FOUND", "context": {"ids": ["1000"]}}]}'
    hubspot.fault(kind="body", path="/objects/contacts/batch/read", body=missing, status=207, count=1)
    assert hubspot.read().live == {}
    assert len(hubspot.asked("/objects/contacts/batch/read")) == 3


def test_a_stream_that_never_could_be_read_is_skipped_by_name_and_deletes_nothing(hubspot: Portal) -> None:
    hubspot.account.missing_scopes = {"crm.objects.goals.read"}
    for _ in range(2):
        read = hubspot.read("goals")
        assert (read.mode, read.records, read.extract.state) == ("incremental", [], {})
        assert read.notes == [
            "goals skipped: it takes the scope crm.objects.goals.read, which the portal's plan or the private app lacks"
        ]
    hubspot.account.missing_scopes = set()
    hubspot.add(1, "goal_targets")
    assert set(hubspot.read("goals").live) == {"1000"}


@pytest.mark.parametrize("stream", ["contacts", "owners", "pipelines", "goals"])
def test_a_scope_that_was_lost_fails_and_says_how_to_accept_it(hubspot: Portal, stream: str) -> None:
    hubspot.read(stream)
    before = dict(hubspot.states[stream])
    scopes = {
        "crm.objects.contacts.read",
        "crm.objects.owners.read",
        "crm.objects.deals.read",
        "crm.objects.goals.read",
    }
    hubspot.account.missing_scopes = scopes
    with pytest.raises(Forbidden, match="does not let the private app read this") as raised:
        hubspot.read(stream)
    assert not isinstance(raised.value, ConfigurationError), "the organization's other streams go on"
    assert raised.value.kind == "configuration"
    assert "skip_streams" in raised.value.hint

    read = hubspot.read(stream, skip_streams=[stream])
    assert (read.mode, read.records, read.extract.state) == ("incremental", [], before)
    assert read.notes == [f"{stream} skipped: named under skip_streams in organizations.yml"]


def test_a_private_app_without_any_scope_is_a_mistake_and_not_fifteen_skipped_streams(
    fault_server: FaultServer,
) -> None:
    fault_server.plays(error(403, "MISSING_SCOPES"))
    failed: list[SourceError] = []
    with open_real(fault_server) as session:
        for stream in HUBSPOT.streams:
            try:
                session.read(stream, None, None)
            except SourceError as raised:
                failed.append(raised)
    assert [type(one) for one in failed] == [ConfigurationError]
    assert "may read nothing" in str(failed[0])


def test_the_portals_own_limit_replaces_the_assumed_one_less_a_tenth(hubspot: Portal) -> None:
    hubspot.account.meter.limits = replace(hubspot.account.meter.limits, per_ten_seconds=190)
    permitted: list[tuple[int, float]] = []
    with hubspot.session() as session:
        session.api.limiter.permit = lambda calls, seconds: permitted.append((calls, seconds))
        session.read(OWNERS, None, None)
    assert set(permitted) == {(171, 10.0)}


def test_searches_wait_for_their_own_limit_and_count_against_the_general_one(hubspot: Portal) -> None:
    waits: list[float] = []
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        waits.append(seconds)

    hubspot.quiet_night()
    hubspot.add(1_500)
    with hubspot.session() as session:
        session.api.search_limiter = RateLimiter(4, 1.0, clock=lambda: now, sleep=sleep)
        list(session.read(HUBSPOT.stream("contacts"), hubspot.states["contacts"], None).records)
    assert waits == [1.0]
    assert session.stats.waited_seconds == 1.0


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"access_token": " "}, "access_token: Value error, is empty"),
        ({"access_token": TOKEN, "base_url": "http://hubspot.example.com"}, "must use https"),
        ({"access_token": TOKEN, "skip_streams": ["dealz"]}, "is no stream of HubSpot"),
        ({"access_token": TOKEN, "portal": "1"}, "portal: Extra inputs are not permitted"),
    ],
)
def test_settings_that_can_not_work_are_refused_before_anything_is_asked(
    settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem) as raised:
        with HUBSPOT.open(settings, organization="vital", timezone="UTC"):
            pass
    assert TOKEN not in str(raised.value)


def test_a_token_stands_in_the_file_as_a_reference_only() -> None:
    HubSpotConnection.model_validate({"access_token": "env:HUBSPOT_TOKEN", "skip_streams": ["goals"]})
    with pytest.raises(ValueError, match="must be a reference"):
        HubSpotConnection.model_validate({"access_token": TOKEN})
