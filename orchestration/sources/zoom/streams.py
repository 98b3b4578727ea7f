"""What is read from Zoom, as data. Streams are read in this order."""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.sources.core.records import Stream


@dataclass(frozen=True)
class DirectoryStream(Stream):
    """A list that describes the account and is read whole every night.

    path
        Below ``/v2``. ``rows`` is the member of an answer that holds the list.
    statuses
        Values of the list's ``status`` filter, each asked for on its own: without one, Zoom gives a part only.
    page
        The largest page Zoom serves.
    """

    path: str
    rows: str
    page: int
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True)
class DatedStream(Stream):
    """Records that belong to days: read by months as far back as Zoom keeps them, then the last days again."""


USERS = DirectoryStream(
    "users",
    "Users: active ones, those who were deactivated, and those invited who have no id yet",
    "/users",
    "users",
    300,
    ("active", "inactive", "pending"),
)
PHONE_USERS = DirectoryStream(
    "phone_users",
    "Users of Zoom Phone",
    "/phone/users",
    "users",
    100,
    ("activate", "deactivate", "pending"),
)
CALL_QUEUES = DirectoryStream("call_queues", "Call queues of Zoom Phone", "/phone/call_queues", "call_queues", 100)
DAILY_REPORT = DatedStream("daily_report", "Meetings, participants and minutes of each day, as Zoom reports them")
MEETINGS = DatedStream("meetings", "Past meetings of every host")
PARTICIPANTS = DatedStream("participants", "Who was in a meeting, once for every time they joined")
CALL_HISTORY = DatedStream("call_history", "Calls of Zoom Phone, one record for each leg of a call")

STREAMS: tuple[Stream, ...] = (
    USERS,
    PHONE_USERS,
    CALL_QUEUES,
    DAILY_REPORT,
    MEETINGS,
    PARTICIPANTS,
    CALL_HISTORY,
)
