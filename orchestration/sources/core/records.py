"""The vocabulary between extractors and the loader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

Mode = Literal["full", "incremental"]


@dataclass(frozen=True, slots=True)
class Record:
    """One landed row. ``payload`` is the object as received, numbers with a fraction as ``Decimal``.

    ``deleted`` marks the row as gone in the source. A deleted record keeps the last payload the warehouse has;
    with ``payload=None`` an unknown one is ignored, with a payload it is landed as deleted.
    """

    record_id: str
    payload: Mapping[str, Any] | None
    updated_at: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Stream:
    """One kind of record of a source: lands in ``staging_<source>.<name>``. Sources subclass it with their facts.

    ``part_length``: where parts of the stream are read whole (``Extract.replaced``), how many characters of a record id
    say which part it is of. Landed rows are indexed by them.
    """

    name: str
    description: str
    part_length: int = field(default=0, kw_only=True)


@dataclass
class Extract:
    """What reading one stream gives. ``records`` is lazy: requests happen while it is consumed, perhaps by a thread of
    its own, one at a time. A record belongs to the loader once it was given.

    mode
        ``full``: what is not among the records is gone in the source; ``incremental``: only what changed.
    state
        Stored with the rows in one transaction once ``records`` is exhausted; the reader may fill it until then.
        Given back as it was to the next read.
    notes
        Sentences worth showing to a person ("30-day gap: full read instead of change capture").
    replaced
        Beginnings of record ids, filled until ``records`` is exhausted: what begins so was read whole, so what of it is
        not among the records is gone in the source. For parts of a stream that are only ever read as a whole, such as
        a date.
    reread_days
        So many days, up to the last there is, were asked for whole, whether or not they were read before: what comes of
        them does not depend on what changed, so nothing is no quiet night. 0 where changes alone are asked for, days of
        somebody's choice. The reader may set it until ``records`` is exhausted.
    reread_records
        How many of the records are of those days; None: all.
    """

    records: Iterable[Record]
    mode: Mode
    state: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    reread_days: int = 0
    reread_records: int | None = None


def skipped(stream: Stream, state: Mapping[str, Any] | None) -> Extract:
    """Nothing read of a stream that organizations.yml says not to read: its rows and state stay as they are."""
    note = f"{stream.name} skipped: named under skip_streams in organizations.yml"
    return Extract(records=(), mode="incremental", state=dict(state or {}), notes=[note])


@dataclass
class RequestStats:
    """What a session cost: counts, and seconds waited for limits and retries (``retry_seconds``: for retries alone).

    ``received_bytes``: of answers; 0 where a source does not count them.
    """

    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0
    retry_seconds: float = 0.0
    received_bytes: int = 0


class Session(Protocol):
    """An open connection to one organization's source."""

    stats: RequestStats

    def read(self, stream: Stream, state: Mapping[str, Any] | None, window: tuple[date, date] | None) -> Extract:
        """Read one stream. ``state`` is None the first time; ``window`` (inclusive dates) asks for a backfill."""


@dataclass
class OAuthTokens:
    """Tokens of one connection. ``seed_fingerprint`` names the configured refresh token they descend from."""

    refresh_token: str = field(repr=False)
    seed_fingerprint: str
    access_token: str | None = field(default=None, repr=False)
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    previous_refresh_token: str | None = field(default=None, repr=False)
    revoked_reason: str | None = None


class TokenCell(Protocol):
    """The stored tokens of one connection, held exclusively."""

    tokens: OAuthTokens | None

    def save(self, tokens: OAuthTokens) -> None:
        """Durable and visible to other processes once this returns."""


class TokenStore(Protocol):
    """Single-writer storage of rotating tokens for one connection."""

    def locked(self) -> AbstractContextManager[TokenCell]:
        """Wait for and hold the connection's tokens: no other process or thread can refresh meanwhile."""
