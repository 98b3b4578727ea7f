"""Who may ask, how often, and what HubSpot says to those who may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import httpx2
import pytest
from hubspot_client import Client, behave

from orchestration.demo.crm.portals import Limits, blank_portal
from orchestration.demo.hubspot.errors import ApiError
from orchestration.demo.hubspot.limits import Meter
from orchestration.demo.hubspot_server import RunningHubspot, running

TODAY = date(2026, 11, 20)
PATH = "/crm/v3/objects/contacts"


@pytest.fixture
def server() -> Iterator[RunningHubspot]:
    with running(portals=[blank_portal(missing_scopes=frozenset({"crm.objects.goals.read"}))]) as started:
        yield started


@pytest.fixture
def client(server: RunningHubspot) -> Client:
    return Client(server, "blank")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def refusal(meter: Meter, *, search: bool = False, today: date = TODAY) -> dict | None:
    try:
        meter.count(today, search=search)
    except ApiError as error:
        return {**error.body, "retry_after": error.headers.get("Retry-After")}
    return None


def test_the_general_limit_is_a_window_of_ten_seconds() -> None:
    clock = Clock()
    meter = Meter(Limits(per_ten_seconds=3), 1, clock)
    assert [refusal(meter) for _ in range(3)] == [None, None, None]
    refused = refusal(meter)
    assert refused is not None
    assert refused["policyName"] == "TEN_SECONDLY_ROLLING"
    assert refused["message"] == "You have reached your ten_secondly_rolling limit."
    assert refused["errorType"] == "RATE_LIMIT"
    clock.now += 9.9
    assert refusal(meter) is not None
    clock.now += 0.1
    assert refusal(meter) is None


def test_searches_have_a_limit_of_their_own() -> None:
    clock = Clock()
    meter = Meter(Limits(per_ten_seconds=100, searches_per_second=2), 1, clock)
    assert refusal(meter, search=True) is None
    assert refusal(meter, search=True) is None
    refused = refusal(meter, search=True)
    assert refused is not None
    assert refused["policyName"] == "SECONDLY"
    assert refusal(meter) is None, "other calls go on"
    clock.now += 1
    assert refusal(meter, search=True) is None


def test_a_day_has_a_quota_and_a_new_day_a_new_one() -> None:
    meter = Meter(Limits(per_ten_seconds=None, per_day=2), 1)
    assert [refusal(meter), refusal(meter)] == [None, None]
    refused = refusal(meter)
    assert refused is not None
    assert (refused["policyName"], refused["retry_after"]) == ("DAILY", None)
    assert refusal(meter, today=date(2026, 11, 21)) is None


def test_how_long_to_wait_is_said_only_where_it_is_asked_for() -> None:
    clock = Clock()
    meter = Meter(Limits(per_ten_seconds=1), 1, clock)
    refusal(meter)
    refused = refusal(meter)
    assert refused is not None
    assert refused["retry_after"] is None
    meter.retry_after = True
    clock.now += 4
    refused = refusal(meter)
    assert refused is not None
    assert 6 <= int(refused["retry_after"]) <= 7


def test_answers_tell_what_is_left_but_those_of_searches_do_not(server: RunningHubspot, client: Client) -> None:
    behave(server, "blank", limits={"per_ten_seconds": 190, "per_day": 625_000})
    client.get(PATH)
    headers = client.get(PATH).headers
    assert headers["X-HubSpot-RateLimit-Max"] == "190"
    assert headers["X-HubSpot-RateLimit-Remaining"] == "188"
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert headers["X-HubSpot-RateLimit-Daily-Remaining"] == "624998"
    assert not [name for name in client.search("contacts").headers if "ratelimit" in name.lower()]


@pytest.mark.parametrize("with_header", [True, False])
def test_too_many_calls_are_answered_429(server: RunningHubspot, client: Client, with_header: bool) -> None:
    behave(server, "blank", limits={"per_ten_seconds": 2}, retry_after=with_header)
    codes = [client.get(PATH).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert ("Retry-After" in client.get(PATH).headers) == with_header


def test_a_spent_day_says_so(server: RunningHubspot, client: Client) -> None:
    behave(server, "blank", limits={"per_day": 0})
    refused = client.get(PATH)
    assert (refused.status_code, refused.json()["policyName"]) == (429, "DAILY")


def test_a_missing_scope_is_named(client: Client) -> None:
    for refused in (client.get("/crm/v3/objects/goal_targets"), client.search("goal_targets")):
        assert refused.status_code == 403
        body = refused.json()
        assert body["category"] == "MISSING_SCOPES"
        assert body["errors"][0]["context"]["requiredGranularScopes"] == ["crm.objects.goals.read"]
        assert body["correlationId"]
    assert client.get(PATH).status_code == 200


def test_scopes_can_be_taken_away(server: RunningHubspot, client: Client) -> None:
    behave(server, "blank", missing_scopes=["crm.objects.owners.read"])
    assert client.get("/crm/v3/owners").status_code == 403
    assert client.get("/crm/v3/objects/goal_targets").status_code == 200


@pytest.mark.parametrize(
    ("authorization", "status", "category"),
    [
        (None, 401, "INVALID_AUTHENTICATION"),
        ("Bearer pat-na1-00000000-no-such-token", 401, "INVALID_AUTHENTICATION"),
        ("Bearer not a token", 530, None),
        ("Bearer pat-mars-00000000-0000", 530, None),
    ],
)
def test_tokens_that_open_nothing(
    server: RunningHubspot, authorization: str | None, status: int, category: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    answer = httpx2.get(server.base_url + PATH, headers=headers)
    assert answer.status_code == status
    if category:
        assert answer.json()["category"] == category
    else:
        assert answer.headers["content-type"].startswith("text/html")


def test_a_revoked_token_is_expired(server: RunningHubspot, client: Client) -> None:
    behave(server, "blank", revoked=True)
    answer = client.get(PATH)
    assert (answer.status_code, answer.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")


def test_the_stand_in_cannot_be_written_to(client: Client) -> None:
    assert client.http.post(PATH, json={"properties": {}}).status_code == 405
    assert client.get("/crm/v3/nothing").status_code == 404
