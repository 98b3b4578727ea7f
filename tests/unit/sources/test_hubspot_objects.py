"""Objects: pages to their real end, every property, and each way in which a record can go and come."""

from __future__ import annotations

from collections import deque
from datetime import UTC, date, datetime

import pytest
from hubspot_portal import Portal, portal

from orchestration.errors import PermanentError
from orchestration.sources.hubspot.api import LONGEST_PROPERTIES
from orchestration.sources.hubspot.streams import STREAMS, ObjectStream

OBJECTS = [stream for stream in STREAMS if isinstance(stream, ObjectStream)]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 301])
def test_every_record_is_read_once_whatever_the_number_of_pages(hubspot: Portal, count: int) -> None:
    hubspot.add(count)
    read = hubspot.read()
    assert read.mode == "full"
    assert sorted(record.record_id for record in read.records) == sorted(map(str, hubspot.crm.ids("contacts")))


def test_short_and_empty_pages_that_link_on_are_not_the_end(hubspot: Portal) -> None:
    hubspot.add(30)
    hubspot.account.shapes["contacts"] = deque([3, 0, 0, 5, 0])
    assert len(hubspot.read().live) == 30


def test_a_list_that_links_to_the_same_page_for_ever_ends_within_two_pages(hubspot: Portal) -> None:
    hubspot.add(3)
    hubspot.account.repeat_after = {"contacts"}
    with pytest.raises(PermanentError, match="repeats a page"):
        hubspot.read()
    assert len(hubspot.asked("/objects/contacts")) <= 3


def test_a_record_is_as_received_with_every_property_of_the_catalogue(hubspot: Portal) -> None:
    (person,) = hubspot.add(1)
    hubspot.change(person, email="a@x.com", hs_calculated_merged_vids=None)
    (record,) = hubspot.read().records
    assert record.payload is not None
    assert set(record.payload["properties"]) == set(hubspot.crm.properties["contacts"])
    assert record.payload["properties"]["email"] == "a@x.com"
    assert record.payload["properties"]["phone"] is None
    assert record.updated_at == datetime(2026, 11, 20, 13, tzinfo=UTC)


@pytest.mark.parametrize("stream", OBJECTS, ids=lambda stream: stream.name)
def test_a_night_reads_a_record_exactly_as_a_full_list_does(hubspot: Portal, stream: ObjectStream) -> None:
    (record,) = hubspot.add(1, stream.kind, first=77)
    for other in stream.linked:
        hubspot.crm.link(record, hubspot.add(1, other, first=88)[0], "Primary", "Decision maker")
    first = hubspot.read(stream.name)
    night = hubspot.read(stream.name)
    assert (first.mode, night.mode) == ("full", "incremental")
    assert night.live == first.live != {}
    assert set(first.live["77"].get("associations", {})) == set(stream.linked)


def many_properties(hubspot: Portal, count: int) -> list[str]:
    known = hubspot.crm.properties["contacts"]
    names = [f"a_custom_property_with_a_long_name_number_{number:04d}" for number in range(count)]
    known.update({name: type(known["city"])(name, name) for name in names})
    return names


def test_more_properties_than_fit_into_an_address_are_read_all_the_same() -> None:
    with portal() as hubspot:
        names = many_properties(hubspot, 500)
        assert sum(map(len, names)) > LONGEST_PROPERTIES
        people = hubspot.add(120)
        hubspot.change(people[5], **{names[499]: "last"})
        hubspot.crm.archive(people[7], hubspot.account.now)
        read = hubspot.read()
        assert len(read.live) == 119
        assert read.live["1005"]["properties"][names[499]] == "last"
        assert names[0] in (read.deleted["1007"] or {})["properties"]
        assert max(len(str(asked.params)) for asked in hubspot.log) < LONGEST_PROPERTIES
        assert hubspot.read().live["1005"] == read.live["1005"]


@pytest.mark.parametrize("status", [414, 431])
def test_an_address_refused_as_too_long_is_asked_once_and_the_records_are_read_in_batches(
    hubspot: Portal, status: int
) -> None:
    many_properties(hubspot, 100)
    every = set(hubspot.crm.properties["contacts"])
    assert 4_000 < len("%2C".join(every)) < LONGEST_PROPERTIES
    if status == 414:
        hubspot.server.service.api.longest_target = 4_000
    else:
        hubspot.fault(kind="status", path="/objects/contacts", contains="city,", status=status, count=None)
    people = hubspot.add(250)
    hubspot.change(people[120], city="Duluth")
    hubspot.crm.archive(people[7], hubspot.account.now)

    read = hubspot.read()

    assert (read.mode, len(read.live), set(read.deleted), read.notes) == ("full", 249, {"1007"}, [])
    held = [record.payload["properties"] for record in read.records if record.payload]
    assert all(set(properties) == every for properties in held)
    assert read.live["1120"]["properties"]["city"] == "Duluth"
    # Of three live pages and an archived one, the first alone is asked the long way.
    assert [asked.status for asked in hubspot.asked("/objects/contacts") if "properties" in asked.params] == [status]


def test_what_refuses_the_shortest_address_too_fails_by_name(hubspot: Portal) -> None:
    hubspot.fault(kind="status", path="/objects/contacts", status=431, count=None)
    with pytest.raises(PermanentError, match="refuses the request with 431"):
        hubspot.read()
    assert len(hubspot.asked("/objects/contacts")) == 2


def test_records_that_move_while_they_are_listed_are_read_or_found_the_next_night(hubspot: Portal) -> None:
    people = hubspot.add(250)
    account = hubspot.account

    def meanwhile(kind: str, pages: int) -> None:
        if pages == 1:
            account.crm.create("contacts", account.now, {}, 5)
            account.crm.archive(people[0], account.now)
            account.crm.archive(people[200], account.now)

    account.before_page = meanwhile
    first = hubspot.read()
    assert "1200" not in first.live
    assert set(first.deleted) == {"1000", "1200"}
    account.before_page = None
    assert "5" in hubspot.read().live


def test_archived_records_are_deleted_with_their_payload(hubspot: Portal) -> None:
    one, _ = hubspot.add(2)
    hubspot.crm.archive(one, hubspot.account.now)
    for mode in ("full", "incremental"):
        read = hubspot.read()
        assert read.mode == mode
        assert (read.deleted["1000"] or {})["archived"] is True
    (record,) = (record for record in read.records if record.deleted)
    assert record.updated_at == datetime(2026, 11, 20, 13, tzinfo=UTC)


@pytest.mark.parametrize("in_batches", [False, True], ids=["listed", "in batches"])
def test_what_says_it_is_not_archived_is_not_deleted_by_a_list_of_archived_records(
    hubspot: Portal, in_batches: bool
) -> None:
    if in_batches:
        hubspot.server.service.api.longest_target = 1_000
    hubspot.add(130)
    hubspot.account.ignores_archived = True
    for mode in ("full", "incremental"):
        read = hubspot.read()
        assert (read.mode, read.deleted, read.extract.state["archived"]) == (mode, {}, [])
        assert read.notes == ["130 records in the list of archived ones say that they are not: not taken as deleted"]
    assert len(read.live) == 130, "modified within the overlap"


def test_of_a_list_of_archived_records_those_that_do_not_say_whether_they_are_stay_deleted(hubspot: Portal) -> None:
    people = hubspot.add(3)
    for person in people[:2]:
        hubspot.crm.archive(person, hubspot.account.now)
    hubspot.account.raw = {("contacts", 1000): b'{"id": "1000"}', ("contacts", 1001): b'{"id": "9", "archived": false}'}
    read = hubspot.read()
    assert (set(read.live), set(read.deleted)) == ({"1002"}, {"1000"})


@pytest.mark.parametrize("archived", [False, True], ids=["vanish", "are archived"])
def test_losers_of_merges_are_deleted_whether_they_vanish_or_are_archived(archived: bool) -> None:
    with portal(merged_are_archived=archived) as hubspot:
        winner, loser, earlier = hubspot.add(3)
        hubspot.crm.merged_are_archived = archived
        hubspot.read()
        hubspot.later(86_400)
        hubspot.crm.merge(loser, [earlier], hubspot.account.now)
        hubspot.crm.merge(winner, [loser], hubspot.account.now)
        night = hubspot.read()
        assert night.mode == "incremental"
        assert set(night.live) == {"1000"}
        assert set(night.deleted) == {"1001", "1002"}


def test_a_merge_into_a_record_of_its_own_deletes_both_and_never_the_winner(hubspot: Portal) -> None:
    one, other = hubspot.add(2, "companies")
    hubspot.read("companies")
    hubspot.later(86_400)
    made = hubspot.crm.merge(one, [other], hubspot.account.now, new_record=True)
    made.put("hs_merged_object_ids", f"1000;1001;{made.id}", hubspot.account.now)
    night = hubspot.read("companies")
    assert set(night.live) == {str(made.id)}
    assert set(night.deleted) == {"1000", "1001"}


@pytest.mark.parametrize("touch", [True, False], ids=["modified", "as it was"])
def test_a_record_restored_from_the_bin_returns_the_next_night(hubspot: Portal, touch: bool) -> None:
    (person,) = hubspot.add(1)
    hubspot.crm.archive(person, hubspot.account.now)
    hubspot.read()
    hubspot.later(86_400)
    hubspot.crm.restore(person, hubspot.account.now, touch=touch)
    night = hubspot.read()
    assert set(night.live) == {"1000"}
    assert night.deleted == {}


def test_what_left_the_bin_for_good_stays_deleted(hubspot: Portal) -> None:
    (person,) = hubspot.add(1)
    hubspot.crm.archive(person, hubspot.account.now)
    hubspot.read()
    hubspot.crm.purge(person)
    assert hubspot.read().records == []


def test_an_archived_list_that_is_refused_is_noted_and_what_was_known_of_the_bin_kept(hubspot: Portal) -> None:
    (person,) = hubspot.add(1)
    hubspot.crm.archive(person, hubspot.account.now)
    hubspot.read()
    hubspot.fault(kind="status", path="/objects/contacts", contains=" true", status=400, count=None)
    night = hubspot.read()
    assert night.notes[0].startswith("archived records can't be listed")
    assert night.extract.state["archived"] == ["1000"]


def test_once_a_week_all_records_are_listed_so_that_what_vanished_shows(hubspot: Portal) -> None:
    hubspot.add(2)
    modes = []
    for _ in range(9):
        modes.append(hubspot.read().mode)
        hubspot.later(86_400)
    assert modes == ["full", *["incremental"] * 6, "full", "incremental"]


def test_the_watermark_is_the_servers_clock_less_an_hour_and_what_lies_ahead_is_read_in_full(hubspot: Portal) -> None:
    (person,) = hubspot.add(1)
    hubspot.crm.change(person, 4_070_908_800_000)
    state = hubspot.read().extract.state
    assert state["changed_since"] == "2026-11-20T12:00:00+00:00"
    assert state["full_at"] == "2026-11-20T13:00:00+00:00"
    # A modification in 2099 is read every night and moves nothing.
    night = hubspot.read()
    assert set(night.live) == {"1000"}
    assert night.extract.state["changed_since"] == "2026-11-20T12:00:00+00:00"

    hubspot.states["contacts"] = {**state, "changed_since": "2099-01-01T00:00:00+00:00"}
    read = hubspot.read()
    assert read.mode == "full"
    assert read.notes == ["the last read is in the future by the server's clock: read in full"]


def test_500_records_of_one_instant_are_all_found(hubspot: Portal) -> None:
    people = hubspot.add(500)
    hubspot.read()
    hubspot.later(86_400)
    for person in people:
        hubspot.change(person, city="Same")
    assert len(hubspot.read().live) == 500


def test_a_window_reads_what_was_modified_in_it_by_the_portals_days(hubspot: Portal) -> None:
    crm = hubspot.crm
    for number, at in enumerate(("2026-11-09T05:59", "2026-11-09T06:00", "2026-11-11T05:59", "2026-11-11T06:00")):
        instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
        crm.create("contacts", int(instant.timestamp() * 1000), {}, 10 + number)
    read = hubspot.read(window=(date(2026, 11, 9), date(2026, 11, 10)))
    assert read.mode == "incremental"
    assert set(read.live) == {"11", "12"}
    assert set(hubspot.read(window=(date(2026, 11, 9), date.max)).live) == {"11", "12", "13"}


def test_associations_of_a_record_with_very_many_are_read_to_the_end(hubspot: Portal) -> None:
    (deal,) = hubspot.add(1, "deals", first=1)
    for person in hubspot.add(1_101, first=100):
        hubspot.crm.link(deal, person)
    linked = hubspot.read("deals").live["1"]["associations"]["contacts"]
    assert [link["id"] for link in linked] == [str(number) for number in range(100, 1_201)]


def test_associations_keep_the_labels_that_tell_them_apart(hubspot: Portal) -> None:
    (deal,), (company,) = hubspot.add(1, "deals", first=1), hubspot.add(1, "companies", first=2)
    hubspot.crm.link(deal, company, "Primary")
    ((link,),) = hubspot.read("deals").live["1"]["associations"].values()
    assert {(one["typeId"], one["label"]) for one in link["types"]} == {(341, None), (5, "Primary")}


def test_associations_that_could_never_be_read_are_left_out_and_lost_ones_fail(hubspot: Portal) -> None:
    (deal,), (company,) = hubspot.add(1, "deals", first=1), hubspot.add(1, "companies", first=2)
    hubspot.crm.link(deal, company)
    hubspot.account.missing_scopes = {"crm.objects.companies.read"}
    read = hubspot.read("deals")
    assert read.live["1"]["associations"] == {}
    assert len(read.notes) == 1
    assert read.notes[0].startswith("without associations with companies")

    hubspot.account.missing_scopes = set()
    hubspot.later(86_400 * 7)
    assert set(hubspot.read("deals").live["1"]["associations"]) == {"companies"}

    hubspot.account.missing_scopes = {"crm.objects.companies.read"}
    hubspot.change(deal, amount="1")
    with pytest.raises(PermanentError, match=r"crm\.objects\.companies\.read") as raised:
        hubspot.read("deals")
    assert "name companies under skip_streams" in raised.value.hint
    read = hubspot.read("deals", skip_streams=["companies"])
    assert (read.live["1"]["associations"], read.notes) == ({}, [])


@pytest.mark.parametrize("at_first", [0, 1])
def test_a_night_without_records_reads_no_associations_that_could_be_lost(hubspot: Portal, at_first: int) -> None:
    hubspot.account.missing_scopes = {"crm.objects.companies.read"}
    hubspot.add(at_first, "deals")
    hubspot.read("deals")
    # A night on, all is of before the search's overlap.
    for _ in range(2):
        hubspot.later(86_400)
        quiet = hubspot.read("deals")
    assert quiet.records == []
    hubspot.add(1, "deals", first=9)
    read = hubspot.read("deals")
    assert read.live["9"]["associations"] == {}
    assert read.notes[0].startswith("without associations with companies")

    # What could be read stays read over nights without records: its loss is one.
    for _ in range(2):
        hubspot.later(86_400)
        hubspot.read("deals")
    hubspot.account.missing_scopes.add("crm.objects.contacts.read")
    hubspot.add(1, "deals", first=10)
    with pytest.raises(PermanentError, match=r"crm\.objects\.contacts\.read"):
        hubspot.read("deals")


def test_results_that_are_no_objects_are_counted_and_those_without_id_kept(hubspot: Portal) -> None:
    hubspot.add(3)
    hubspot.account.raw = {("contacts", 1001): b'"text", {"properties": "none"}, null, {"id": 1001, "updatedAt": 5}'}
    read = hubspot.read()
    assert set(read.live) == {"1000", "", "1001", "1002"}
    assert read.notes == ["2 results are no objects and were left out"]


def test_a_catalogue_without_properties_is_not_believed(hubspot: Portal) -> None:
    hubspot.add(1)
    hubspot.fault(kind="body", path="/properties/", body='{"results": []}', status=200)
    with pytest.raises(PermanentError, match="lists no properties"):
        hubspot.read()


def test_without_a_modification_date_in_the_catalogue_all_is_read(hubspot: Portal) -> None:
    hubspot.add(1)
    hubspot.read()
    del hubspot.crm.properties["contacts"]["lastmodifieddate"]
    read = hubspot.read()
    assert read.mode == "full"
    assert read.notes == ["without the property lastmodifieddate nothing tells of changes: read in full"]


def test_a_server_that_knows_deals_by_their_number_alone_is_asked_by_it(hubspot: Portal) -> None:
    made = hubspot.add(3, "deals")
    hubspot.fault(kind="status", path="/objects/deals", status=404, count=None)
    assert set(hubspot.read("deals").live) == {str(record.id) for record in made}
    # Asked by name once a session, whatever is asked: list, archived list, search and batch.
    hubspot.later(86_400)
    hubspot.change(made[0], amount="7.00")
    with_number = len(hubspot.asked("/objects/0-3"))
    changed = hubspot.read("deals")
    assert (changed.mode, changed.notes) == ("incremental", [])
    assert changed.live[str(made[0].id)]["properties"]["amount"] == "7.00"
    assert len(hubspot.asked("/objects/deals")) == 2
    assert {asked.path.rpartition("0-3")[2] for asked in hubspot.asked("/objects/0-3")[with_number:]} == {
        "",
        "/search",
        "/batch/read",
    }


@pytest.mark.parametrize(("status", "numbers"), [(404, 1), (400, 0)])
def test_objects_unknown_by_name_and_number_fail_by_name(hubspot: Portal, status: int, numbers: int) -> None:
    hubspot.fault(kind="status", path="/objects/deals", status=status, count=None)
    hubspot.fault(kind="status", path="/objects/0-3", status=404, count=None)
    with pytest.raises(PermanentError, match=f"refuses the request with {status}"):
        hubspot.read("deals")
    assert len(hubspot.asked("/objects/0-3")) == numbers
