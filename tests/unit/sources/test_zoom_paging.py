"""Where a list ends, whatever its answers count: all there is, themselves, or nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestration.sources.zoom.api import Page, Row, _page
from orchestration.sources.zoom.paging import listed

SIZE = 10

Counts = Callable[[int], dict[str, int | str]]
Fetch = Callable[[str | None], Page]


def pages_of(number: int, counts: Counts, past_end: bool) -> Fetch:
    """A server of ``number`` calls; ``counts``: what an answer with so many of them says of numbers."""

    def fetch(token: str | None) -> Page:
        start = int(token or 0)
        rows = [{"call_history_uuid": str(one)} for one in range(start, min(start + SIZE, number))]
        more = start + SIZE < number or (past_end and rows)
        body = {"call_history": rows, "next_page_token": str(start + SIZE) if more else "", "page_size": SIZE}
        return _page(body | counts(len(rows)), ("call_history",), SIZE)

    return fetch


def of_all(number: int) -> Counts:
    return lambda _: {"total_records": number, "page_count": -(-number // SIZE)}


@pytest.mark.parametrize("past_end", [False, True])
@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 20, 31])
@pytest.mark.parametrize(
    "counts",
    [
        None,
        lambda found: {"total_records": found},
        lambda found: {"total_records": found, "page_count": 1 if found else 0},
        lambda found: {"page_count": 1 if found else 0},
        lambda found: {"total_records": found, "page_count": found},
        lambda _: {},
    ],
    ids=["of all", "records of each", "both of each", "pages of each", "records of each, twice", "nothing"],
)
def test_a_list_is_read_to_its_end_whether_answers_count_all_or_themselves(
    counts: Counts | None, number: int, past_end: bool
) -> None:
    fetch = pages_of(number, counts or of_all(number), past_end)
    found = listed(fetch, what="calls", key=_uuid, notes=[], counted=True)
    assert [_uuid(row) for rows in found for row in rows] == [str(one) for one in range(number)]


def test_numbers_that_are_written_as_text_say_where_the_end_is() -> None:
    asked = []

    def fetch(token: str | None) -> Page:
        asked.append(token)
        return pages_of(15, lambda _: {"total_records": "15", "page_count": "2"}, past_end=True)(token)

    list(listed(fetch, what="calls", key=_uuid, notes=[], counted=True))
    assert asked == [None, "10"], "nothing is asked for behind the end"


def _uuid(row: Row) -> str:
    return str(row["call_history_uuid"])
