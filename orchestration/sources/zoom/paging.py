"""Zoom's lists, page by page: tokens that expire, and some that go on behind the last page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestration.sources.core.paging import cursor_pages
from orchestration.sources.zoom.api import Page, Row
from orchestration.sources.zoom.faults import PageExpired

# How often a list is begun again because its page token expired meanwhile.
RESTARTS = 3
# Empty pages in a row after which a list that counts more than it gives is taken to have ended.
EMPTY_PAGES = 3

Fetch = Callable[[str | None], Page]


def listed(
    fetch: Fetch, *, what: str, key: Callable[[Row], str], notes: list[str], counted: bool = False
) -> Iterator[list[Row]]:
    """The rows of a list, page by page; begun again where a page token expired, without what was given before.

    key
        What tells rows apart; rows without one ("") come last, when it is certain that they come once.
    counted
        The list's token may lead on behind its end, so that ``total_records`` and ``page_count`` say where that is. The
        one is held against the other, for it may be meant of an answer alone. Elsewhere only an empty token ends it.
    """
    given: set[str] = set()
    for restart in range(RESTARTS + 1):
        before, keyless = frozenset(given), []
        try:
            for rows in _walk(fetch, what, notes, counted):
                keys = [key(row) for row in rows]
                keyless += [row for one, row in zip(keys, rows, strict=True) if not one]
                given.update(keys)
                yield [row for one, row in zip(keys, rows, strict=True) if one and one not in before]
        except PageExpired:
            if restart == RESTARTS:
                raise
        else:
            yield keyless
            return


def _walk(fetch: Fetch, what: str, notes: list[str], counted: bool) -> Iterator[list[Row]]:
    pages = read = empty = strange = 0
    total: int | None = None

    def one(token: str | None) -> tuple[list[Row], str | None]:
        nonlocal pages, read, empty, strange, total
        page = fetch(token)
        found, to_itself = len(page.rows) + page.strange, page.token == token
        # A page from behind the end counts nothing, or is one that was there before.
        if (found or total is None) and not (to_itself and page.reached(read)):
            read, total = read + found, page.total
        pages, strange, empty = pages + 1, strange + page.strange, 0 if found else empty + 1
        if not counted:
            return page.rows, page.token
        # A token that leads to itself when all that was counted has come is one behind the end.
        last = to_itself and page.reached(read)
        return page.rows, page.token if _goes_on(page, pages, read, empty) and not last else None

    for rows in cursor_pages(one, what=what):
        yield list(rows)
    if strange:
        notes.append(f"{what}: {strange} members of the list are no objects and were left out")
    if counted and total is not None and read != total:
        notes.append(f"{what}: Zoom counts {total} and gave {read}")


def _goes_on(page: Page, pages: int, read: int, empty: int) -> bool:
    """Whether a token is to be followed, in a list that may give one behind its end.

    What an answer counts, records and pages, may be those of that answer alone. A first one that is full is followed,
    and the next one shows it; from then on a total that was reached is that of all, for no answer has as many.
    """
    if page.total is not None and not page.reached(read):
        return empty < EMPTY_PAGES
    if empty:
        return False
    if page.total == read:
        return page.full and pages == 1
    # A total or a number of pages that has been passed counts something else.
    return page.full or page.pages != pages
