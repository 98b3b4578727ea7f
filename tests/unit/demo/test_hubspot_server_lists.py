"""Lists, single records and batches as HubSpot's documentation and its users describe them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hubspot_client import Client, behave

from orchestration.demo.crm.portals import blank_portal
from orchestration.demo.crm.store import Crm
from orchestration.demo.hubspot_server import RunningHubspot, running


@pytest.fixture
def server() -> Iterator[RunningHubspot]:
    with running(portals=[blank_portal(survey_properties=0)]) as started:
        yield started


@pytest.fixture
def client(server: RunningHubspot) -> Client:
    return Client(server, "blank")


def fill(server: RunningHubspot, count: int, kind: str = "contacts") -> Crm:
    account = server.account("blank")
    for number in range(count):
        account.crm.create(kind, account.now - 86_400_000, {"email": f"p{number}@x.com"})
    return account.crm


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 301])
def test_a_list_gives_every_record_once_whatever_the_count(server: RunningHubspot, client: Client, count: int) -> None:
    crm = fill(server, count)
    assert client.ids("contacts", limit=100) == [str(number) for number in crm.ids("contacts")]


def test_a_page_has_ten_records_unless_asked_and_a_hundred_at_most(server: RunningHubspot, client: Client) -> None:
    fill(server, 30)
    assert len(client.get("/crm/v3/objects/contacts").json()["results"]) == 10
    for limit in ("101", "0", "ten"):
        refused = client.get("/crm/v3/objects/contacts", limit=limit)
        assert (refused.status_code, refused.json()["category"]) == (400, "VALIDATION_ERROR")


def test_the_link_to_the_next_page_works_as_it_is_and_by_its_cursor(server: RunningHubspot, client: Client) -> None:
    fill(server, 25)
    following = client.get("/crm/v3/objects/contacts", limit=10, properties="email").json()["paging"]["next"]
    by_link = client.http.get(following["link"]).json()["results"]
    by_cursor = client.get("/crm/v3/objects/contacts", limit=10, after=following["after"]).json()["results"]
    assert [record["id"] for record in by_link] == [record["id"] for record in by_cursor]
    assert following["after"].endswith(("%3D", "K", "g")), "opaque: no plain number"
    assert client.get("/crm/v3/objects/contacts", after="10").status_code == 400


def test_empty_and_short_pages_still_link_to_the_next(server: RunningHubspot, client: Client) -> None:
    crm = fill(server, 40)
    behave(server, "blank", shapes={"contacts": [10, 0, 0, 3, None]})
    pages = list(client.pages("contacts", limit=10))
    assert [len(page) for page in pages] == [10, 0, 0, 3, 10, 10, 7]
    assert [record["id"] for page in pages for record in page] == [str(number) for number in crm.ids("contacts")]


def test_pages_can_be_made_to_repeat_for_ever(server: RunningHubspot, client: Client) -> None:
    fill(server, 5)
    behave(server, "blank", repeat_after=["contacts"])
    cursors = set()
    for after in ({}, {}, {}):
        after = {"after": next(iter(cursors))} if cursors else after
        cursors.add(client.get("/crm/v3/objects/contacts", **after).json()["paging"]["next"]["after"])
    assert len(cursors) == 1


def test_archived_can_be_made_to_be_ignored_in_lists_and_batches(server: RunningHubspot, client: Client) -> None:
    fill(server, 2)
    behave(server, "blank", ignores_archived=True)
    listed = client.get("/crm/v3/objects/contacts", archived="true").json()["results"]
    assert [record["archived"] for record in listed] == [False, False]
    inputs = {"inputs": [{"id": record["id"]} for record in listed]}
    batch = client.post("/crm/v3/objects/contacts/batch/read?archived=true", inputs).json()["results"]
    assert [record["archived"] for record in batch] == [False, False]


def test_values_are_text_or_null_and_unknown_names_are_passed_over(server: RunningHubspot, client: Client) -> None:
    account = server.account("blank")
    account.crm.create("deals", account.now, {"amount": 1500}, 7)
    found = client.get("/crm/v3/objects/deals", properties="amount,dealname,nonsense").json()["results"][0]
    assert found["properties"] == {
        "amount": "1500",
        "dealname": None,
        "createdate": "2026-11-20T13:00:00Z",
        "hs_lastmodifieddate": "2026-11-20T13:00:00Z",
        "hs_object_id": "7",
    }
    assert found["archived"] is False
    assert "archivedAt" not in found


def test_unasked_a_record_shows_its_kinds_default_properties(server: RunningHubspot, client: Client) -> None:
    fill(server, 1)
    shown = client.get("/crm/v3/objects/contacts").json()["results"][0]["properties"]
    assert set(shown) == {"email", "firstname", "lastname", "createdate", "lastmodifieddate", "hs_object_id"}


def test_archived_records_have_a_list_of_their_own(server: RunningHubspot, client: Client) -> None:
    crm = fill(server, 3)
    record = crm.live("contacts")[1]
    crm.archive(record, server.account("blank").now)
    assert str(record.id) not in client.ids("contacts")
    assert client.ids("contacts", archived="true") == [str(record.id)]
    shown = client.get("/crm/v3/objects/contacts", archived="true").json()["results"][0]
    assert shown["archived"] is True
    assert shown["archivedAt"] == "2026-11-20T13:00:00Z"
    assert client.get(f"/crm/v3/objects/contacts/{record.id}").status_code == 404
    assert client.get(f"/crm/v3/objects/contacts/{record.id}", archived="true").status_code == 200


def test_the_id_of_a_merged_contact_gives_the_winner(server: RunningHubspot, client: Client) -> None:
    crm = fill(server, 2)
    winner, loser = crm.live("contacts")
    crm.merge(winner, [loser], server.account("blank").now)
    found = client.get(f"/crm/v3/objects/contacts/{loser.id}", properties="hs_merged_object_ids").json()
    assert found["id"] == str(winner.id)
    assert found["properties"]["hs_merged_object_ids"] == str(loser.id)
    assert client.ids("contacts") == [str(winner.id)]


def test_a_kind_goes_by_its_name_and_by_its_number(server: RunningHubspot, client: Client) -> None:
    fill(server, 2, "deals")
    assert client.ids("deals") == client.ids("0-3") == client.ids("deal")
    unknown = client.get("/crm/v3/objects/widgets")
    assert (unknown.status_code, unknown.json()["message"]) == (400, "Unable to infer object type from: widgets")


def test_paths_with_a_date_answer_as_those_with_a_version(server: RunningHubspot, client: Client) -> None:
    fill(server, 2)
    by_date = client.get("/crm/objects/2026-03/contacts").json()
    assert by_date["results"] == client.get("/crm/v3/objects/contacts").json()["results"]


def test_history_comes_newest_first_and_halves_the_page(server: RunningHubspot, client: Client) -> None:
    account = server.account("blank")
    deal = account.crm.create("deals", account.now - 1000, {"dealstage": "a"})
    account.crm.change(deal, account.now, dealstage="b")
    found = client.get("/crm/v3/objects/deals", propertiesWithHistory="dealstage").json()["results"][0]
    assert [version["value"] for version in found["propertiesWithHistory"]["dealstage"]] == ["b", "a"]
    assert client.get("/crm/v3/objects/deals", propertiesWithHistory="dealstage", limit=51).status_code == 400


def test_a_batch_gives_what_there_is_and_names_what_there_is_not(server: RunningHubspot, client: Client) -> None:
    crm = fill(server, 2)
    ids = [str(number) for number in crm.ids("contacts")]
    path = "/crm/v3/objects/contacts/batch/read"
    whole = client.post(path, {"inputs": [{"id": number} for number in ids], "properties": ["email"]})
    assert whole.status_code == 200
    assert whole.json()["status"] == "COMPLETE"
    partial = client.post(path, {"inputs": [{"id": ids[0]}, {"id": "404"}]})
    assert partial.status_code == 207
    assert [record["id"] for record in partial.json()["results"]] == ids[:1]
    assert partial.json()["errors"][0]["context"] == {"ids": ["404"]}
    assert client.post(path, {"inputs": [{"id": "1"}] * 101}).status_code == 400


def test_a_url_with_too_many_properties_is_refused(server: RunningHubspot, client: Client) -> None:
    names = ",".join(f"wellbeing_survey_2025_question_{number:03d}_response" for number in range(400))
    assert client.get("/crm/v3/objects/contacts", properties=names).status_code == 414


def test_text_that_breaks_parsers_arrives_unchanged(server: RunningHubspot, client: Client) -> None:
    account = server.account("blank")
    name = 'a\u0000b 😀 "q" \\ \ud800 é\n'
    account.crm.create("contacts", account.now, {"firstname": name})
    assert client.get("/crm/v3/objects/contacts").text.count("\\ud800") == 1


def test_a_record_can_be_made_to_look_like_anything(server: RunningHubspot, client: Client) -> None:
    crm = fill(server, 3)
    first, second, _ = crm.ids("contacts")
    odd = '{"id": 7, "properties": {"n": NaN, "big": 12345678901234567890123}}'
    twice = f'{{"id": "{second}", "updatedAt": "a"}}, {{"id": "{second}", "updatedAt": "b"}}'
    behave(server, "blank", raw={"contacts": {str(first): odd, str(second): twice}})
    for text in (client.get("/crm/v3/objects/contacts").text, client.search("contacts").text):
        assert odd in text
        assert twice in text
    assert len(client.get("/crm/v3/objects/contacts").json()["results"]) == 4


def test_records_can_change_between_two_pages(server: RunningHubspot, client: Client) -> None:
    crm = fill(server, 25)
    account = server.account("blank")
    gone = crm.live("contacts")[5]

    def between(kind: str, pages: int) -> None:
        if pages == 1:
            crm.archive(gone, account.now)
            crm.create("contacts", account.now, {"email": "new@x.com"})

    account.before_page = between
    found = client.ids("contacts", limit=10)
    assert len(found) == len(set(found)) == 26
