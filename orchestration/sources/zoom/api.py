"""The read operations of Zoom's API used here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from orchestration.sources.core.http import HttpClient, Reply
from orchestration.sources.core.instants import utc_now
from orchestration.sources.zoom.faults import DailyLimit, inspect
from orchestration.sources.zoom.limits import Limits, Weight, is_phone
from orchestration.sources.zoom.streams import DirectoryStream

VERSION = "/v2"
REPORT_PAGE = 300
CALL_PAGE = 300
DEADLINE = 120.0

CALLS = ("call_history", "call_logs")
# "All" past meetings are those that two or more were in; those that one was in are another list.
TOGETHER, ALONE = "past", "pastOne"

Row = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """Rows of one answer. ``token`` asks for the next page and is None on the last.

    ``total`` and ``pages``: how many records and pages the list has in all, where the answer says so.
    ``strange``: members of the list that are no objects and therefore not among the rows. ``size``: members that a page
    has at most.
    """

    rows: list[Row]
    token: str | None
    total: int | None = None
    pages: int | None = None
    strange: int = 0
    size: int | None = None

    @property
    def full(self) -> bool:
        """Whether the page has as many members as one may have."""
        return self.size is not None and len(self.rows) + self.strange >= self.size

    def reached(self, read: int) -> bool:
        """Whether as many records have been read as the answer counts."""
        return self.total is not None and read >= self.total


@dataclass
class AccountApi:
    """Requests about one account. ``zone``: the organization's, whose dates count."""

    base_url: str
    zone: ZoneInfo
    limits: Limits
    clock: datetime | None = None
    """The server's clock at the last answer; None before the first and where answers carry no date."""
    client: HttpClient = field(init=False)
    # By whether it is Zoom Phone's, which counts on its own.
    _used_up: dict[bool, DailyLimit] = field(default_factory=dict)
    _asked: tuple[str, Weight, Sequence[str], bool] = ("", "light", (), False)

    def inspect(self, reply: Reply) -> None:
        """See ``core.http.Inspect``; learns the clock and the limits from every answer."""
        operation, weight, rows, paged = self._asked
        self.clock = reply.date or self.clock
        self.limits.learn(operation, weight, reply.headers)
        try:
            inspect(reply, rows, paged)
        except DailyLimit as error:
            self._used_up[is_phone(operation)] = error
            raise

    def now(self) -> datetime:
        """The server's clock; before it is known, that of this machine."""
        return self.clock or utc_now()

    def directory(self, stream: DirectoryStream, status: str | None, token: str | None) -> Page:
        """A page of users, phone users or call queues."""
        params = {"status": status} if status else {}
        return self._get(stream.path, stream.path, "medium", params, token, stream.page, (stream.rows,))

    def daily(self, month: date) -> Page:
        """The daily report of a month: no pages, one row a day."""
        params = {"year": str(month.year), "month": str(month.month)}
        return self._get("/report/daily", "/report/daily", "heavy", params, None, None, ("dates",))

    def meetings(self, host: str, first: date, last: date, token: str | None, kind: str) -> Page:
        """A page of a host's past meetings between two dates, both included. ``kind``: TOGETHER or ALONE."""
        path = f"/report/users/{quote(host, safe='')}/meetings"
        params = {**_range(first, last), "type": kind}
        return self._get(path, "/report/users/meetings", "heavy", params, token, REPORT_PAGE, ("meetings",))

    def participants(self, uuid: str, token: str | None) -> Page:
        """A page of who was in one occurrence of a meeting."""
        path = f"/report/meetings/{encoded_uuid(uuid)}/participants"
        return self._get(path, "/report/meetings/participants", "heavy", {}, token, REPORT_PAGE, ("participants",))

    def calls(self, first: date, last: date, token: str | None) -> Page:
        """A page of calls that started between two dates, both included.

        An answer carries the same calls twice: as ``call_history`` and, deprecated, as ``call_logs``. One is read.
        """
        params = {**_range(first, last), "time_type": "start_time"}
        return self._get("/phone/call_history", "/phone/call_history", "heavy", params, token, CALL_PAGE, CALLS)

    def _get(
        self,
        path: str,
        operation: str,
        weight: Weight,
        params: Mapping[str, str],
        token: str | None,
        size: int | None,
        rows: Sequence[str],
    ) -> Page:
        if used_up := self._used_up.get(is_phone(operation)):
            raise DailyLimit(used_up.message, hint=used_up.hint)
        self._asked = (operation, weight, rows, token is not None)
        reply = self.client.call(
            "GET",
            f"{self.base_url}{VERSION}{path}",
            params={
                **params,
                **({"page_size": str(size)} if size else {}),
                **({"next_page_token": token} if token else {}),
            },
            limiters=(self.limits.of(operation, weight),),
            deadline=DEADLINE,
        )
        return _page(reply.json, rows, size)


def encoded_uuid(uuid: str) -> str:
    """A meeting's uuid as it stands in a path: encoded twice where Zoom would take its slashes for the path's."""
    once = quote(uuid, safe="")
    return quote(once, safe="") if uuid.startswith("/") or "//" in uuid else once


def _page(body: Mapping[str, Any], names: Sequence[str], size: int | None) -> Page:
    lists = [body[name] for name in names if isinstance(body.get(name), list)]
    found: list[Any] = next((one for one in lists if one), [])
    rows = [row for row in found if isinstance(row, dict)]
    token = body.get("next_page_token")
    return Page(
        rows,
        str(token) if token else None,
        _count(body.get("total_records")),
        _count(body.get("page_count")),
        len(found) - len(rows),
        _count(body.get("page_size")) or size,
    )


def _count(value: object) -> int | None:
    """A number, which Zoom describes as text in some of its lists."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if type(value) is int else None


def _range(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}
