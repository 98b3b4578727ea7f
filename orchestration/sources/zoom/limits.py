"""How fast an account may be asked, by the weight that Zoom gives an operation and by the account's plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from orchestration.sources.core.limits import RateLimiter

Plan = Literal["free", "pro", "business"]
Weight = Literal["light", "medium", "heavy", "intensive"]

# A tenth of every limit is left to the account's clock and to requests on their way.
SHARE = 0.9

# (requests, seconds) of all apps of the account together.
MEETING_LIMITS: Mapping[Plan, Mapping[Weight, tuple[int, float]]] = {
    "free": {"light": (4, 1.0), "medium": (2, 1.0), "heavy": (1, 1.0), "intensive": (10, 60.0)},
    "pro": {"light": (30, 1.0), "medium": (20, 1.0), "heavy": (10, 1.0), "intensive": (10, 60.0)},
    "business": {"light": (80, 1.0), "medium": (60, 1.0), "heavy": (40, 1.0), "intensive": (20, 60.0)},
}
# Zoom Phone counts on its own; it has no free plan.
PHONE_LIMITS: Mapping[Plan, Mapping[Weight, tuple[int, float]]] = {
    "free": {"light": (20, 1.0), "medium": (10, 1.0), "heavy": (5, 1.0), "intensive": (5, 60.0)},
    "pro": {"light": (20, 1.0), "medium": (10, 1.0), "heavy": (5, 1.0), "intensive": (5, 60.0)},
    "business": {"light": (40, 1.0), "medium": (20, 1.0), "heavy": (10, 1.0), "intensive": (10, 60.0)},
}
_CATEGORIES: Mapping[str, Weight] = {
    "light": "light",
    "medium": "medium",
    "heavy": "heavy",
    "resource-intensive": "intensive",
    "resource intensive": "intensive",
}


@dataclass
class Limits:
    """The limiters of one session. Documented numbers hold until an answer tells the account's own."""

    plan: Plan
    _limiters: dict[tuple[bool, Weight], RateLimiter] = field(default_factory=dict)
    _weights: dict[str, Weight] = field(default_factory=dict)

    def of(self, operation: str, weight: Weight) -> RateLimiter:
        """The limiter of an operation, such as ``/report/daily``; its weight may have been told to be another."""
        phone, weight = is_phone(operation), self._weights.get(operation, weight)
        if (phone, weight) not in self._limiters:
            calls, seconds = (PHONE_LIMITS if phone else MEETING_LIMITS)[self.plan][weight]
            self._limiters[phone, weight] = RateLimiter(*_shared(calls, seconds))
        return self._limiters[phone, weight]

    def learn(self, operation: str, weight: Weight, headers: Mapping[str, str]) -> None:
        """Take from an answer's headers, where it has them, the operation's weight and the limit of its class."""
        told = _CATEGORIES.get(headers.get("x-ratelimit-category", "").strip().lower())
        if told is not None:
            self._weights[operation] = told
        try:
            most = int(headers["x-ratelimit-limit"])
        except (KeyError, ValueError):
            return
        if most > 0 and headers.get("x-ratelimit-type", "").strip().upper() == "QPS":
            self.of(operation, weight).permit(*_shared(most, 1.0))


def is_phone(operation: str) -> bool:
    """Whether an operation is Zoom Phone's, whose limits are its own."""
    return operation.startswith("/phone/")


def _shared(calls: int, seconds: float) -> tuple[int, float]:
    """What of a limit is used: fewer requests in the same time or, of a single one, the same in a longer time."""
    return (int(calls * SHARE), seconds) if calls > 1 else (calls, seconds / SHARE)
