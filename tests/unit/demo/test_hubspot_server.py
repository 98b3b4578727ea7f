"""The running stand-in: its clock, its log, faults and controls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
import pytest
from hubspot_client import Client, behave, fault

from orchestration.demo.crm.portals import VITAL_WORKLIFE, blank_portal, hubspot_port
from orchestration.demo.crm.truth import snapshot
from orchestration.demo.hubspot_server import RunningHubspot, running
from orchestration.demo.world import World, advance, write_world
from orchestration.errors import AiopError

PATH = "/crm/v3/objects/contacts"


@pytest.fixture
def server() -> Iterator[RunningHubspot]:
    with running(portals=[blank_portal()]) as started:
        account = started.account("blank")
        for number in range(20):
            account.crm.create("contacts", account.now, {"email": f"p{number}@x.com"})
        yield started


@pytest.fixture
def client(server: RunningHubspot) -> Client:
    return Client(server, "blank")


def control(server: RunningHubspot, method: str, path: str, body: object = None) -> httpx2.Response:
    return httpx2.request(method, f"{server.base_url}/_control{path}", json=body)


def test_it_says_the_worlds_time_and_follows_it_while_running(tmp_path: Path) -> None:
    write_world(tmp_path, World())
    with running(tmp_path, portals=[VITAL_WORKLIFE]) as server:
        client = Client(server, "vital_worklife")
        answer = client.get(PATH)
        assert parsedate_to_datetime(answer.headers["date"]) == datetime(2026, 11, 20, 13, tzinfo=UTC)
        before = server.truth("vital_worklife")
        later = advance(tmp_path, 5)
        assert parsedate_to_datetime(client.get(PATH).headers["date"]) == later.now
        assert server.truth("vital_worklife") == snapshot(VITAL_WORKLIFE, later) != before
        write_world(tmp_path, World())
        assert server.truth("vital_worklife") == before


def test_what_it_serves_is_what_the_truth_counts() -> None:
    with running() as server:
        client = Client(server, "vital_worklife")
        shown = server.truth("vital_worklife")
        contacts = [
            record for page in client.pages("contacts", limit=100, properties="lifecyclestage") for record in page
        ]
        stages = [record["properties"]["lifecyclestage"] for record in contacts]
        assert len(stages) == shown.contacts["total_contacts"]
        assert stages.count("customer") == shown.contacts["customers"]
        assert len(client.ids("contacts", limit=100, archived="true")) == shown.records["contacts"][1]
        deals = [
            r["properties"] for page in client.pages("deals", limit=100, properties="pipeline,dealstage") for r in page
        ]
        pipelines = client.get("/crm/v3/pipelines/deals").json()["results"]
        won = {
            (pipeline["id"], stage["id"])
            for pipeline in pipelines
            for stage in pipeline["stages"]
            if stage["metadata"]["isClosed"] == "true" and float(stage["metadata"]["probability"]) == 1
        }
        assert sum((deal["pipeline"], deal["dealstage"]) in won for deal in deals) == shown.deals["won_deals"]


def test_the_log_knows_every_request_and_no_token(server: RunningHubspot, client: Client) -> None:
    client.get(PATH, limit=5)
    client.search("contacts", ("email", "EQ", "p1@x.com"))
    log = control(server, "GET", "/log")
    first, second = log.json()
    assert (first["method"], first["path"], first["params"], first["status"]) == ("GET", PATH, {"limit": "5"}, 200)
    assert first["portal"] == "blank"
    assert "p1@x.com" in second["body"]
    assert blank_portal().token not in log.text
    control(server, "DELETE", "/log")
    assert control(server, "GET", "/log").json() == []


@pytest.mark.parametrize("kind", ["status", "throttle", "html", "truncated", "cut", "reset", "bad_gzip", "fault"])
def test_a_fault_strikes_once_and_then_all_is_well(server: RunningHubspot, client: Client, kind: str) -> None:
    fault(server, kind=kind, path="contacts", status=503, retry_after="7")
    try:
        broken = client.get(PATH)
        seen = (broken.status_code, broken.text)
    except httpx2.HTTPError as error:
        seen = (type(error).__name__, "")
    whole = client.get(PATH)
    assert seen != (whole.status_code, whole.text)
    assert whole.status_code == 200


def test_a_throttle_looks_like_hubspots(server: RunningHubspot, client: Client) -> None:
    fault(server, kind="throttle", retry_after="Fri, 20 Nov 2026 13:00:07 GMT")
    answer = client.get(PATH)
    assert answer.headers["Retry-After"] == "Fri, 20 Nov 2026 13:00:07 GMT"
    assert answer.json()["policyName"] == "TEN_SECONDLY_ROLLING"


def test_a_token_can_expire_in_the_middle(server: RunningHubspot, client: Client) -> None:
    fault(server, kind="status", status=401, path=PATH, skip=1)
    assert client.get(PATH).status_code == 200
    assert client.get(PATH).json()["category"] == "EXPIRED_AUTHENTICATION"
    assert client.get(PATH).status_code == 200


def test_a_fault_can_wait_for_a_page_or_a_portal(server: RunningHubspot, client: Client) -> None:
    fault(server, kind="status", status=500, path=PATH, contains="blank", skip=1, count=2)
    assert [client.get(PATH).status_code for _ in range(4)] == [200, 500, 500, 200]


def test_a_slow_drip_arrives_whole_in_the_end(server: RunningHubspot, client: Client) -> None:
    whole = client.get(PATH, limit=1).content
    fault(server, kind="drip", seconds=0.0)
    assert client.get(PATH, limit=1).content == whole


def test_the_crm_can_be_changed_from_outside(server: RunningHubspot, client: Client) -> None:
    def edit(action: str, **facts: object) -> int:
        body = {"portal": "blank", "kind": "contacts", "action": action, **facts}
        return control(server, "POST", "/edit", body).raise_for_status().json()["id"]

    one, other = (edit("create", properties={"lifecyclestage": stage}) for stage in ("lead", "customer"))
    edit("change", id=one, properties={"phone": "1", "lifecyclestage": None})
    assert client.get(f"{PATH}/{one}", properties="phone").json()["properties"]["phone"] == "1"
    edit("merge", id=one, losers=[other])
    assert client.get(f"{PATH}/{other}").json()["id"] == str(one)
    edit("archive", id=one)
    assert str(one) not in client.ids("contacts")
    edit("restore", id=one, touch=False)
    assert str(one) in client.ids("contacts")
    edit("purge", id=one)
    assert client.get(f"{PATH}/{one}").status_code == 404
    truth = control(server, "GET", "/truth?portal=blank&timezone=UTC").json()
    assert truth["contacts"]["total_contacts"] == 20


def test_a_control_request_that_makes_no_sense_says_why(server: RunningHubspot) -> None:
    assert "unknown: colour" in behave(server, "blank", colour="red").json()["error"]
    assert control(server, "POST", "/behaviour", {"portal": "nobody"}).status_code == 400
    assert control(server, "POST", "/edit", {"portal": "blank", "kind": "cats", "action": "create"}).status_code == 400
    assert control(server, "POST", "/faults", {"kind": "fire"}).status_code == 400


def test_a_taken_port_is_said_plainly(server: RunningHubspot) -> None:
    with pytest.raises(AiopError, match=str(server.port)), running(port=server.port):
        pass


def test_the_demos_port_is_fixed_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_HUBSPOT_PORT", raising=False)
    assert hubspot_port() == 9102
    monkeypatch.setenv("DEMO_HUBSPOT_PORT", "9999")
    assert hubspot_port() == 9999
