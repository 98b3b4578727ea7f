"""Queries and change capture of the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from standin_client import Client

from orchestration.demo.quickbooks.records import ENTITIES, NAME_LISTS
from orchestration.demo.quickbooks_server import RunningServer, running

INSTANT = "%Y-%m-%dT%H:%M:%S+00:00"


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running() as server:
        yield server


@pytest.fixture
def bennett(server: RunningServer) -> Client:
    return Client(server, "bennett")


@pytest.fixture
def small(server: RunningServer) -> Client:
    return Client(server, "acorn_supply")


def count(client: Client, text: str) -> int:
    return client.json("query", query=text)["QueryResponse"]["totalCount"]


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_entity_can_be_read_whole_and_has_what_all_records_have(bennett: Client, entity: str) -> None:
    records = bennett.everything(entity)
    assert records
    assert len({record["Id"] for record in records}) == len(records)
    for record in records:
        assert record["domain"] == "QBO"
        assert {"CreateTime", "LastUpdatedTime"} <= set(record["MetaData"])
    if entity not in ("CompanyInfo", "Preferences"):
        assert count(bennett, f"SELECT COUNT(*) FROM {entity}") == len(records)


@pytest.mark.parametrize("total", [0, 1, 999, 1000, 1001, 3000])
def test_pages_give_every_record_once_at_every_size(server: RunningServer, total: int) -> None:
    client = Client(server, "sable_new")
    where = "WHERE DisplayName LIKE 'Page %'"
    body = {"realm": client.realm, "action": "add_names", "entity": "Customer", "count": total, "prefix": "Page"}
    client.control("POST", "edit", body)
    assert len({c["Id"] for c in client.everything("Customer", where)}) == total
    assert count(client, f"SELECT COUNT(*) FROM Customer {where}") == total


def test_positions_start_at_1_and_100_records_come_unless_more_are_asked_for(bennett: Client) -> None:
    first = bennett.query("SELECT * FROM Invoice")
    assert len(first) == 100
    assert bennett.query("SELECT * FROM Invoice STARTPOSITION 1 MAXRESULTS 1") == first[:1]
    second = bennett.json("query", query="SELECT * FROM Invoice STARTPOSITION 2 MAXRESULTS 2")["QueryResponse"]
    assert (second["startPosition"], second["maxResults"]) == (2, 2)
    assert second["Invoice"] == first[1:3]


def test_past_the_end_the_entity_is_absent(bennett: Client) -> None:
    answer = bennett.json("query", query="SELECT * FROM Account STARTPOSITION 1001 MAXRESULTS 1000")
    assert answer["QueryResponse"] == {}
    assert answer["time"] == "2026-11-20T05:00:00.000-08:00"


def test_inactive_names_are_hidden_unless_asked_for(bennett: Client) -> None:
    shown = {c["Id"] for c in bennett.everything("Customer")}
    everyone = bennett.everything("Customer", "WHERE Active IN (true, false)")
    hidden = [c for c in everyone if not c["Active"]]
    assert hidden
    assert {c["Id"] for c in everyone} - shown == {c["Id"] for c in hidden}
    assert all(c["DisplayName"].endswith("(deleted)") for c in hidden)
    assert len(bennett.everything("Customer", "WHERE Active = false")) == len(hidden)


def test_records_can_be_asked_for_by_when_they_changed_in_order(bennett: Client) -> None:
    where = "WHERE Metadata.LastUpdatedTime >= '2026-11-01T00:00:00-06:00'"
    found = bennett.query(f"SELECT * FROM Invoice {where} ORDER BY Metadata.LastUpdatedTime ASC MAXRESULTS 1000")
    stamps = [record["MetaData"]["LastUpdatedTime"] for record in found]
    assert stamps == sorted(stamps)
    assert stamps[0] >= "2026-11-01"
    older = count(bennett, "SELECT COUNT(*) FROM Invoice WHERE MetaData.LastUpdatedTime < '2026-11-01T00:00:00-06:00'")
    assert older + len(found) == count(bennett, "SELECT COUNT(*) FROM Invoice")


def test_conditions_are_joined_by_and(bennett: Client) -> None:
    found = bennett.query("select * from Bill where TxnDate >= '2026-01-01' and TxnDate < '2026-02-01' maxresults 1000")
    assert found
    assert all(bill["TxnDate"].startswith("2026-01") for bill in found)


def test_quotes_are_escaped_by_a_backslash(bennett: Client) -> None:
    assert bennett.query(r"SELECT * FROM Customer WHERE DisplayName = 'O\'Brien & Söhne'")[0]["Id"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "4000"),
        ("SELECT", "4000"),
        ("SELECT * FROM Invoice WHERE", "4000"),
        ("SELECT * FROM Invoice WHERE TotalAmt >", "4000"),
        ("SELECT * FROM Invoice WHERE Id = '1' OR Id = '2'", "4000"),
        ("SELECT * FROM Invoice GROUP BY CustomerRef", "4000"),
        ("SELECT * FROM Invoice WHERE TotalAmt % 2", "4000"),
        ("SELECT * FROM invoice", "4001"),
        ("SELECT * FROM Spaceship", "4001"),
        ("SELECT * FROM Invoice WHERE Colour = 'red'", "4001"),
        ("SELECT * FROM Invoice WHERE Active = true", "4001"),
        ("SELECT * FROM Invoice STARTPOSITION 0", "4001"),
        ("SELECT * FROM Invoice MAXRESULTS 1001", "4001"),
        ("SELECT * FROM Invoice WHERE Metadata.LastUpdatedTime > 'yesterday'", "4001"),
    ],
)
def test_bad_queries_are_refused_with_intuits_codes(bennett: Client, query: str, code: str) -> None:
    response = bennett.get("query", query=query)
    assert response.status_code == 400
    assert response.json()["Fault"]["Error"][0]["code"] == code


def test_without_asking_for_json_one_gets_xml(bennett: Client) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/xml"}):
        response = bennett.get("query", headers, query="SELECT * FROM Account MAXRESULTS 2")
        assert response.headers["content-type"].startswith("application/xml")
        tree = ElementTree.fromstring(response.text)
        assert tree.tag == "{http://schema.intuit.com/finance/v3}IntuitResponse"
        assert len(list(tree.iter("{http://schema.intuit.com/finance/v3}Account"))) == 2
    assert "<Fault>" in bennett.get("query", {}, query="nonsense").text


def test_one_record_can_be_read_and_a_missing_one_is_610(bennett: Client) -> None:
    assert bennett.json("account/1")["Account"]["Name"] == "Checking"
    assert bennett.json(f"companyinfo/{bennett.realm}")["CompanyInfo"]["FiscalYearStartMonth"] == "November"
    missing = bennett.get("invoice/999999")
    assert (missing.status_code, missing.json()["Fault"]["Error"][0]["code"]) == (400, "610")


def test_documents_add_up_and_balances_are_those_of_the_ledger(server: RunningServer, bennett: Client) -> None:
    for invoice in bennett.everything("Invoice"):
        signs = {"SalesItemLineDetail": 1, "DiscountLineDetail": -1}
        net = sum((signs[line["DetailType"]] * line["Amount"] for line in invoice["Line"][:-1]), Decimal(0))
        assert net + invoice["TxnTaxDetail"]["TotalTax"] == invoice["TotalAmt"]
    for entry in bennett.everything("JournalEntry"):
        sides = {"Debit": Decimal(0), "Credit": Decimal(0)}
        for line in entry["Line"]:
            sides[line["JournalEntryLineDetail"]["PostingType"]] += line["Amount"]
        assert sides["Debit"] == sides["Credit"]
    accounts = bennett.everything("Account", "WHERE Active IN (true, false)")
    last = list(server.ledger("bennett").month_totals("accrual").values())[-1]
    for account_type, metric, sign in (("Bank", "cash_balance", 1), ("Accounts Payable", "accounts_payable", -1)):
        shown = sum(a["CurrentBalance"] for a in accounts if a["AccountType"] == account_type)
        assert sign * shown == last[metric]
    parent = next(a for a in accounts if a["Name"] == "Vehicles")
    family = sum(a["CurrentBalance"] for a in accounts if a.get("ParentRef", {}).get("value") == parent["Id"])
    assert parent["CurrentBalanceWithSubAccounts"] == parent["CurrentBalance"] + family


def test_times_carry_the_companys_offset_and_change_with_daylight_saving(bennett: Client) -> None:
    offsets = {record["MetaData"]["CreateTime"][-6:] for record in bennett.everything("Purchase")}
    assert offsets == {"-05:00", "-06:00"}


# Change capture


def capture(client: Client, since: str, *entities: str) -> dict[str, list[dict]]:
    answer = client.json("cdc", entities=",".join(entities), changedSince=since)
    found: dict[str, list[dict]] = {name: [] for name in entities}
    for response in answer["CDCResponse"][0]["QueryResponse"]:
        for name, records in response.items():
            if isinstance(records, list):
                found[name] += records
    return found


@pytest.mark.parametrize("slug", ["bennett", "northgate_london", "tundra_pacific"])
def test_what_changed_since_the_last_look_makes_the_old_copy_the_new_one(server: RunningServer, slug: str) -> None:
    client = Client(server, slug)
    entities = [e for e in ENTITIES if e not in ("CompanyInfo", "Preferences")]

    def read() -> dict[tuple[str, str], dict]:
        return {
            (entity, record["Id"]): record
            for entity in entities
            for record in client.everything(entity, "WHERE Active IN (true,false)" if entity in NAME_LISTS else "")
        }

    copy = read()
    for days in (1, 1, 3):
        since = server.service.world().now
        server.advance(days)
        for entity, records in capture(client, since.strftime(INSTANT), *entities).items():
            for record in records:
                if record.get("status") == "Deleted":
                    assert set(record) == {"domain", "status", "Id", "MetaData"}
                    copy.pop((entity, record["Id"]), None)
                else:
                    copy[entity, record["Id"]] = record
        assert copy == read()


def test_deleted_documents_are_only_in_change_capture(server: RunningServer, small: Client) -> None:
    since = server.service.world().now.strftime(INSTANT)
    gone = small.query("SELECT * FROM Purchase MAXRESULTS 1")[0]["Id"]
    small.control("POST", "edit", {"realm": small.realm, "action": "delete", "entity": "Purchase", "id": gone})
    assert gone not in {p["Id"] for p in small.everything("Purchase")}
    assert [(p["Id"], p["status"]) for p in capture(small, since, "Purchase")["Purchase"]] == [(gone, "Deleted")]


def test_an_entity_without_changes_is_an_empty_object(server: RunningServer, small: Client) -> None:
    since = server.service.world().now.strftime(INSTANT)
    assert small.json("cdc", entities="Invoice,Bill", changedSince=since)["CDCResponse"] == [
        {"QueryResponse": [{}, {}]}
    ]


def test_a_thousand_objects_at_most_come_over_all_entities_without_a_word(
    server: RunningServer, bennett: Client
) -> None:
    since = server.service.world().now.strftime(INSTANT)
    for entity, number in (("Invoice", 700), ("Purchase", 600)):
        body = {"realm": bennett.realm, "action": "touch", "entity": entity, "count": number}
        bennett.control("POST", "edit", body)
    together = capture(bennett, since, "Invoice", "Purchase")
    assert (len(together["Invoice"]), len(together["Purchase"])) == (700, 300)
    assert len(capture(bennett, since, "Purchase")["Purchase"]) == 600


def test_more_than_thirty_days_back_is_refused_or_silently_cut(server: RunningServer, bennett: Client) -> None:
    now = server.service.world().now
    long_ago = (now - timedelta(days=31)).strftime(INSTANT)
    response = bennett.get("cdc", entities="Invoice", changedSince=long_ago)
    assert response.status_code == 400
    bennett.control("POST", "behaviour", {"late_capture": "clip"})
    cut = capture(bennett, long_ago, "Invoice")
    assert cut == capture(bennett, (now - timedelta(days=30)).strftime(INSTANT), "Invoice")


@pytest.mark.parametrize("params", [{"entities": "", "changedSince": "2026-11-19"}, {"entities": "Invoice"}])
def test_a_capture_must_say_what_and_since_when(bennett: Client, params: dict[str, str]) -> None:
    assert bennett.get("cdc", **params).status_code == 400


def test_a_count_may_be_missing(bennett: Client) -> None:
    bennett.control("POST", "behaviour", {"count_in_queries": False})
    assert bennett.json("query", query="SELECT COUNT(*) FROM Invoice")["QueryResponse"] == {}


def test_edits_restate_the_ledger_the_server_and_the_truth_alike(server: RunningServer, small: Client) -> None:
    bill = small.query("SELECT * FROM Bill WHERE TxnDate < '2026-03-01' MAXRESULTS 1")[0]
    month = (int(bill["TxnDate"][:4]), int(bill["TxnDate"][5:7]))
    before = server.ledger("acorn_supply").month_totals("accrual")[month]
    body = {"realm": small.realm, "action": "amount", "entity": "Bill", "id": bill["Id"], "amount": "1000000.01"}
    small.control("POST", "edit", body)
    after = server.ledger("acorn_supply").month_totals("accrual")[month]
    change = Decimal("1000000.01") - bill["Line"][0]["Amount"]
    assert before["net_income"] - after["net_income"] == change
    assert small.json(f"bill/{bill['Id']}")["Bill"]["Line"][0]["Amount"] == Decimal("1000000.01")
