"""Searches find every changed record, past the 10,000 that one search gives, however the index orders ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hubspot_portal import Portal, portal

from orchestration.errors import PermanentError
from orchestration.sources.hubspot.api import SEARCH_PAGE, Page
from orchestration.sources.hubspot.changes import ChangeSearch

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
# As text, the second stands between the others.
AWKWARD = ["7198", "719869649082", "7199", "9", "10", "100000000001"]

Key = Callable[[str], Any]


@dataclass
class Index:
    """A search index with an order of ids and, maybe another, a comparison of ids."""

    ids: list[str]
    order: Key = str
    comparison: Key = str
    totals: bool = True
    before: Callable[[int], None] = lambda number: None
    empty_first: int = 0
    questions: list[tuple[str, str]] = field(default_factory=list)

    def search(self, kind: str, filters: Iterable[tuple[str, str, str]], *, after: str = "0") -> Page:
        self.before(len(self.questions))
        bounds = [value for name, operator, value in filters if (name, operator) == ("hs_object_id", "GT")]
        self.questions.append((bounds[0] if bounds else "", after))
        found = [one for one in self.ids if all(self.comparison(one) > self.comparison(bound) for bound in bounds)]
        found.sort(key=self.order)
        total = len(found) if self.totals else None
        if self.empty_first > 0:
            self.empty_first -= 1
            return Page([], str(int(after) + 1), total)
        rows: list[dict[str, Any]] = [
            {"id": one, "properties": {"hs_object_id": one}} for one in found[: SEARCH_PAGE // 100]
        ]
        return Page(rows, str(len(rows)) if len(found) > len(rows) else None, total)


def search(index: Index) -> ChangeSearch:
    return ChangeSearch(index, "contacts", "lastmodifieddate", SINCE)  # type: ignore[arg-type]


def found(searched: ChangeSearch) -> list[str]:
    return [one for page in searched.pages() for one in page]


@pytest.mark.parametrize("key", [str, int], ids=["as text", "as numbers"])
def test_every_id_is_found_once_whichever_way_the_index_compares_them(key: Key) -> None:
    searched = search(Index(list(AWKWARD), key, key))
    assert sorted(found(searched)) == sorted(AWKWARD)
    assert searched.complete()


def test_an_order_that_contradicts_the_comparison_is_noticed() -> None:
    ids = [str(number) for number in range(1, 200)]
    for order, comparison in ((str, int), (int, str)):
        searched = search(Index(ids, order, comparison))
        assert len(found(searched)) < len(ids)
        assert not searched.complete()


def test_an_index_that_ignores_the_bound_ends_and_counts_as_incomplete() -> None:
    index = Index(list(AWKWARD), comparison=lambda one: object_without_order)
    searched = search(index)
    assert len(found(searched)) == 2
    assert not searched.complete()
    searched = search(Index(list(AWKWARD), comparison=lambda one: object_without_order, totals=False))
    found(searched)
    assert not searched.complete()


class _Same:
    def __gt__(self, other: object) -> bool:
        return True


object_without_order = _Same()


def test_records_archived_while_searching_are_not_missed_ones() -> None:
    index = Index(list(AWKWARD))
    index.before = lambda number: index.ids.remove("9") if number == 1 else None
    searched = search(index)
    assert "9" not in found(searched)
    assert searched.complete()


def test_without_a_total_what_was_found_is_all() -> None:
    searched = search(Index(list(AWKWARD), totals=False))
    assert len(found(searched)) == len(AWKWARD)
    assert searched.complete()


def test_empty_pages_that_lead_on_are_followed_but_not_in_circles() -> None:
    searched = search(Index(list(AWKWARD), empty_first=2))
    assert len(found(searched)) == len(AWKWARD)

    class Circling(Index):
        def search(self, *args: Any, **named: Any) -> Page:
            return Page([], "7", 3)

    with pytest.raises(PermanentError, match="repeats a page"):
        found(search(Circling([])))


def change_all(hubspot: Portal, count: int) -> None:
    hubspot.add(3, first=500)
    for one in AWKWARD:
        hubspot.add(1, first=int(one))
    hubspot.quiet_night()
    hubspot.add(count, first=60_000_000)
    for one in AWKWARD:
        hubspot.change(hubspot.crm.records["contacts"][int(one)], firstname="New")


@pytest.mark.parametrize("numeric", [False, True], ids=["ids as text", "ids as numbers"])
def test_a_night_with_more_changes_than_a_search_gives_misses_none(numeric: bool) -> None:
    with portal(numeric_ids=numeric) as hubspot:
        change_all(hubspot, 10_300)
        night = hubspot.read()
        assert night.mode == "incremental"
        assert night.notes == []
        assert len(night.records) == len(night.live) == 10_300 + len(AWKWARD)
        assert set(AWKWARD) <= set(night.live)


def test_a_search_that_can_not_be_complete_is_made_up_for_by_a_list(hubspot: Portal) -> None:
    change_all(hubspot, 30)
    body = '{"total": 99, "results": [{"id": "9", "properties": {"hs_object_id": "9"}}]}'
    hubspot.fault(kind="body", path="/contacts/search", body=body, status=200, count=None)
    night = hubspot.read()
    assert night.mode == "incremental"
    assert set(night.live) == set(map(str, hubspot.crm.ids("contacts")))
    assert night.notes == ["search found 1 of the 99 changed records it counts: all records were listed instead"]


def test_a_search_that_is_refused_is_made_up_for_by_a_list(hubspot: Portal) -> None:
    change_all(hubspot, 5)
    hubspot.fault(kind="status", path="/contacts/search", status=400, count=None)
    night = hubspot.read()
    assert set(night.live) == set(map(str, hubspot.crm.ids("contacts")))
    assert night.notes[0].endswith("all records were listed instead")


def test_what_the_index_shows_too_late_is_found_the_night_after() -> None:
    with portal(search_lag_seconds=600) as hubspot:
        (person,) = hubspot.add(1)
        hubspot.quiet_night()
        hubspot.change(person, firstname="Late")
        assert hubspot.read().live == {}
        hubspot.later(86_400)
        assert hubspot.read().live["1000"]["properties"]["firstname"] == "Late"


def test_a_search_gives_ids_and_the_records_are_read_as_they_are_now() -> None:
    with portal(search_lag_seconds=600) as hubspot:
        one, other = hubspot.add(2)
        hubspot.quiet_night()
        hubspot.change(one, firstname="First")
        hubspot.change(other, firstname="Gone")
        hubspot.later(700)
        hubspot.change(one, firstname="Second")
        hubspot.crm.archive(other, hubspot.account.now)
        night = hubspot.read()
        assert night.live["1000"]["properties"]["firstname"] == "Second"
        assert set(night.live) == {"1000"}
        assert set(night.deleted) == {"1001"}
