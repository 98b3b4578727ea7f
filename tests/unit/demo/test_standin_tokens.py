"""The stand-in's token endpoint and who may ask what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from standin_client import JSON, Client, basic

from orchestration.demo.organizations import COMPANIES, demo_environment
from orchestration.demo.quickbooks_server import RunningServer, running


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running(companies=COMPANIES[2:4]) as server:
        yield server


@pytest.fixture
def acorn(server: RunningServer) -> Client:
    return Client(server, "acorn_supply")


def rotate(client: Client, mode: str) -> None:
    client.control("POST", "rotate", {"realm": client.realm, "mode": mode})


def rejected(client: Client, refresh_token: str) -> bool:
    response = client.token(refresh_token)
    assert response.status_code in (200, 400)
    if response.status_code == 400:
        assert response.json() == {
            "error": "invalid_grant",
            "error_description": "Incorrect or invalid refresh token",
        }
    return response.status_code == 400


def test_a_refresh_gives_an_hour_and_the_same_refresh_token_within_a_day(acorn: Client) -> None:
    first = acorn.refresh_token
    answer = acorn.token().json()
    assert set(answer) == {*("token_type", "expires_in", "access_token", "refresh_token", "x_refresh_token_expires_in")}
    assert (answer["token_type"], answer["expires_in"], answer["refresh_token"]) == ("bearer", 3600, first)
    assert answer["x_refresh_token_expires_in"] == 8_726_400


def test_after_a_day_the_refresh_token_rotates_and_the_old_one_is_rejected(
    server: RunningServer, acorn: Client
) -> None:
    first = acorn.refresh_token
    server.advance(1)
    acorn.token()
    assert acorn.refresh_token != first
    assert rejected(acorn, first)
    assert not rejected(acorn, acorn.refresh_token)


def test_rotation_on_demand_happens_once_or_always(acorn: Client) -> None:
    seen = [acorn.refresh_token]
    rotate(acorn, "next")
    for _ in range(3):
        acorn.token()
        seen.append(acorn.refresh_token)
    assert len(set(seen)) == 2
    rotate(acorn, "always")
    for _ in range(3):
        acorn.token()
        seen.append(acorn.refresh_token)
    assert len(set(seen)) == 5


def test_the_previous_token_can_be_made_to_work_once_more(acorn: Client) -> None:
    first = acorn.refresh_token
    rotate(acorn, "next")
    acorn.token()
    acorn.control("POST", "tokens", {"previous_accepted": True})
    assert not rejected(acorn, first)


def test_wrong_client_credentials_are_401(acorn: Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": acorn.refresh_token}
    for headers in ({}, basic("someone", "else"), {"Authorization": "Basic ???"}):
        response = acorn.http.post(acorn.connection["token_url"], data=form, headers=headers)
        assert (response.status_code, response.json()) == (401, {"error": "invalid_client"})


def test_other_grants_are_not_supported(acorn: Client) -> None:
    headers = basic(acorn.connection["client_id"], acorn.connection["client_secret"])
    response = acorn.http.post(acorn.connection["token_url"], data={"grant_type": "password"}, headers=headers)
    assert (response.status_code, response.json()) == (400, {"error": "unsupported_grant_type"})


def test_an_unknown_or_expired_access_token_is_401_with_code_3200(acorn: Client) -> None:
    assert acorn.get("query", query="SELECT * FROM Account").status_code == 200
    acorn.control("POST", "expire", {"realm": acorn.realm})
    response = acorn.get("query", query="SELECT * FROM Account")
    fault = response.json()["Fault"]
    assert (response.status_code, fault["Error"][0]["code"], fault["type"]) == (401, "3200", "AUTHENTICATION")
    assert not rejected(acorn, acorn.refresh_token)
    assert acorn.get("query", query="SELECT * FROM Account").status_code == 200


def test_access_tokens_expire_by_themselves(acorn: Client) -> None:
    acorn.control("POST", "tokens", {"access_seconds": 0})
    assert acorn.token().json()["expires_in"] == 0
    assert acorn.get("query", query="SELECT * FROM Account").status_code == 401


def test_no_token_is_401_and_another_companys_is_403(server: RunningServer, acorn: Client) -> None:
    url = f"{server.base_url}/v3/company/{acorn.realm}/query"
    assert acorn.http.get(url, headers=JSON).status_code == 401
    birch = Client(server, "birch_dental")
    birch.token()
    response = acorn.http.get(url, headers=JSON | {"Authorization": f"Bearer {birch.access_token}"})
    assert (response.status_code, response.json()["Fault"]["Error"][0]["code"]) == (403, "3100")


@pytest.mark.parametrize(("style", "code"), [("lower", "3200"), ("padded", "003200")])
def test_faults_come_in_other_spellings_too(acorn: Client, style: str, code: str) -> None:
    acorn.control("POST", "behaviour", {"fault_style": style})
    acorn.token()
    acorn.control("POST", "expire", {"realm": acorn.realm})
    body = acorn.get("query", query="SELECT * FROM Account").json()
    error = body["fault"]["error"][0] if style == "lower" else body["Fault"]["Error"][0]
    assert error["code"] == code


def test_a_connection_that_idled_out_needs_a_person(acorn: Client) -> None:
    acorn.control("POST", "expire", {"realm": acorn.realm, "token": "refresh"})
    assert rejected(acorn, acorn.refresh_token)
    fresh = acorn.control("POST", "reconnect", {"realm": acorn.realm})["refresh_token"]
    assert not rejected(acorn, fresh)


def test_a_revoked_connection_is_over(acorn: Client) -> None:
    acorn.token()
    headers = basic(acorn.connection["client_id"], acorn.connection["client_secret"])
    url = f"{acorn.server.base_url}/v2/oauth2/tokens/revoke"
    assert acorn.http.post(url, json={"token": acorn.refresh_token}, headers=headers).status_code == 200
    assert acorn.get("query", query="SELECT * FROM Account").status_code == 401
    assert rejected(acorn, acorn.refresh_token)


def test_tokens_outlive_a_restart_of_the_server(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        client = Client(server, "bennett")
        first = client.refresh_token
        rotate(client, "next")
        client.token()
    kept = tmp_path / "quickbooks_tokens.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    with running(tmp_path) as server:
        again = Client(server, "bennett")
        again.access_token = client.access_token
        assert again.get("query", query="SELECT * FROM Account").status_code == 200
        assert rejected(again, first)
        assert not rejected(again, client.refresh_token)


def test_the_log_and_the_state_show_what_was_asked_and_no_credential(acorn: Client) -> None:
    acorn.get("query", query="SELECT * FROM Account")
    shown = json.dumps([acorn.control("GET", "log"), acorn.control("GET", "state")])
    assert "SELECT * FROM Account" in shown
    secrets = [acorn.access_token, acorn.refresh_token, acorn.connection["client_secret"]]
    assert not [secret for secret in (*secrets, *demo_environment().values()) if secret in shown]
    assert acorn.control("GET", "state")["refreshes"] == {acorn.realm: 1}
    senders = {entry["token"] for entry in acorn.control("GET", "log")}
    assert len(senders) == 2
