"""Associations, property catalogues, pipelines, owners and the account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hubspot_client import Client

from orchestration.demo.crm.portals import VITAL_WORKLIFE, blank_portal
from orchestration.demo.hubspot_server import RunningHubspot, running

WIDE = blank_portal("wide", lively=True, survey_properties=450, stage_properties=True)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningHubspot]:
    with running(portals=[blank_portal(), WIDE, VITAL_WORKLIFE]) as started:
        account = started.account("blank")
        crm, at = account.crm, account.now
        company = crm.create("companies", at, {"name": "Big"}, 1)
        for number in range(1, 621):
            crm.link(crm.create("contacts", at, {}, number), company, "Primary")
        deal = crm.create("deals", at, {}, 5)
        crm.link(deal, crm.records["contacts"][7], "Decision maker")
        crm.link(deal, crm.records["contacts"][8])
        yield started


@pytest.fixture
def client(server: RunningHubspot) -> Client:
    return Client(server, "blank")


def test_a_list_brings_associations_one_entry_per_type(client: Client) -> None:
    deal = client.get("/crm/v3/objects/deals", associations="contacts,companies").json()["results"][0]
    assert deal["associations"] == {
        "contacts": {
            "results": [
                {"id": "7", "type": "decision_maker"},
                {"id": "7", "type": "deal_to_contact_unlabeled"},
                {"id": "8", "type": "deal_to_contact"},
            ]
        }
    }


def test_a_record_with_very_many_associations_shows_the_first_and_where_the_rest_is(client: Client) -> None:
    company = client.get("/crm/v3/objects/companies/1", associations="contacts").json()
    listed = company["associations"]["contacts"]
    seen = {entry["id"] for entry in listed["results"]}
    following = listed["paging"]["next"]["link"]
    while following:
        page = client.http.get(following).json()
        seen |= {str(entry["toObjectId"]) for entry in page["results"]}
        following = page.get("paging", {}).get("next", {}).get("link")
    assert seen == {str(number) for number in range(1, 621)}


def test_a_batch_of_associations_names_types_and_those_who_have_none(client: Client) -> None:
    answer = client.post("/crm/v4/associations/deals/contacts/batch/read", {"inputs": [{"id": "5"}, {"id": "6"}]})
    assert answer.status_code == 207
    body = answer.json()
    assert body["results"][0]["from"] == {"id": "5"}
    assert body["results"][0]["to"][0] == {
        "toObjectId": 7,
        "associationTypes": [
            {"category": "USER_DEFINED", "typeId": 36, "label": "Decision maker"},
            {"category": "HUBSPOT_DEFINED", "typeId": 3, "label": None},
        ],
    }
    assert body["numErrors"] == 1
    assert body["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert body["errors"][0]["context"]["fromObjectId"] == ["6"]
    alone = client.post("/crm/v4/associations/deals/contacts/batch/read", {"inputs": [{"id": "5"}]})
    assert alone.status_code == 200
    many = client.post("/crm/v4/associations/deals/contacts/batch/read", {"inputs": [{"id": "5"}] * 1001})
    assert many.status_code == 400


def test_a_batch_pages_through_the_associations_of_one_record(client: Client) -> None:
    path = "/crm/v4/associations/companies/contacts/batch/read"
    first = client.post(path, {"inputs": [{"id": "1"}]}).json()["results"][0]
    assert len(first["to"]) == 500
    after = first["paging"]["next"]["after"]
    rest = client.post(path, {"inputs": [{"id": "1", "after": after}]}).json()["results"][0]
    assert len(rest["to"]) == 120
    assert "paging" not in rest


def test_a_catalogue_lists_default_and_custom_properties(server: RunningHubspot) -> None:
    listed = Client(server, "vital_worklife").get("/crm/v3/properties/contacts").json()["results"]
    by_name = {made["name"]: made for made in listed}
    assert by_name["lifecyclestage"]["hubspotDefined"] is True
    assert {"label": "Former client", "value": "90210478", "displayOrder": 9, "hidden": False} in by_name[
        "lifecyclestage"
    ]["options"]
    assert by_name["eap_sessions_used"]["type"] == "number"
    assert by_name["eap_sessions_used"]["hubspotDefined"] is False


def test_a_wide_catalogue_does_not_fit_into_a_url(server: RunningHubspot) -> None:
    client = Client(server, "wide")
    names = [made["name"] for made in client.get("/crm/v3/properties/contacts").json()["results"]]
    assert client.get("/crm/v3/objects/contacts", properties=",".join(names)).status_code == 414
    assert client.search("contacts", properties=names).status_code == 200


def test_pipelines_say_in_text_what_is_closed_and_how_likely(server: RunningHubspot) -> None:
    pipelines = Client(server, "vital_worklife").get("/crm/v3/pipelines/deals").json()["results"]
    stages = {stage["id"]: stage for stage in pipelines[0]["stages"]}
    assert stages["closedwon"]["metadata"] == {"isClosed": "true", "probability": "1.0"}
    assert stages["closedwon"]["label"] == "Closed Won 🎉"
    assert "presentationscheduled" not in stages
    assert "28840011" not in {pipeline["id"] for pipeline in pipelines}
    tickets = Client(server, "vital_worklife").get("/crm/v3/pipelines/tickets").json()["results"]
    assert tickets[0]["stages"][0]["metadata"] == {"isClosed": "false", "ticketState": "OPEN"}


def test_owners_who_left_are_listed_apart(server: RunningHubspot) -> None:
    client = Client(server, "vital_worklife")
    here = client.get("/crm/v3/owners").json()["results"]
    gone = client.get("/crm/v3/owners", archived="true").json()["results"]
    assert here
    assert gone
    assert all(owner["userId"] is None and owner["userIdIncludingInactive"] for owner in gone)
    assert not {owner["id"] for owner in here} & {owner["id"] for owner in gone}
    first = client.get("/crm/v3/owners", limit=3).json()
    following = client.get("/crm/v3/owners", limit=500, after=first["paging"]["next"]["after"]).json()
    assert first["results"] + following["results"] == here
    assert client.get("/crm/v3/owners", limit=501).status_code == 400
    assert client.get(f"/crm/v3/owners/{gone[0]['id']}").status_code == 404
    assert client.get(f"/crm/v3/owners/{gone[0]['id']}", archived="true").status_code == 200


def test_the_account_tells_its_time_zone_and_currency(server: RunningHubspot) -> None:
    details = Client(server, "vital_worklife").get("/account-info/v3/details").json()
    assert details["portalId"] == VITAL_WORKLIFE.hub_id
    assert (details["timeZone"], details["utcOffset"]) == ("America/Chicago", "-06:00")
    assert details["companyCurrency"] == "USD"
