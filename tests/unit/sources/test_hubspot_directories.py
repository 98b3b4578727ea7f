"""Owners and pipelines: whole every night, those who left kept, those removed named."""

from __future__ import annotations

import pytest
from hubspot_portal import Portal

from orchestration.demo.crm.records import Owner, Pipeline, Stage
from orchestration.errors import PermanentError


def owner(hubspot: Portal, number: int, *, archived: bool = False) -> None:
    at = hubspot.account.now
    hubspot.crm.owners[number] = Owner(number, number + 1, f"{number}@x.com", "A", "B", at, at, archived)


def pipeline(hubspot: Portal, kind: str, name: str) -> None:
    at = hubspot.account.now
    stages = [Stage("won", "Anything", {"isClosed": "true", "probability": "1.0"}, at, at)]
    hubspot.crm.pipelines[kind].append(Pipeline(name, name, at, at, stages))


def test_owners_are_read_over_all_pages_and_those_who_left_are_deleted_with_their_names(hubspot: Portal) -> None:
    for number in range(1, 230):
        owner(hubspot, number, archived=number % 3 == 0)
    read = hubspot.read("owners")
    assert read.mode == "full"
    assert len(read.live) == 153
    assert len(read.deleted) == 76
    assert (read.deleted["3"] or {})["email"] == "3@x.com"


def test_owners_that_say_they_are_not_archived_have_not_left(hubspot: Portal) -> None:
    for number in range(1, 120):
        owner(hubspot, number, archived=number == 3)
    hubspot.account.ignores_archived = True
    read = hubspot.read("owners")
    assert (len(read.live), read.deleted) == (118, {})
    assert read.notes == [
        "118 owners in the list of those who left are not archived, as they say: not taken as deleted"
    ]


def test_a_pipeline_lands_as_one_record_with_its_stages_under_a_key_of_its_kind(hubspot: Portal) -> None:
    pipeline(hubspot, "deals", "default")
    pipeline(hubspot, "tickets", "default")
    read = hubspot.read("pipelines")
    assert set(read.live) == {"deals/default", "tickets/default"}
    payload = read.live["deals/default"]
    assert payload["objectType"] == "deals"
    assert payload["stages"][0]["metadata"] == {"isClosed": "true", "probability": "1.0"}


def test_a_removed_pipeline_is_named_as_deleted_and_an_empty_answer_is_not_believed(hubspot: Portal) -> None:
    for name in ("a", "b"):
        pipeline(hubspot, "deals", name)
    hubspot.read("pipelines")
    removed = hubspot.crm.pipelines["deals"].pop()
    assert hubspot.read("pipelines").deleted == {"deals/b": None}
    assert hubspot.read("pipelines").deleted == {}

    hubspot.crm.pipelines["deals"].clear()
    read = hubspot.read("pipelines")
    assert (read.mode, read.live, read.deleted) == ("incremental", {}, {})
    assert read.notes == ["HubSpot lists no pipelines of deals any more: those known were kept"]
    hubspot.crm.pipelines["deals"].append(removed)
    assert hubspot.read("pipelines").deleted == {"deals/a": None}


def test_pipelines_of_a_kind_that_never_could_be_read_are_left_out_and_lost_ones_fail(hubspot: Portal) -> None:
    pipeline(hubspot, "deals", "a")
    pipeline(hubspot, "tickets", "b")
    hubspot.account.missing_scopes = {"tickets"}
    read = hubspot.read("pipelines")
    assert set(read.live) == {"deals/a"}
    assert read.notes == ["without the pipelines of tickets: they take the scope tickets"]
    hubspot.account.missing_scopes = {"tickets", "crm.objects.deals.read"}
    with pytest.raises(PermanentError, match=r"crm\.objects\.deals\.read"):
        hubspot.read("pipelines")
    hubspot.states.clear()
    assert hubspot.read("pipelines").notes[0].startswith("pipelines skipped")


def test_of_a_lost_kind_that_is_skipped_pipelines_stay_as_they_are_and_others_are_read(hubspot: Portal) -> None:
    pipeline(hubspot, "deals", "a")
    pipeline(hubspot, "tickets", "b")
    hubspot.read("pipelines")
    hubspot.account.missing_scopes = {"tickets"}
    with pytest.raises(PermanentError, match="it takes the scope tickets") as raised:
        hubspot.read("pipelines")
    assert "name tickets under skip_streams" in raised.value.hint

    pipeline(hubspot, "deals", "c")
    read = hubspot.read("pipelines", skip_streams=["tickets"])
    # Incremental: that the tickets' pipelines are not among the records deletes none.
    assert (read.mode, set(read.live), read.deleted) == ("incremental", {"deals/a", "deals/c"}, {})

    # Back again, one that was removed meanwhile is still known to have been there.
    hubspot.account.missing_scopes = set()
    hubspot.crm.pipelines["tickets"].pop()
    pipeline(hubspot, "tickets", "d")
    read = hubspot.read("pipelines")
    assert (read.mode, set(read.deleted)) == ("full", {"tickets/b"})
