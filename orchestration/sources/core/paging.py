"""Walking pages without stopping early and without going round in circles."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeVar

from orchestration.errors import PermanentError

T = TypeVar("T")


class LoopGuard:
    """Refuses a page that was already there: a server that repeats itself would be read forever."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: set[Hashable] = set()

    def see(self, token: Hashable) -> None:
        """Note one page's token; PermanentError where it has been seen."""
        if token in self._seen:
            raise PermanentError(
                f"{self._what}: the server repeats a page it already sent",
                hint="this is a defect of the server's paging; nothing was stored.",
            )
        self._seen.add(token)


def numbered_pages(
    fetch: Callable[[int], Sequence[T]], *, size: int, what: str, identity: Callable[[T], Hashable], first: int = 1
) -> Iterator[Sequence[T]]:
    """Pages of ``size`` by position, from ``first`` on, until one is short or empty.

    ``fetch(position)`` gives the page that starts there; ``identity`` tells rows apart.
    """
    guard = LoopGuard(what)
    position = first
    while True:
        page = fetch(position)
        if page:
            yield page
        if len(page) < size:
            return
        guard.see(hash(tuple(map(identity, page))))
        position += size


def cursor_pages(
    fetch: Callable[[Any | None], tuple[Sequence[T], Hashable | None]], *, what: str
) -> Iterator[Sequence[T]]:
    """Pages by the cursor each one gives for the next, until none is given: an empty page alone is not the end."""
    guard = LoopGuard(what)
    cursor: Hashable | None = None
    while True:
        page, cursor = fetch(cursor)
        if page:
            yield page
        if cursor is None or cursor == "":
            return
        guard.see(cursor)
