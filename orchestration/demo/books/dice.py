"""Reproducible randomness: the same key gives the same throws in every process and Python version."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws keyed by words and numbers. Only ``Random.random`` is used: its sequence is promised by Python."""

    def __init__(self, *key: object) -> None:
        digest = blake2b("|".join(map(str, key)).encode(), digest_size=8).digest()
        self._random = random.Random(int.from_bytes(digest, "big")).random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def between(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._random() * len(choices))]

    def count(self, expected: float) -> int:
        """An integer whose mean is ``expected``: its whole part, and one more as often as its fraction says."""
        whole = int(expected)
        return whole + (self._random() < expected - whole)

    def cents(self, typical: int) -> int:
        """An amount from 40 % to 160 % of ``typical``, at least one cent."""
        return max(1, int(typical * (0.4 + 1.2 * self._random())))
