from __future__ import annotations

import pytest

from orchestration.errors import PermanentError
from orchestration.sources.core.paging import cursor_pages, numbered_pages


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 30, 31])
def test_numbered_pages_give_every_row_once(count: int) -> None:
    rows = list(range(count))
    asked: list[int] = []

    def fetch(position: int) -> list[int]:
        asked.append(position)
        return rows[position - 1 : position + 9]

    pages = numbered_pages(fetch, size=10, what="rows", identity=lambda row: row)
    assert [row for page in pages for row in page] == rows
    assert asked == [1 + 10 * number for number in range(count // 10 + 1)]


def test_a_server_that_overlooks_the_position_is_stopped() -> None:
    pages = numbered_pages(lambda _position: [1, 2, 3], size=3, what="rows", identity=lambda row: row)
    with pytest.raises(PermanentError, match="rows: the server repeats a page"):
        list(pages)


def test_an_empty_page_with_a_cursor_is_not_the_end() -> None:
    answers = {None: ([1], "a"), "a": ([], "b"), "b": ([2], None)}
    assert list(cursor_pages(lambda cursor: answers[cursor], what="rows")) == [[1], [2]]


def test_an_empty_cursor_is_the_end() -> None:
    assert list(cursor_pages(lambda _cursor: ([1], ""), what="rows")) == [[1]]


def test_a_repeated_cursor_is_refused_within_two_pages() -> None:
    pages = cursor_pages(lambda _cursor: ([1], "same"), what="rows")
    assert [next(pages), next(pages)] == [[1], [1]]
    with pytest.raises(PermanentError, match="repeats"):
        next(pages)
