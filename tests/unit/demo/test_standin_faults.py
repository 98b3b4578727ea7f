"""Faults on request, over real sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx2
import pytest
from standin_client import Client

from orchestration.demo.organizations import COMPANIES
from orchestration.demo.quickbooks_server import RunningServer, running

ASK = {"query": "SELECT * FROM Account MAXRESULTS 1000"}


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running(companies=COMPANIES[2:4]) as server:
        yield server


@pytest.fixture
def acorn(server: RunningServer) -> Client:
    client = Client(server, "acorn_supply")
    client.token()
    return client


def fault(client: Client, **rule: object) -> None:
    client.control("POST", "faults", rule)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_status_is_answered_as_often_as_asked_and_then_no_more(acorn: Client, status: int) -> None:
    fault(acorn, kind="status", status=status, path="/query", count=2)
    seen = [acorn.get("query", **ASK).status_code for _ in range(3)]
    assert seen == [status, status, 200]


@pytest.mark.parametrize("retry_after", ["", "7", "Fri, 20 Nov 2026 13:00:09 GMT", "2026-11-20T13:00:09Z"])
def test_throttling_with_and_without_retry_after(acorn: Client, retry_after: str) -> None:
    fault(acorn, kind="throttle", retry_after=retry_after)
    response = acorn.get("query", **ASK)
    assert (response.status_code, response.json()["Fault"]["Error"][0]["code"]) == (429, "3001")
    assert response.headers.get("retry-after", "") == retry_after


def test_a_rule_can_wait_for_the_third_page_of_one_company(server: RunningServer, acorn: Client) -> None:
    birch = Client(server, "birch_dental")
    birch.token()
    fault(acorn, kind="status", realm=acorn.realm, contains="FROM Bill", skip=2, status=503)
    bills = {"query": "SELECT * FROM Bill"}
    assert [birch.get("query", **bills).status_code for _ in range(4)] == [200] * 4
    assert acorn.get("query", **ASK).status_code == 200
    assert [acorn.get("query", **bills).status_code for _ in range(4)] == [200, 200, 503, 200]


def test_a_rule_without_a_count_lasts_until_it_is_cleared(acorn: Client) -> None:
    fault(acorn, kind="status", count=None)
    assert {acorn.get("query", **ASK).status_code for _ in range(5)} == {500}
    assert acorn.control("GET", "faults")[0]["hits"] == 5
    acorn.control("DELETE", "faults")
    assert acorn.get("query", **ASK).status_code == 200


def test_half_of_the_json_with_the_right_length(acorn: Client) -> None:
    whole = acorn.get("query", **ASK).content
    fault(acorn, kind="truncated")
    assert acorn.get("query", **ASK).content == whole[: len(whole) // 2]


def test_a_connection_lost_in_the_middle_of_a_body(acorn: Client) -> None:
    fault(acorn, kind="cut")
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
        acorn.get("query", **ASK)
    assert acorn.get("query", **ASK).status_code == 200


def test_a_reset_before_any_answer(acorn: Client) -> None:
    fault(acorn, kind="reset")
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        acorn.get("query", **ASK)
    assert acorn.get("query", **ASK).status_code == 200


def test_a_reset_after_the_work_is_done_loses_a_rotated_token(acorn: Client) -> None:
    before = acorn.refresh_token
    acorn.control("POST", "rotate", {"realm": acorn.realm, "mode": "next"})
    fault(acorn, kind="reset", path="/tokens/bearer", after=True)
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        acorn.token()
    assert acorn.token(before).status_code == 400


def test_one_byte_at_a_time(acorn: Client) -> None:
    fault(acorn, kind="drip", seconds=30)
    with pytest.raises(httpx2.ReadTimeout):
        acorn.http.get(
            f"{acorn.server.base_url}/v3/company/{acorn.realm}/query",
            params=ASK,
            headers={"Authorization": f"Bearer {acorn.access_token}"},
            timeout=0.2,
        )


def test_pages_that_are_no_answer(acorn: Client) -> None:
    for rule in ({"kind": "html"}, {"kind": "body", "status": 200, "body": "NaN"}, {"kind": "fault"}):
        fault(acorn, **rule)
    assert acorn.get("query", **ASK).headers["content-type"].startswith("text/html")
    assert acorn.get("query", **ASK).text == "NaN"
    answer = acorn.get("query", **ASK)
    assert (answer.status_code, list(answer.json())) == (200, ["Fault", "time"])
    fault(acorn, kind="bad_gzip")
    with pytest.raises(httpx2.DecodingError):
        acorn.get("query", **ASK)


@pytest.mark.parametrize("rule", [{"kind": "meteor"}, {}, {"kind": "reset", "colour": "red"}])
def test_a_rule_that_means_nothing_is_refused(acorn: Client, rule: dict) -> None:
    response = acorn.http.post(f"{acorn.server.base_url}/_control/faults", json=rule)
    assert response.status_code == 400
    assert "ValueError" in response.json()["error"]


def test_the_log_says_which_requests_were_spoilt(acorn: Client) -> None:
    fault(acorn, kind="status", status=503)
    acorn.get("query", **ASK)
    acorn.get("query", **ASK)
    assert [(entry["fault"], entry["status"]) for entry in acorn.control("GET", "log")][1:] == [
        ("status", 503),
        ("", 200),
    ]


# Throttles


def test_a_minute_holds_only_so_many_requests(acorn: Client) -> None:
    acorn.control("POST", "limits", {"realm": acorn.realm, "per_minute": 3, "retry_after": "60"})
    answers = [acorn.get("query", **ASK) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "60"


def test_reports_have_a_limit_of_their_own(acorn: Client) -> None:
    acorn.control("POST", "limits", {"realm": acorn.realm, "reports_per_minute": 1})
    assert [acorn.get("reports/CashFlow").status_code for _ in range(2)] == [200, 429]
    assert acorn.get("query", **ASK).status_code == 200


def test_only_so_many_requests_run_at_once(server: RunningServer, acorn: Client) -> None:
    acorn.control("POST", "limits", {"realm": acorn.realm, "at_once": 1})
    realm = server.service.realms[acorn.realm]
    statuses: list[int] = []
    with realm.lock:
        first = threading.Thread(target=lambda: statuses.append(acorn.get("query", **ASK).status_code))
        first.start()
        deadline = time.monotonic() + 10
        while server.service.limits[acorn.realm]._running == 0 and time.monotonic() < deadline:
            time.sleep(0.005)
        second = Client(server, "acorn_supply")
        second.access_token = acorn.access_token
        assert second.get("query", **ASK).status_code == 429
    first.join()
    assert statuses == [200]


def test_every_answer_bears_the_worlds_date_once_and_an_id_for_support(server: RunningServer, acorn: Client) -> None:
    fault(acorn, kind="status")
    for response in (acorn.get("query", **ASK), acorn.get("query", **ASK), acorn.token()):
        dates = response.headers.get_list("date")
        assert [parsedate_to_datetime(date) for date in dates] == [server.service.world().now]
        assert response.headers["intuit_tid"]
