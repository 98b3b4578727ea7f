"""What an account holds. Instants are aware, UTC, in whole seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Person:
    """A user. Invited at ``created``, active from ``activated`` on, and from ``left`` on deactivated until ``removed``.

    phone
        Whether they have a licence of Zoom Phone, from ``activated`` to ``left``.
    extra
        Further members of their records.
    """

    id: str
    email: str
    name: str
    created: datetime
    activated: datetime | None
    left: datetime | None = None
    removed: datetime | None = None
    phone: bool = True
    extra: dict[str, Any] = field(default_factory=dict)

    def status(self, now: datetime) -> str | None:
        """active, inactive or pending; None where there is no such user."""
        if now < self.created or (self.removed is not None and now >= self.removed):
            return None
        if self.activated is None or now < self.activated:
            return "pending"
        return "inactive" if self.left is not None and now >= self.left else "active"

    def phone_status(self, now: datetime) -> str | None:
        """activate, deactivate or pending; None where there is no phone user."""
        of = {"active": "activate", "inactive": "deactivate", "pending": "pending"}
        status = self.status(now)
        return of[status] if status and self.phone else None


@dataclass
class Queue:
    """A call queue; from ``closed`` on inactive."""

    id: str
    name: str
    number: int
    closed: datetime | None = None

    def status(self, now: datetime) -> str:
        return "inactive" if self.closed is not None and now >= self.closed else "active"


@dataclass
class Leg:
    """One record of the call history. Legs of one call share its ``call_id``. ``shown``: when it appears there."""

    uuid: str
    call_id: str
    direction: str
    start: datetime
    seconds: int
    result: str
    shown: datetime
    caller: str = "+15552010001"
    callee: str = "+15552010002"
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stay:
    """Somebody in a meeting from ``join`` to ``leave``; whoever comes back has another stay."""

    user_id: str
    name: str
    email: str
    join: datetime
    leave: datetime

    @property
    def seconds(self) -> int:
        return int((self.leave - self.join).total_seconds())


@dataclass
class Meeting:
    """One occurrence of a meeting, over; ``shown``: when reports know it, ``kind``: Zoom's number, 5 of a webinar."""

    uuid: str
    number: int
    host: Person
    topic: str
    start: datetime
    end: datetime
    stays: list[Stay]
    shown: datetime
    kind: int = 2

    @property
    def minutes(self) -> int:
        """How long it took, rounded up as Zoom bills it."""
        return -int(-(self.end - self.start).total_seconds() // 60)

    @property
    def participants(self) -> int:
        """People in it, each once."""
        return len({stay.name for stay in self.stays})

    @property
    def participant_minutes(self) -> int:
        """Minutes of all stays together, rounded up."""
        return -(-sum(stay.seconds for stay in self.stays) // 60)
