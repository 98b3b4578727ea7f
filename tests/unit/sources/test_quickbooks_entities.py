"""Reading entities: complete the first time, changes afterwards, complete again whenever changes can't be known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from quickbooks_fake import START, FakeBooks, open_fake

from orchestration.errors import ConfigurationError, PermanentError, TransientError
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.quickbooks.session import Company
from orchestration.sources.quickbooks.source import QUICKBOOKS

INVOICE = QUICKBOOKS.stream("invoice")
OLD = START - timedelta(days=1)
PAYMENT = QUICKBOOKS.stream("payment")
CUSTOMER = QUICKBOOKS.stream("customer")


def read(
    company: Company, stream: Any = INVOICE, state: Mapping[str, Any] | None = None
) -> tuple[list[Record], Extract]:
    extract = company.read(stream, state, None)
    return list(extract.records), extract


def live(records: list[Record]) -> set[str]:
    """What a loader would end up with: the last of each id, without the deleted ones."""
    last = {record.record_id: record for record in records}
    return {record_id for record_id, record in last.items() if not record.deleted}


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 3000, 3001])
def test_the_first_read_gives_every_record_once(count: int) -> None:
    books = FakeBooks()
    books.add("Invoice", count)
    books.pass_time(hours=1)
    records, extract = read(open_fake(books))
    assert [record.record_id for record in records] == [str(number + 1) for number in range(count)]
    assert extract.mode == "full"
    assert extract.notes == []
    selects = [statement for statement in books.statements if "STARTPOSITION" in statement]
    assert len(selects) == count // 1000 + 1


def test_pages_are_read_as_they_are_consumed() -> None:
    books = FakeBooks()
    books.add("Invoice", 3001)
    company = open_fake(books)
    records = iter(company.read(INVOICE, None, None).records)
    for _ in range(1000):
        next(records)
    assert len([statement for statement in books.statements if "STARTPOSITION" in statement]) == 1
    next(records)
    assert len([statement for statement in books.statements if "STARTPOSITION" in statement]) == 2


def test_a_record_carries_the_object_as_received_and_its_own_time() -> None:
    books = FakeBooks()
    books.add("Invoice", TotalAmt=12.5, Line=[{"Amount": 12.5}])
    (record,), _ = read(open_fake(books))
    assert record.updated_at == START
    assert record.payload is not None
    assert str(record.payload["TotalAmt"]) == "12.5"
    assert record.payload["Line"] == [{"Amount": record.payload["TotalAmt"]}]


def test_inactive_members_of_name_lists_are_read_too() -> None:
    books = FakeBooks()
    books.add("Customer", 2)
    books.add("Customer", Active=False)
    assert len(read(open_fake(books), CUSTOMER)[0]) == 3


def test_transactions_are_not_asked_for_being_active() -> None:
    books = FakeBooks()
    read(open_fake(books))
    assert not any("Active" in statement for statement in books.statements)


def test_a_record_deleted_while_paging_hides_no_other() -> None:
    books = FakeBooks()
    books.add("Invoice", 2500, at=OLD)

    def delete_behind_the_reader(fake: FakeBooks, _request: httpx2.Request, params: dict[str, str]) -> None:
        if "STARTPOSITION 1001" in params.get("query", "") and not fake.deleted:
            fake.delete("Invoice", "17")

    books.before.append(delete_behind_the_reader)
    records, extract = read(open_fake(books))
    # Number 1001 moved to position 1000 and was hidden from the second page.
    assert live(records) == {row["Id"] for row in books.records["Invoice"]}
    assert "17" not in live(records)
    assert extract.notes == ["2498 of 2499 records read: read again"]


def test_a_record_changed_while_paging_is_not_lost() -> None:
    books = FakeBooks()
    books.add("Invoice", 2500, at=OLD)

    def change_behind_the_reader(fake: FakeBooks, _request: httpx2.Request, params: dict[str, str]) -> None:
        if "STARTPOSITION 1001" in params.get("query", ""):
            fake.touch("Invoice", "17")

    books.before.append(change_behind_the_reader)
    assert len(live(read(open_fake(books))[0])) == 2500


def test_a_record_made_while_paging_is_not_lost() -> None:
    books = FakeBooks()
    books.add("Invoice", 1999, at=OLD)

    def add_after_the_last_page(fake: FakeBooks, request: httpx2.Request, _params: dict[str, str]) -> None:
        if request.url.path.endswith("/cdc"):
            fake.add("Invoice")

    books.before.append(add_after_the_last_page)
    assert len(live(read(open_fake(books))[0])) == 2000


def test_a_server_that_lists_fewer_than_it_counts_is_not_believed() -> None:
    books = FakeBooks()
    books.add("Invoice", 1500, at=OLD)

    def count_more(_fake: FakeBooks, _request: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        if "COUNT(*)" not in params.get("query", ""):
            return None
        return httpx2.Response(200, json={"QueryResponse": {"totalCount": 1600}})

    books.before.append(count_more)
    with pytest.raises(TransientError, match="counts more records than it lists, 3 times"):
        read(open_fake(books))


def test_a_server_with_smaller_pages_is_read_to_its_end() -> None:
    books = FakeBooks(page_limit=100)
    books.add("Invoice", 350, at=OLD)
    assert len(live(read(open_fake(books))[0])) == 350


# As Intuit answers what takes it too long.
GATEWAY_TIMEOUT = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<IntuitResponse time="2025-05-27T11:42:31.710-07:00" xmlns="http://schema.intuit.com/finance/v3">
    <Fault type="SERVICE">
        <Error code="6002">
            <Message>message=GatewayTimeout; errorCode=006002; statusCode=504</Message>
        </Error>
    </Fault>
</IntuitResponse>
"""


def test_records_too_large_for_a_thousand_a_page_are_read_by_smaller_ones() -> None:
    books = FakeBooks()
    books.add("Invoice", 2600, at=OLD)

    # The second thousand holds what is large: 1001 to 2000 can be had by 250, 2001 to 2250 by 100 alone.
    def too_slow(_fake: FakeBooks, _request: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        words = params.get("query", "").split()
        if "MAXRESULTS" not in words:
            return None
        first, size = int(words[-3]), int(words[-1])
        slow = (first > 1000 and size > 250) or (first == 2001 and size > 100)
        return httpx2.Response(504, content=GATEWAY_TIMEOUT) if slow else None

    books.before.append(too_slow)
    records, extract = read(open_fake(books))
    assert [int(record.record_id) for record in records] == list(range(1, 2601))
    asked = [tuple(map(int, words[-3::2])) for s in books.statements if "MAXRESULTS" in (words := s.split())]
    assert asked == [
        (1, 1000),
        *((n, 250) for n in (1001, 1251, 1501, 1751)),
        *((n, 100) for n in range(2001, 2700, 100)),
    ]
    assert [note.split(":")[0] for note in extract.notes] == [
        "250 records a page instead of 1000",
        "100 records a page instead of 250",
    ]


@pytest.mark.parametrize(("most", "sizes"), [(250, ["1000", "250"]), (99, ["1000", "250", "100"])])
def test_a_page_that_would_be_too_large_is_asked_for_smaller_as_far_as_there_are_smaller_ones(
    most: int, sizes: list[str]
) -> None:
    books = FakeBooks()
    books.add("Invoice", 120, at=OLD)
    asked: list[str] = []
    error = {"Message": "Result Set Big Error", "Detail": "The result for the query is too large", "code": "10100"}

    def too_large(_fake: FakeBooks, _request: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        words = params.get("query", "").split()
        if "MAXRESULTS" not in words:
            return None
        asked.append(words[-1])
        fault = {"Fault": {"Error": [error], "type": "ValidationFault"}}
        return httpx2.Response(400, json=fault) if int(words[-1]) > most else None

    books.before.append(too_large)
    if most < int(sizes[-1]):
        with pytest.raises(PermanentError, match="too large"):
            read(open_fake(books))
    else:
        assert len(read(open_fake(books))[0]) == 120
    assert asked == sizes


def test_a_server_too_slow_for_the_smallest_page_is_asked_again_and_then_given_up() -> None:
    books = FakeBooks()
    sizes: list[str] = []

    def too_slow(_fake: FakeBooks, _request: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        words = params.get("query", "").split()
        if "MAXRESULTS" not in words:
            return None
        sizes.append(words[-1])
        return httpx2.Response(504, content=GATEWAY_TIMEOUT)

    books.before.append(too_slow)
    with pytest.raises(TransientError, match="GatewayTimeout"):
        read(open_fake(books, attempts=3))
    assert sizes == ["1000", "250", "100", "100", "100"]


def test_a_server_that_gives_more_than_asked_for_repeats_itself_and_loses_nothing() -> None:
    books = FakeBooks()
    books.add("Invoice", 2500)
    books.page_excess = 1
    records, _ = read(open_fake(books))
    assert live(records) == {str(number) for number in range(1, 2501)}


def test_a_server_that_does_not_count_is_believed() -> None:
    books = FakeBooks(counts=False)
    books.add("Invoice", 1500, at=OLD)
    assert len(read(open_fake(books))[0]) == 1500


def test_a_server_that_repeats_its_first_page_is_stopped() -> None:
    books = FakeBooks()
    page = [{"Id": str(number)} for number in range(1000)]
    books.before.append(
        lambda _fake, _request, params: (
            httpx2.Response(200, json={"QueryResponse": {"Invoice": page}}) if "Invoice" in params["query"] else None
        )
    )
    with pytest.raises(PermanentError, match="repeats a page"):
        read(open_fake(books))


def test_changes_since_the_last_read_are_all_that_is_asked_for() -> None:
    books = FakeBooks()
    books.add("Invoice", 5, at=OLD)
    _, first = read(open_fake(books))
    books.pass_time(days=1)
    books.touch("Invoice", "2")
    books.add("Invoice")
    books.delete("Invoice", "4")
    books.statements.clear()
    records, second = read(open_fake(books), state=first.state)
    assert second.mode == "incremental"
    assert {(record.record_id, record.deleted) for record in records} == {("2", False), ("6", False), ("4", True)}
    assert not any("Invoice" in statement for statement in books.statements)


def test_a_deleted_record_is_named_without_taking_its_payload_away() -> None:
    books = FakeBooks()
    books.add("Invoice")
    _, first = read(open_fake(books))
    books.pass_time(hours=1)
    books.delete("Invoice", "1")
    assert read(open_fake(books), state=first.state)[0] == [Record("1", None, books.now, deleted=True)]


def test_an_inactivated_record_arrives_as_a_change() -> None:
    books = FakeBooks()
    books.add("Customer")
    _, first = read(open_fake(books), CUSTOMER)
    books.pass_time(hours=1)
    books.records["Customer"][0]["Active"] = False
    books.touch("Customer", "1")
    (record,), _ = read(open_fake(books), CUSTOMER, first.state)
    assert not record.deleted
    assert record.payload is not None
    assert record.payload["Active"] is False


def test_one_request_tells_the_changes_of_all_entities() -> None:
    books = FakeBooks()
    books.add("Invoice", 3, at=OLD)
    books.add("Payment", 2, at=OLD)
    company = open_fake(books)
    states = {stream: read(company, stream)[1].state for stream in (INVOICE, PAYMENT)}
    books.pass_time(hours=1)
    books.add("Payment")
    company = open_fake(books)
    assert read(company, INVOICE, states[INVOICE])[0] == []
    assert live(read(company, PAYMENT, states[PAYMENT])[0]) == {"3"}
    assert len(books.captures) == 1


def test_an_entity_that_lags_behind_is_asked_for_from_where_it_stands() -> None:
    books = FakeBooks()
    books.add("Payment", 2, at=OLD)
    _, old = read(open_fake(books), PAYMENT)
    books.pass_time(days=2)
    books.add("Payment")
    books.pass_time(days=2)
    _, new = read(open_fake(books), INVOICE)
    books.pass_time(hours=1)
    company = open_fake(books)
    read(company, INVOICE, new.state)
    assert live(read(company, PAYMENT, old.state)[0]) == {"3"}


def test_the_watermark_is_the_servers_clock_less_a_lag() -> None:
    books = FakeBooks(now=datetime(2031, 5, 1, 8, 0, tzinfo=UTC))
    _, extract = read(open_fake(books))
    assert extract.state == {"changed_since": "2031-05-01T07:55:00+00:00"}
    books.pass_time(hours=2)
    _, extract = read(open_fake(books), state=extract.state)
    assert extract.state == {"changed_since": "2031-05-01T09:55:00+00:00"}


def test_a_record_from_the_future_does_not_move_the_watermark() -> None:
    books = FakeBooks()
    books.add("Invoice", at=datetime(2099, 1, 1, tzinfo=UTC))
    _, extract = read(open_fake(books))
    assert extract.state == {"changed_since": "2026-03-01T11:55:00+00:00"}


def test_a_change_at_the_very_instant_of_the_watermark_is_read() -> None:
    books = FakeBooks()
    _, first = read(open_fake(books))
    books.add("Invoice", 500, at=datetime.fromisoformat(first.state["changed_since"]))
    assert len(read(open_fake(books), state=first.state)[0]) == 500


def test_of_two_clocks_the_earlier_one_counts() -> None:
    books = FakeBooks()
    books.before.append(_with_date_header("Sun, 01 Mar 2026 10:00:00 GMT"))
    assert read(open_fake(books))[1].state == {"changed_since": "2026-03-01T09:55:00+00:00"}


def test_the_date_header_does_where_the_body_tells_no_time() -> None:
    books = FakeBooks(tells_time=False)
    books.before.append(_with_date_header("Sun, 01 Mar 2026 12:00:00 GMT"))
    assert read(open_fake(books))[1].state == {"changed_since": "2026-03-01T11:55:00+00:00"}


def test_without_any_clock_there_is_no_watermark() -> None:
    books = FakeBooks(tells_time=False)
    books.add("Invoice")
    records, extract = read(open_fake(books))
    assert len(records) == 1
    assert extract.state == {}


@pytest.mark.parametrize(("days", "mode"), [(1, "incremental"), (27, "incremental"), (29, "full"), (400, "full")])
def test_a_gap_longer_than_changes_are_kept_means_a_full_read(days: int, mode: str) -> None:
    books = FakeBooks()
    books.add("Invoice", at=OLD)
    _, first = read(open_fake(books))
    books.pass_time(days=days)
    records, second = read(open_fake(books), state=first.state)
    assert second.mode == mode
    assert len(records) == (1 if mode == "full" else 0)
    assert bool(second.notes) == (mode == "full")


def test_a_watermark_from_the_future_means_a_full_read() -> None:
    books = FakeBooks()
    books.add("Invoice")
    _, extract = read(open_fake(books), state={"changed_since": "2099-01-01T00:00:00+00:00"})
    assert extract.mode == "full"
    assert extract.state == {"changed_since": "2026-03-01T11:55:00+00:00"}


def test_an_unreadable_watermark_means_a_full_read() -> None:
    assert read(open_fake(FakeBooks()), state={"changed_since": 17})[1].mode == "full"


def test_saturated_changes_are_asked_for_entity_by_entity() -> None:
    books = FakeBooks()
    states = {stream: read(open_fake(books), stream)[1].state for stream in (INVOICE, PAYMENT)}
    books.pass_time(hours=1)
    books.add("Invoice", 700)
    books.add("Payment", 700)
    company = open_fake(books)
    for stream in (INVOICE, PAYMENT):
        records, extract = read(company, stream, states[stream])
        assert extract.mode == "incremental"
        assert len(records) == 700
    assert [len(capture["entities"].split(",")) for capture in books.captures] == [11, 1, 1]


def test_an_entity_with_more_changes_than_can_be_told_is_read_in_full() -> None:
    books = FakeBooks()
    states = {stream: read(open_fake(books), stream)[1].state for stream in (INVOICE, PAYMENT)}
    books.pass_time(hours=1)
    books.add("Invoice", 1000)
    books.add("Payment", 3)
    company = open_fake(books)
    records, extract = read(company, INVOICE, states[INVOICE])
    assert extract.mode == "full"
    assert len(live(records)) == 1000
    assert "1000 or more changes" in extract.notes[0]
    assert read(company, PAYMENT, states[PAYMENT])[1].mode == "incremental"


def test_refused_change_capture_means_a_full_read() -> None:
    books = FakeBooks()
    books.add("Invoice")
    _, first = read(open_fake(books))

    def refuse(_fake: FakeBooks, request: httpx2.Request, _params: dict[str, str]) -> httpx2.Response | None:
        fault = {"Fault": {"Error": [{"Message": "Too old", "code": "4000"}], "type": "ValidationFault"}}
        return httpx2.Response(400, json=fault) if request.url.path.endswith("/cdc") else None

    books.before.append(refuse)
    records, second = read(open_fake(books), state=first.state)
    assert second.mode == "full"
    assert len(records) == 1
    assert "changes can't be had" in second.notes[0]


def without_bills(_fake: FakeBooks, request: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
    """A plan that has no bills: Intuit refuses whatever names them."""
    fault = {"Fault": {"Error": [{"Message": "Feature Not Supported", "code": "5030"}], "type": "ValidationFault"}}
    named = params.get("entities", "").split(",") + params.get("query", "").split()
    return httpx2.Response(400, json=fault) if "Bill" in named else None


def test_an_entity_that_the_plan_does_not_have_costs_the_others_no_full_read() -> None:
    books = FakeBooks()
    books.add("Invoice", 3, at=OLD)
    _, first = read(open_fake(books))
    books.pass_time(days=1)
    books.touch("Invoice", "2")
    books.before.append(without_bills)
    company = open_fake(books)
    records, second = read(company, state=first.state)
    assert (second.mode, [record.record_id for record in records]) == ("incremental", ["2"])
    assert [params["entities"] for params in books.captures] == ["Invoice"]
    with pytest.raises(PermanentError, match="Feature Not Supported") as caught:
        read(company, stream=QUICKBOOKS.stream("bill"), state=first.state)
    assert "skip_streams" in caught.value.hint


def test_a_stream_named_under_skip_streams_is_left_alone_and_its_changes_are_not_asked_for() -> None:
    books = FakeBooks()
    books.add("Invoice", 3)
    _, first = read(open_fake(books))
    books.before.append(without_bills)
    books.statements.clear()
    company = open_fake(books, skip_streams=["bill"])
    records, bills = read(company, stream=QUICKBOOKS.stream("bill"), state=first.state)
    assert (records, bills.mode, bills.state) == ([], "incremental", first.state)
    assert bills.notes == ["bill skipped: named under skip_streams in organizations.yml"]
    assert read(company, state=first.state)[1].mode == "incremental"
    (asked,) = books.captures
    assert "Bill" not in asked["entities"].split(",")
    with pytest.raises(ConfigurationError, match="is no stream of QuickBooks"):
        open_fake(books, skip_streams=["bills"])


def test_odd_rows_are_kept_as_far_as_they_are_objects() -> None:
    books = FakeBooks()
    rows = [{"Id": 7}, {"Id": None, "x": 1}, None, "text", {"Id": "9", "MetaData": None}, {"Id": "10", "MetaData": []}]
    books.before.append(
        lambda _fake, _request, params: (
            httpx2.Response(200, json={"QueryResponse": {"Invoice": rows}}) if "Invoice" in params["query"] else None
        )
    )
    assert [record.record_id for record in read(open_fake(books))[0]] == ["7", "", "9", "10"]


@pytest.mark.parametrize("response", [{}, None, [], {"Invoice": None}, {"Invoice": []}, {"Invoice": {}}])
def test_an_empty_answer_of_any_form_is_an_empty_read(response: object) -> None:
    books = FakeBooks()
    books.before.append(
        lambda _fake, _request, params: (
            httpx2.Response(200, json={"QueryResponse": response}) if "Invoice" in params["query"] else None
        )
    )
    records, _ = read(open_fake(books))
    assert [record.record_id for record in records] == ([""] if response == {"Invoice": {}} else [])


@pytest.mark.parametrize("times", [1, None])
def test_an_answer_that_is_none_deletes_nothing_and_is_retried_then_named(times: int | None) -> None:
    books = FakeBooks()
    books.add("Invoice", 3)
    left = [times]

    def strange(_: FakeBooks, __: httpx2.Request, params: dict[str, str]) -> httpx2.Response | None:
        if "Invoice" not in params.get("query", "") or left[0] == 0:
            return None
        left[0] = left[0] and left[0] - 1
        return httpx2.Response(200, json={"time": "2026-03-01T00:00:00Z"})

    books.before.append(strange)
    if times is None:
        with pytest.raises(TransientError, match=r"query answered 200 without a QueryResponse"):
            read(open_fake(books))
    else:
        records, _ = read(open_fake(books))
        assert len(records) == 3


def test_an_error_on_a_later_page_ends_the_read_and_says_whose_it_is() -> None:
    books = FakeBooks()
    books.add("Invoice", 2500)
    books.before.append(
        lambda _fake, _request, params: (
            httpx2.Response(500) if "STARTPOSITION 1001" in params.get("query", "") else None
        )
    )
    extract = open_fake(books).read(INVOICE, None, None)
    with pytest.raises(TransientError) as caught:
        list(extract.records)
    assert str(caught.value).startswith("bennett / quickbooks / invoice: QuickBooks failed with 500")
    assert extract.state == {}


def test_a_company_that_is_not_the_apps_is_a_configuration_error_naming_the_organization() -> None:
    books = FakeBooks()
    fault = {"fault": {"error": [{"message": "Denied", "code": "3100"}], "type": "AUTHORIZATION"}}
    books.before.append(lambda *_: httpx2.Response(403, json=fault))
    with pytest.raises(ConfigurationError, match="denies access") as caught:
        read(open_fake(books))
    assert caught.value.organization == "bennett"
    assert "realm_id" in caught.value.hint


def _with_date_header(date: str) -> Any:
    def respond(fake: FakeBooks, request: httpx2.Request, _params: dict[str, str]) -> httpx2.Response:
        hooks, fake.before = fake.before, []
        response = fake.handle(request)
        fake.before = hooks
        return httpx2.Response(response.status_code, headers={"Date": date}, content=response.content)

    return respond
