"""What can be done to a CRM: each deed as HubSpot does it."""

from __future__ import annotations

import pytest

from orchestration.demo.crm.store import Crm

NOON = 1_795_176_000_000
MINUTE = 60_000


@pytest.fixture
def crm() -> Crm:
    return Crm()


def contact(crm: Crm, at: int = NOON, **properties: object):
    return crm.create("contacts", at, properties)


def test_every_value_is_text_and_what_has_none_is_not_kept(crm: Crm) -> None:
    deal = crm.create("deals", NOON, {"amount": 1500, "hs_is_closed": "true", "dealname": None})
    assert deal.properties["amount"] == "1500"
    assert "dealname" not in deal.properties
    assert deal.properties["createdate"] == "2026-11-20T12:00:00Z"


def test_ids_grow_as_numbers_but_sort_differently_as_text(crm: Crm) -> None:
    ids = [contact(crm).id for _ in range(400)]
    assert ids == sorted(ids)
    assert sorted(map(str, ids)) != [str(number) for number in ids]


def test_an_archived_record_leaves_the_list_and_keeps_its_modification_date(crm: Crm) -> None:
    somebody = contact(crm)
    crm.archive(somebody, NOON + MINUTE)
    assert crm.live("contacts") == []
    assert crm.page("contacts", archived=True, after=0, limit=10) == ([somebody], False)
    assert somebody.updated == NOON


@pytest.mark.parametrize("touch", [True, False])
def test_a_restored_record_is_back_where_it_was_with_or_without_a_new_modification_date(crm: Crm, touch: bool) -> None:
    somebody = contact(crm)
    crm.archive(somebody, NOON + MINUTE)
    crm.restore(somebody, NOON + 2 * MINUTE, touch=touch)
    assert crm.live("contacts") == [somebody]
    assert crm.count("contacts", archived=True) == 0
    assert somebody.updated == NOON + (2 * MINUTE if touch else 0)


def test_a_merge_keeps_the_winner_and_what_only_the_loser_knew(crm: Crm) -> None:
    loser = contact(crm, NOON - MINUTE, email="b@x.com", phone="1", lifecyclestage="customer")
    winner = contact(crm, email="a@x.com", lifecyclestage="lead")
    crm.merge(winner, [loser], NOON + MINUTE)
    assert crm.live("contacts") == [winner]
    assert crm.find("contacts", loser.id) is winner
    assert winner.get("phone") == "1"
    assert winner.get("lifecyclestage") == "customer"
    assert winner.get("createdate") == "2026-11-20T11:59:00Z"
    assert winner.get("hs_additional_emails") == "b@x.com"
    assert winner.get("hs_merged_object_ids") == str(loser.id)
    assert winner.get("hs_calculated_merged_vids") == f"{loser.id}:{NOON + MINUTE}"


def test_a_chain_of_merges_is_whole_in_one_property_and_direct_only_in_the_other(crm: Crm) -> None:
    first, second, third = contact(crm), contact(crm), contact(crm)
    crm.merge(second, [first], NOON + MINUTE)
    crm.merge(third, [second], NOON + 2 * MINUTE)
    assert third.get("hs_merged_object_ids") == f"{second.id};{first.id}"
    assert third.get("hs_calculated_merged_vids") == f"{second.id}:{NOON + 2 * MINUTE}"
    assert crm.find("contacts", first.id) is third


def test_a_merge_of_the_newer_kind_ends_in_a_record_of_its_own(crm: Crm) -> None:
    one, other = crm.create("companies", NOON, {"name": "A"}), crm.create("companies", NOON, {"name": "B"})
    made = crm.merge(one, [other], NOON + MINUTE, new_record=True)
    assert made not in (one, other)
    assert made.get("name") == "A"
    assert crm.live("companies") == [made]
    assert crm.find("companies", one.id) is crm.find("companies", other.id) is made


def test_losers_are_listed_as_archived_only_where_the_portal_does_so() -> None:
    for shown in (True, False):
        crm = Crm(merged_are_archived=shown)
        winner, loser = contact(crm), contact(crm)
        crm.merge(winner, [loser], NOON + MINUTE)
        assert crm.count("contacts", archived=True) == int(shown)


def test_associations_move_with_a_merge_and_hide_what_is_archived(crm: Crm) -> None:
    winner, loser = contact(crm), contact(crm)
    deal = crm.create("deals", NOON, {})
    crm.link(deal, loser, "Decision maker")
    crm.merge(winner, [loser], NOON + MINUTE)
    assert crm.links("deals", deal.id, "contacts") == {winner.id: ("Decision maker",)}
    crm.archive(winner, NOON + MINUTE)
    assert crm.links("deals", deal.id, "contacts") == {}


def test_a_purged_record_leaves_no_trace(crm: Crm) -> None:
    somebody, deal = contact(crm), crm.create("deals", NOON, {})
    crm.link(deal, somebody)
    crm.purge(somebody)
    assert crm.find("contacts", somebody.id) is None
    assert crm.count("contacts") == crm.count("contacts", archived=True) == 0
    assert crm.links("deals", deal.id, "contacts") == {}


def test_the_bin_is_emptied_but_merged_records_still_lead_to_their_winner() -> None:
    crm = Crm(merged_are_archived=True)
    winner, loser, old, new = (contact(crm) for _ in range(4))
    crm.merge(winner, [loser], NOON)
    crm.archive(old, NOON)
    crm.archive(new, NOON + 2 * MINUTE)
    crm.empty_bin(NOON + MINUTE)
    assert crm.ids("contacts", archived=True) == [loser.id, new.id]
    assert crm.find("contacts", old.id) is None
    assert crm.find("contacts", loser.id) is winner


def test_the_state_of_a_minute_ago_is_known(crm: Crm) -> None:
    somebody = contact(crm, lifecyclestage="lead")
    crm.change(somebody, NOON + MINUTE, lifecyclestage="customer", phone="1")
    assert somebody.as_of(NOON - 1) is None
    assert somebody.as_of(NOON)["lifecyclestage"] == "lead"
    assert "phone" not in somebody.as_of(NOON)
    assert somebody.as_of(NOON)["lastmodifieddate"] == "2026-11-20T12:00:00Z"
    assert somebody.as_of(NOON + MINUTE)["lifecyclestage"] == "customer"
    crm.archive(somebody, NOON + 2 * MINUTE)
    assert somebody.as_of(NOON + MINUTE) is not None
    assert somebody.as_of(NOON + 2 * MINUTE) is None


def test_an_id_that_is_taken_is_refused(crm: Crm) -> None:
    crm.create("contacts", NOON, {}, record_id=7198)
    with pytest.raises(ValueError, match="7198"):
        crm.create("contacts", NOON, {}, record_id=7198)
