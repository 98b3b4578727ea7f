"""The Zoom stand-in: it answers as Zoom documents, and its truth is what it serves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from orchestration.demo.world import World, advance, write_world
from orchestration.demo.zoom.accounts import IRIS_CLINIC, VITAL_WORKLIFE, blank_account, zoom_port
from orchestration.demo.zoom.life import Life
from orchestration.demo.zoom.records import Leg
from orchestration.demo.zoom.truth import counts, figures_of_day
from orchestration.demo.zoom_server import RunningZoom, running
from orchestration.errors import AiopError

CHICAGO = ZoneInfo("America/Chicago")
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


class Client:
    """Asks the way a client without this project's code would."""

    def __init__(self, server: RunningZoom, slug: str) -> None:
        self.server, self.facts = server, server.service.accounts[slug].facts
        self.token = self.ask_token().json()["access_token"]

    def ask_token(self, **params: str) -> httpx2.Response:
        asked = {"grant_type": "account_credentials", "account_id": self.facts.account_id, **params}
        basic = (self.facts.client_id, self.facts.client_secret)
        return httpx2.post(f"{self.server.base_url}/oauth/token", params=asked, auth=basic)

    def get(self, path: str, **params: str) -> httpx2.Response:
        query = {name.rstrip("_"): value for name, value in params.items()}
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.get(f"{self.server.base_url}/v2{path}", params=query, headers=headers)

    def all(self, path: str, member: str, **params: str) -> list[dict[str, Any]]:
        found, token = [], ""
        while True:
            body = self.get(path, **params, **({"next_page_token": token} if token else {})).json()
            found += body[member]
            token = body["next_page_token"]
            if not token:
                return found

    def refused(self, path: str, **params: str) -> tuple[int, int]:
        answer = self.get(path, **params)
        return answer.status_code, answer.json()["code"]


@pytest.fixture
def server() -> Iterator[RunningZoom]:
    with running(accounts=[blank_account()]) as started:
        yield started


@pytest.fixture
def client(server: RunningZoom) -> Client:
    legs = server.account("blank").life.legs
    legs += [Leg(f"{n:03d}", str(n), "inbound", NOON, 60, "answered", NOON) for n in range(65)]
    return Client(server, "blank")


def behave(server: RunningZoom, **given: Any) -> None:
    body = {"account": "blank", **given}
    assert httpx2.post(f"{server.base_url}/_control/behaviour", json=body).status_code == 200


def test_it_says_the_worlds_time_and_follows_it_while_running(tmp_path: Path) -> None:
    write_world(tmp_path, World())
    with running(tmp_path, accounts=[IRIS_CLINIC]) as server:
        client = Client(server, "iris_clinic")
        before = server.counts("iris_clinic", CHICAGO)
        assert parsedate_to_datetime(client.get("/users").headers["date"]) == World().now
        later = advance(tmp_path, 9)
        assert parsedate_to_datetime(Client(server, "iris_clinic").get("/users").headers["date"]) == later.now
        after = server.counts("iris_clinic", CHICAGO)
        assert (before.day, after.day) == (date(2026, 11, 20), date(2026, 11, 29))
        # Lived in one go, an account is the same.
        life = Life(IRIS_CLINIC, later.seed, later.base)
        life.continue_until(later.now)
        assert after == counts(life, later.now, CHICAGO)
        day = date(2026, 11, 24)
        assert server.figures("iris_clinic", day, CHICAGO) == figures_of_day(life, day, later.now, CHICAGO)
        write_world(tmp_path, World())
        assert server.counts("iris_clinic", CHICAGO) == before


def test_what_it_serves_is_what_the_truth_counts() -> None:
    with running(accounts=[VITAL_WORKLIFE]) as server:
        client = Client(server, "vital_worklife")
        truth = server.counts("vital_worklife", CHICAGO).figures
        assert len(client.all("/users", "users", status="active")) == truth["total_users"]
        assert len(client.all("/phone/users", "users", status="activate")) == truth["phone_users"]
        queues = client.all("/phone/call_queues", "call_queues")
        assert sum(queue["status"] == "active" for queue in queues) == truth["queue_count"]
        day = date(2026, 11, 1)
        figures = server.figures("vital_worklife", day, CHICAGO)
        legs = client.all("/phone/call_history", "call_history", from_="2026-11-01", to="2026-11-02", page_size="300")
        # The day that clocks are set back on is 25 hours long: from 05:00 UTC to 06:00 on the next.
        first = {}
        for leg in sorted(legs, key=lambda leg: leg["start_time"]):
            first.setdefault(leg["call_id"], leg["start_time"])
        todays = {call for call, at in first.items() if "2026-11-01T05:00:00Z" <= at < "2026-11-02T06:00:00Z"}
        assert len(todays) == figures["total_calls"] > 0
        seconds = sum(leg["duration"] for leg in legs if leg["call_id"] in todays)
        assert figures["total_call_minutes"] == (seconds + 30) // 60
        days = {row["date"]: row for row in client.get("/report/daily", year="2026", month="10").json()["dates"]}
        assert len(days) == 31
        october = [server.figures("vital_worklife", date(2026, 10, day), CHICAGO) for day in range(1, 32)]
        for name, column in (("meetings", "total_meetings"), ("meeting_minutes", "total_meeting_minutes")):
            assert sum(row[name] for row in days.values()) == sum(one[column] for one in october) > 0


def test_tokens_are_for_the_apps_own_credentials_and_end(server: RunningZoom, client: Client) -> None:
    assert client.ask_token().json()["expires_in"] == 3599
    assert client.ask_token(grant_type="refresh_token").json()["error"] == "unsupported_grant_type"
    assert client.ask_token(account_id="another").json()["reason"] == "Invalid account_id"
    behave(server, ahead_seconds=3600)
    assert client.refused("/users") == (401, 124)
    behave(server, refused=True)
    refused = client.ask_token()
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client")


def test_pages_are_as_long_as_documented_and_their_tokens_end_after_a_quarter_of_an_hour(
    server: RunningZoom, client: Client
) -> None:
    window = {"from_": "2026-11-01", "to": "2026-11-20"}
    first = client.get("/phone/call_history", **window).json()
    assert (len(first["call_history"]), first["total_records"], first["page_count"]) == (30, 65, 3)
    assert [row["id"] for row in first["call_logs"]] == [row["call_history_uuid"] for row in first["call_history"]]
    token = first["next_page_token"]
    second = client.get("/phone/call_history", **window, next_page_token=token).json()
    assert [row["call_history_uuid"] for row in second["call_history"]] == [f"{n:03d}" for n in range(30, 60)]
    # A token belongs to its question.
    other = {"from_": "2026-11-02", "to": "2026-11-20"}
    assert client.refused("/phone/call_history", **other, next_page_token=token) == (400, 300)
    behave(server, ahead_seconds=901)
    assert client.refused("/phone/call_history", **window, next_page_token=token) == (400, 300)
    assert client.get("/phone/call_history", **window, page_size="1000").json()["page_size"] == 300


@pytest.mark.parametrize("arrays", ["call_logs", "call_history"])
def test_one_of_both_lists_may_be_missing_and_tokens_go_on_behind_the_end(
    server: RunningZoom, client: Client, arrays: str
) -> None:
    behave(server, arrays=arrays, past_end="empty", counts=False)
    window = {"from_": "2026-11-01", "to": "2026-11-20", "page_size": "300"}
    body = client.get("/phone/call_history", **window).json()
    assert {"call_logs", "call_history", "total_records"} & set(body) == {arrays}
    token = body["next_page_token"]
    beyond = client.get("/phone/call_history", **window, next_page_token=token).json()
    assert (beyond[arrays], bool(beyond["next_page_token"])) == ([], True)
    behave(server, past_end="same")
    body = client.get("/phone/call_history", **window).json()
    again = client.get("/phone/call_history", **window, next_page_token=body["next_page_token"]).json()
    assert (again["next_page_token"], again[arrays]) == (body["next_page_token"], body[arrays])


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("2026-10-21", "2026-11-20", 200),
        ("2026-10-20", "2026-11-21", 400),
        ("2026-05-20", "2026-06-19", 200),
        ("2026-05-19", "2026-06-18", 400),
        ("2026-11-20", "2026-11-19", 400),
        ("today", "tomorrow", 400),
    ],
)
def test_ranges_are_a_month_at_most_and_six_months_back_at_most(
    client: Client, first: str, last: str, status: int
) -> None:
    answer = client.get("/phone/call_history", from_=first, to=last)
    assert answer.status_code == status
    assert answer.json().get("code") == (300 if status == 400 else None)


def test_a_report_may_list_a_whole_month_and_be_behind(server: RunningZoom, client: Client) -> None:
    behave(server, whole_months=True)
    dates = client.get("/report/daily", year="2026", month="11").json()["dates"]
    assert [row["date"] for row in dates] == [f"2026-11-{day:02d}" for day in range(1, 31)]
    assert {row["meetings"] for row in dates} == {0}


def test_reports_older_than_six_months_are_refused_or_cut(server: RunningZoom, client: Client) -> None:
    assert client.refused("/report/daily", year="2026", month="4") == (400, 300)
    assert client.refused("/report/daily", year="2026", month="12") == (400, 300)
    assert client.get("/report/daily", year="2026", month="5").status_code == 200
    behave(server, too_old="clamp")
    assert client.get("/phone/call_history", from_="2026-05-01", to="2026-05-31").json()["from"] == "2026-05-20"


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("seconds", "1"),
        ("date", "Fri, 20 Nov 2026 13:00:01 GMT"),
        ("iso", "2026-11-20T13:00:01Z"),
        ("none", None),
    ],
)
def test_a_spent_limit_answers_in_whichever_style(style: str, written: str | None) -> None:
    with running(accounts=[blank_account(plan="free")]) as server:
        client = Client(server, "blank")
        behave(server, retry_after=style)
        answers = [client.get("/users") for _ in range(8)]
        spent = next(answer for answer in answers if answer.status_code == 429)
        assert spent.json()["message"].startswith("You have reached the maximum per-second rate limit")
        assert spent.headers.get("retry-after") == written
        assert spent.headers.get("x-ratelimit-type") == ("QPS" if written else None)
        behave(server, used_up=True, retry_after="iso")
        daily = client.get("/users")
        assert "maximum daily rate limit" in daily.json()["message"]
        assert (daily.headers["retry-after"], daily.headers["x-ratelimit-type"]) == (
            "2026-11-21T00:00:00Z",
            "Daily-limit",
        )


def test_missing_scopes_licences_and_addresses_are_refused_as_zoom_does(server: RunningZoom, client: Client) -> None:
    behave(server, missing_scopes=["report:read:admin"])
    refused = client.get("/report/daily", year="2026", month="11")
    assert (refused.status_code, refused.json()["code"]) == (400, 4711)
    assert "does not contain scopes:[report:read:admin]" in refused.json()["message"]
    behave(server, has_phone=False)
    assert client.get("/phone/users").status_code == 403
    assert client.refused("/webinars") == (404, 2300)
    assert client.refused("/report/users/nobody/meetings", from_="2026-11-01", to="2026-11-02") == (404, 1001)
    assert client.refused("/report/meetings/none/participants") == (404, 3001)


def test_a_uuid_with_slashes_is_found_when_encoded_twice_alone() -> None:
    with running(accounts=[VITAL_WORKLIFE]) as server:
        client = Client(server, "vital_worklife")
        meetings = server.account("vital_worklife").life.meetings
        uuid = next(one.uuid for one in meetings if one.uuid.startswith("/"))
        once = httpx2.URL("http://x", params={"u": uuid}).query.decode().removeprefix("u=").replace("+", "%2B")
        once = once.replace("/", "%2F").replace("=", "%3D")
        assert client.refused(f"/report/meetings/{once}/participants") == (404, 2300)
        twice = once.replace("%", "%25")
        found = client.get(f"/report/meetings/{twice}/participants").json()["participants"]
        assert {row["name"] for row in found} == {
            stay.name for one in meetings if one.uuid == uuid for stay in one.stays
        }


def test_lives_hold_what_the_rules_are_about() -> None:
    life = Life(VITAL_WORKLIFE, World().seed, World().base)
    now = World().base + timedelta(days=42)
    life.continue_until(now)
    by_call: dict[str, list[Leg]] = {}
    for leg in life.legs:
        by_call.setdefault(leg.call_id, []).append(leg)
    assert any(len(legs) > 2 for legs in by_call.values()), "calls are passed on"
    assert max(int(call) for call in by_call) > 2**53
    assert any(leg.shown - leg.start > timedelta(hours=26) for leg in life.legs), "some show late"
    assert not any(leg.shown - leg.start > timedelta(days=3) for leg in life.legs), "but not that late"
    local = [leg.start.astimezone(CHICAGO) for leg in life.legs]
    assert {(at.hour, at.minute) for at in local} >= {(0, 30), (23, 30)}
    assert any(at.date() == date(2026, 11, 1) and at.hour == 1 for at in local), "when clocks are set back"
    stays = [[stay.name for stay in meeting.stays] for meeting in life.meetings]
    assert any(len(names) != len(set(names)) for names in stays), "people come back"
    assert {person.status(now) for person in life.people} >= {"active", "inactive", "pending", None}
    assert not any(f"vita{date(2026, 12, 25).toordinal()}" in leg.uuid for leg in life.legs), "a day without calls"


def test_the_port_is_fixed_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_ZOOM_PORT", raising=False)
    assert zoom_port() == 9103
    monkeypatch.setenv("DEMO_ZOOM_PORT", "9999")
    assert zoom_port() == 9999
    with running(accounts=[blank_account()]) as server:
        with pytest.raises(AiopError, match=f"port {server.port}"), running(port=server.port):
            pass


def test_the_log_knows_every_request_and_no_token(server: RunningZoom, client: Client) -> None:
    client.get("/users", status="inactive")
    logged = httpx2.get(f"{server.base_url}/_control/log").json()
    assert [(one["path"], one["account"]) for one in logged] == [("/oauth/token", ""), ("/v2/users", "blank")]
    assert client.token not in str(logged)
    assert client.facts.client_secret not in str(logged)
    truth = httpx2.get(f"{server.base_url}/_control/truth", params={"account": "blank", "date": "2026-11-10"}).json()
    assert truth["figures"]["total_calls"] == 65
