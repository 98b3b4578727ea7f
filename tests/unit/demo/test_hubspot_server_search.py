"""Search: ids as text, a ceiling of ten thousand, an index that lags, and every operator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hubspot_client import Client, behave

from orchestration.demo.crm.portals import blank_portal
from orchestration.demo.hubspot_server import RunningHubspot, running

BY_ID = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
HOUR = 3_600_000


@pytest.fixture(scope="module")
def many() -> Iterator[RunningHubspot]:
    """A portal with 10,450 contacts whose ids have two to eleven digits."""
    with running(portals=[blank_portal("many")]) as started:
        account = started.account("many")
        for number in range(10_450):
            account.crm.create("contacts", account.now - HOUR - number, {"email": f"p{number}@x.com"})
        yield started


@pytest.fixture
def server() -> Iterator[RunningHubspot]:
    numeric = replace(blank_portal("numeric", numeric_ids=True), hub_id=2)
    with running(portals=[blank_portal(), numeric]) as started:
        yield started


@pytest.fixture
def client(server: RunningHubspot) -> Client:
    return Client(server, "blank")


def found(answer) -> list[str]:
    return [record["id"] for record in answer.json()["results"]]


def put(server: RunningHubspot, kind: str, record_id: int, slug: str = "blank", **properties: object):
    account = server.account(slug)
    return account.crm.create(kind, account.now - HOUR, properties, record_id)


def test_ids_sort_and_compare_as_text(server: RunningHubspot, client: Client) -> None:
    for number in (7198, 719869649082, 7199, 80):
        put(server, "contacts", number)
        put(server, "contacts", number, "numeric")
    assert found(client.search("contacts", sorts=BY_ID)) == ["7198", "719869649082", "7199", "80"]
    behind = ("hs_object_id", "GT", "7198")
    assert found(client.search("contacts", behind, sorts=BY_ID)) == ["719869649082", "7199", "80"]
    as_numbers = Client(server, "numeric").search("contacts", behind, sorts=BY_ID)
    assert found(as_numbers) == ["7199", "719869649082"]


def test_the_naive_next_window_loses_an_id(server: RunningHubspot, client: Client) -> None:
    for number in (7198, 719869649082, 7199):
        put(server, "contacts", number)
    assert "719869649082" not in found(client.search("contacts", ("hs_object_id", "GTE", "7199"), sorts=BY_ID))


def test_pages_are_numbered_by_offset_and_say_how_many_there_are(many: RunningHubspot) -> None:
    answer = Client(many, "many").search("contacts", limit=200, sorts=BY_ID).json()
    assert answer["total"] == 10_450
    assert answer["paging"] == {"next": {"after": "200"}}


def test_the_ten_thousandth_result_is_the_last_to_be_had(many: RunningHubspot) -> None:
    client = Client(many, "many")
    last = client.search("contacts", limit=200, after="9800", sorts=BY_ID).json()
    assert len(last["results"]) == 200
    assert last["paging"]["next"]["after"] == "10000"
    assert client.search("contacts", limit=200, after="10000", sorts=BY_ID).status_code == 400
    assert client.search("contacts", limit=150, after="9900", sorts=BY_ID).status_code == 400


def test_a_window_behind_the_last_id_reaches_the_rest(many: RunningHubspot) -> None:
    client = Client(many, "many")
    seen: list[str] = []
    behind = "0"
    while True:
        after, window = "0", []
        while after is not None and int(after) < 10_000:
            query = ("hs_object_id", "GT", behind)
            answer = client.search("contacts", query, limit=200, after=after, sorts=BY_ID).json()
            window += [record["id"] for record in answer["results"]]
            after = answer.get("paging", {}).get("next", {}).get("after")
        if not window:
            break
        seen += window
        behind = window[-1]
    assert len(seen) == len(set(seen)) == 10_450


def test_a_page_has_two_hundred_results_at_most_and_a_sort_of_one_property(client: Client) -> None:
    assert client.search("contacts", limit=201).status_code == 400
    assert client.search("contacts", sorts=BY_ID * 2).status_code == 400
    assert client.search("contacts", after="x").status_code == 400


def test_the_index_shows_changes_later(server: RunningHubspot, client: Client) -> None:
    behave(server, "blank", search_lag_seconds=30)
    account = server.account("blank")
    old = put(server, "contacts", 1, firstname="Old")
    account.crm.create("contacts", account.now - 10_000, {}, 2)
    account.crm.change(old, account.now - 10_000, firstname="New")
    lagging = client.search("contacts", sorts=BY_ID).json()
    assert lagging["total"] == 1
    assert lagging["results"][0]["properties"]["firstname"] == "Old"
    modified = ("lastmodifieddate", "GTE", str(account.now - 60_000))
    assert client.search("contacts", modified).json()["total"] == 0
    assert client.get("/crm/v3/objects/contacts/1").json()["properties"]["firstname"] == "New"
    behave(server, "blank", ahead_seconds=25)
    assert client.search("contacts", modified).json()["total"] == 2
    assert client.search("contacts", sorts=BY_ID).json()["results"][0]["properties"]["firstname"] == "New"


def test_archived_records_and_associations_are_not_found(server: RunningHubspot, client: Client) -> None:
    account = server.account("blank")
    here, gone, deal = put(server, "contacts", 1), put(server, "contacts", 2), put(server, "deals", 3)
    account.crm.link(here, deal)
    account.crm.archive(gone, account.now - 1)
    answer = client.search("contacts", associations=["deals"]).json()
    assert [record["id"] for record in answer["results"]] == ["1"]
    assert "associations" not in answer["results"][0]


def test_every_operator(server: RunningHubspot, client: Client) -> None:
    for number, amount in enumerate(("9", "10", "10.50", "200", None), start=1):
        put(server, "deals", number, amount=amount, dealname=f"Deal {number}", hubspot_owner_id=f"{number % 2}")

    def ask(operator: str, name: str = "amount", **operands: object) -> list[str]:
        body = {"filters": [{"propertyName": name, "operator": operator, **operands}], "sorts": BY_ID}
        return found(client.post("/crm/v3/objects/deals/search", body))

    assert ask("EQ", value="10.5") == ["3"]
    assert ask("NEQ", value="10") == ["1", "3", "4"]
    assert ask("GT", value="9") == ["2", "3", "4"], "numbers compare as numbers"
    assert ask("GTE", value="10.5") == ["3", "4"]
    assert ask("LT", value="10") == ["1"]
    assert ask("LTE", value="10") == ["1", "2"]
    assert ask("BETWEEN", value="10", highValue="200") == ["2", "3", "4"]
    assert ask("HAS_PROPERTY") == ["1", "2", "3", "4"]
    assert ask("NOT_HAS_PROPERTY") == ["5"]
    assert ask("IN", "dealname", values=["deal 1", "deal 4"]) == ["1", "4"]
    assert ask("NOT_IN", "dealname", values=["deal 1", "deal 4"]) == ["2", "3", "5"]
    assert ask("CONTAINS_TOKEN", "dealname", value="dea*") == ["1", "2", "3", "4", "5"]
    assert ask("GTE", "hs_lastmodifieddate", value="2026-11-20T12:00:00Z") == ["1", "2", "3", "4", "5"]
    assert ask("LT", "hs_lastmodifieddate", value="2026-11-20T12:00:00.000Z") == []


def test_groups_are_alternatives_of_filters_that_all_hold(server: RunningHubspot, client: Client) -> None:
    for number in range(1, 5):
        put(server, "deals", number, amount=str(number), dealname="odd" if number % 2 else "even")
    low = {"propertyName": "amount", "operator": "LT", "value": "4"}
    even = {"propertyName": "dealname", "operator": "EQ", "value": "even"}
    one = {"propertyName": "amount", "operator": "EQ", "value": "1"}
    groups = [{"filters": [low, even]}, {"filters": [one]}]
    answer = client.post("/crm/v3/objects/deals/search", {"filterGroups": groups, "sorts": BY_ID})
    assert found(answer) == ["1", "2"]


@pytest.mark.parametrize(
    "body",
    [
        {"filters": [{"propertyName": "nonsense", "operator": "EQ", "value": "1"}]},
        {"filters": [{"propertyName": "amount", "operator": "LIKE", "value": "1"}]},
        {"filters": [{"propertyName": "amount", "operator": "EQ", "value": "many"}]},
        {"filters": [{"propertyName": "amount", "operator": "GT"}]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "amount", "operator": "HAS_PROPERTY"}] * 7}]},
        {"sorts": [{"propertyName": "nonsense"}]},
        {"query": "x" * 3001},
    ],
)
def test_what_search_does_not_understand_it_refuses(client: Client, body: dict) -> None:
    answer = client.post("/crm/v3/objects/deals/search", body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_records_with_equal_keys_come_in_no_order_of_ids(server: RunningHubspot, client: Client) -> None:
    for number in range(1, 60):
        put(server, "contacts", number)
    by_date = [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]
    order = found(client.search("contacts", limit=100, sorts=by_date))
    assert sorted(order, key=int) == [str(number) for number in range(1, 60)]
    assert order not in (sorted(order), sorted(order, key=int))
