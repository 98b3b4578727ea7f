"""What describes an account and is read whole every night: users, phone users, call queues."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.sources.core.records import Extract, Record
from orchestration.sources.zoom.api import AccountApi, Row
from orchestration.sources.zoom.days import READ_AT
from orchestration.sources.zoom.paging import listed
from orchestration.sources.zoom.streams import DirectoryStream


def read_directory(api: AccountApi, stream: DirectoryStream) -> Extract:
    """All members, one status after the other. What was listed before and is not any more is gone.

    Pending users have no id: their key is ``pending/<e-mail address>``. The status that was asked for stands in for
    one that a record does not name.
    """
    extract = Extract(records=(), mode="full", state={READ_AT: api.now().isoformat(timespec="seconds")})

    def records() -> Iterator[Record]:
        seen: set[str] = set()
        for status in stream.statuses or (None,):
            for rows in members(api, stream, status, extract.notes):
                for row in rows:
                    key = identity(row)
                    # Whoever moved between two lists meanwhile is in both; their own word for it is believed.
                    if status is None or row.get("status"):
                        yield Record(key, row)
                    elif key not in seen:
                        yield Record(key, {**row, "status": status})
                    seen.add(key)

    extract.records = records()
    return extract


def members(api: AccountApi, stream: DirectoryStream, status: str | None, notes: list[str]) -> Iterator[list[Row]]:
    """The members of one status, page by page."""
    what = f"list of {status} {stream.name}" if status else f"list of {stream.name}"
    return listed(lambda token: api.directory(stream, status, token), what=what, key=identity, notes=notes)


def identity(row: Row) -> str:
    """A member's id or, of those invited who have none yet, the address the invitation went to."""
    if row.get("id"):
        return str(row["id"])
    return f"pending/{str(row['email']).strip().lower()}" if row.get("email") else ""
