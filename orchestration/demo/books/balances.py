"""Sums of postings by account between any two days, without walking them again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from orchestration.demo.books.postings import Posting


class Balances:
    """Running debit-positive balances of every account."""

    def __init__(self, postings: Iterable[Posting]) -> None:
        by_account: dict[int, list[tuple[int, int]]] = {}
        for posting in postings:
            by_account.setdefault(posting.account, []).append((posting.day, posting.cents))
        self._days: dict[int, list[int]] = {}
        self._sums: dict[int, list[int]] = {}
        for account, moves in by_account.items():
            moves.sort()
            self._days[account] = [day for day, _ in moves]
            self._sums[account] = [0, *accumulate(cents for _, cents in moves)]

    def between(self, account: int, first: int, last: int) -> int | None:
        """Cents posted from day ``first`` to ``last``, both included; None where nothing was posted."""
        days = self._days.get(account)
        if days is None:
            return None
        start, end = bisect_right(days, first - 1), bisect_right(days, last)
        return None if start == end else self._sums[account][end] - self._sums[account][start]

    def at(self, account: int, day: int) -> int | None:
        """Balance at the end of ``day``; None where nothing was ever posted until then."""
        return self.between(account, 0, day)
