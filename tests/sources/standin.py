"""What the suite needs to know of a source's stand-in to put the source through every case."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import pytest

from orchestration.demo.serving.faults import Fault
from orchestration.sources import SOURCES
from orchestration.sources.core.auth import MemoryTokenStore
from orchestration.sources.core.records import Extract, Record, Session

ONE, TWO = "one", "two"
Window = tuple[date, date]


HTTP_TROUBLE = ("500", "502", "503", "504", "reset", "truncated", "cut", "bad_gzip", "html", "fault")


@dataclass(frozen=True)
class Reading:
    """One stream read to its end. ``keys``: ids of live records, in the order they came."""

    records: list[Record]
    extract: Extract
    session: Session
    keys: list[str]


class StandIn(ABC):
    """A running stand-in with two empty accounts, ``one`` and ``two``, and what can be done in them.

    A description says, source by source, what the abstract members ask, in terms of its stand-in.

    stream
        The stream whose records the suite makes, edits and deletes.
    page
        How many of its records the source gives at a time.
    pages
        (part of the path, part of the query) of the requests that read the stream's pages.
    content
        Path of the value inside a payload that ``edit`` changes, as Postgres' ``#>>`` takes it.
    deadline
        The constant that bounds one request of the stream, by its full name.
    gap_days
        After so many days the source no longer tells what was deleted.
    quotas
        How many daily quotas of the source are counted apart.
    secrets
        The settings that are credentials.
    not_applicable
        Case -> why it can't concern this source. Every other case is run.
    troubles, first_troubles
        Failures that pass or stay, each on a second page; and those that are tried on a first one.
    starts_over
        Whether a stream that broke off is read again from its first page.
    key
        How a landed row tells its id, in SQL; a source whose rows have no key says it by one of their values.
    writes_per_edit
        Rows written for a changed record; without a key, it is another row from then on.
    text_at
        How a landed row tells the value of a member by its ``name`` (as ``member`` gives it), in SQL.
    refused
        Which kinds of values that strict databases refuse the source can send.
    """

    source: ClassVar[str]
    stream: ClassVar[str]
    page: ClassVar[int]
    pages: ClassVar[tuple[str, str]]
    content: ClassVar[str]
    deadline: ClassVar[str]
    gap_days: ClassVar[int]
    secrets: ClassVar[tuple[str, ...]]
    not_applicable: ClassVar[Mapping[str, str]]
    quotas: ClassVar[int] = 1
    troubles: ClassVar[tuple[str, ...]] = HTTP_TROUBLE
    first_troubles: ClassVar[tuple[str, ...]] = ("500", "reset", "html")
    starts_over: ClassVar[bool] = False
    key: ClassVar[str] = "record_id"
    writes_per_edit: ClassVar[int] = 1
    text_at: ClassVar[str] = "payload ->> name"
    refused: ClassVar[tuple[str, ...]] = ("Nul", "Half", "NotANumber", "Endless")

    server: Any

    @classmethod
    @abstractmethod
    def start(cls, patch: pytest.MonkeyPatch) -> AbstractContextManager[StandIn]:
        """Serve the two accounts until the block ends."""

    @abstractmethod
    def settings(self, account: str) -> dict[str, Any]:
        """The connection of an account, resolved."""

    @abstractmethod
    def secret_values(self) -> list[str]:
        """Every credential in use: configured and issued since."""

    @abstractmethod
    def refuse(self, account: str) -> None:
        """End the account's credentials for good."""

    @abstractmethod
    def keys(self, account: str = ONE) -> set[str]:
        """Ids of the live records of the stream: the truth to compare with."""

    @abstractmethod
    def make(self, count: int, account: str = ONE) -> list[str]:
        """Add so many records at the stand-in's instant; their ids."""

    @abstractmethod
    def edit(self, key: str, at: datetime | None = None) -> str:
        """Change a record, at the stand-in's instant or another; what then stands at ``content``."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete a record as users do."""

    @abstractmethod
    def destroy(self, key: str) -> None:
        """Delete a record so that after ``gap_days`` nothing tells of it."""

    @abstractmethod
    def record_text(self, key: str, members: str, updated: datetime | None = None) -> str:
        """A record as JSON text with further ``members`` (text as well) at its top level."""

    @abstractmethod
    def serve(self, *records: str) -> None:
        """Have the stream's full read answer with these texts, as they are."""

    # Asked only where the case that needs it applies.

    def rotate(self) -> None:
        """Let every refresh give another refresh token."""
        raise NotImplementedError

    def expire(self, account: str = ONE) -> None:
        """End the access tokens that are out."""
        raise NotImplementedError

    def refreshes(self) -> list[str]:
        """A name for the refresh token of every request to the token endpoint."""
        raise NotImplementedError

    def end_authorization_in(self, days: int, patch: pytest.MonkeyPatch) -> str:
        """Let the authorization end so soon; the stream whose notes say it."""
        raise NotImplementedError

    def use_up_quota(self) -> None:
        """Let the account's requests of today be used up."""
        raise NotImplementedError

    def odd_pages(self) -> None:
        """Let pages be shorter than asked for and, where the source does so, empty."""
        raise NotImplementedError

    def repeat_pages(self) -> None:
        """Let the second page be the first again."""
        raise NotImplementedError

    def past_end(self) -> tuple[str, set[str]]:
        """Let the last page of a list carry a token; the stream, and the ids that reading it must give once each."""
        raise NotImplementedError

    def expiring_page(self) -> tuple[str, set[str]]:
        """Let a page token expire before it is used, once; the stream, and the ids that reading it must give."""
        raise NotImplementedError

    def slashed_ids(self) -> tuple[str, set[str]]:
        """Make records that are asked for by ids with slashes; the stream, and the ids that reading it must give."""
        raise NotImplementedError

    def lower_ceiling(self, patch: pytest.MonkeyPatch) -> list[int]:
        """Let one search end early; ids of more records than it then gives, ready to be made."""
        raise NotImplementedError

    def make_with_ids(self, ids: Iterable[int]) -> None:
        """Add records with ids of one's choice."""
        raise NotImplementedError

    def calendar(self) -> tuple[str, list[tuple[Window, set[str]]]]:
        """A stream, and windows side by side with the ids that each must give."""
        raise NotImplementedError

    def tighten_own_limit(self, patch: pytest.MonkeyPatch) -> list[str]:
        """Make the limit that some requests have to themselves bite within seconds; streams that make such."""
        raise NotImplementedError

    def hide(self) -> tuple[str, str, str, str]:
        """Hide a record: its stream, its id, and path and value that then tell of it."""
        raise NotImplementedError

    def merge(self, winner: str, loser: str) -> None:
        """Let one record swallow another."""
        raise NotImplementedError

    def restore(self, key: str) -> None:
        """Bring a deleted record back as if it had never changed."""
        raise NotImplementedError

    def make_same(self, count: int, account: str = ONE) -> list[str]:
        """As ``make``, under ids that do not depend on the account."""
        return self.make(count, account)

    def make_recent(self, count: int, account: str = ONE) -> str:
        """Add so many records of days that every night reads again; their stream."""
        raise NotImplementedError

    def lose_recent(self) -> None:
        """Let account ``one`` have no record of those days any more, nor say what became of them."""
        raise NotImplementedError

    def rewrite_day(self) -> None:
        """Write the newest day anew as the source does for some days, with one more record."""
        raise NotImplementedError

    def corrected_with(self, key: str) -> list[tuple[str, str]]:
        """(stream, id) of other rows that an edit of the record must change."""
        return []

    def member(self, name: str) -> str:
        """The payload's key for a member of ``record_text``."""
        return name

    def served(self, key: str) -> str:
        """The id of a record that was made by ``record_text``."""
        return key

    def id_of(self, record: Record) -> str:
        """The id of a record that was read."""
        return record.record_id

    # The same for all.

    @property
    def now(self) -> datetime:
        """The stand-in's clock."""
        return self.server.service.world().now

    def advance(self, days: int) -> None:
        """Let days pass at the source."""
        self.server.advance(days)

    def asked(self) -> list[Any]:
        """Requests so far."""
        return list(self.server.service.log)

    def pages_asked(self) -> int:
        """How often a page of the stream was asked for."""
        return self._pages_asked

    def fault(self, kind: str, *, page: int = 1, count: int | None = 1, **facts: Any) -> None:
        """Let the next requests for the stream fail, from the ``page``-th on."""
        path, contains = self.pages
        self.server.service.faults.add(Fault(kind, path=path, contains=contains, skip=page - 1, count=count, **facts))

    def trouble(self, kind: str, *, page: int = 1, count: int | None = 1) -> None:
        """One of ``troubles``, from the ``page``-th request for the stream on."""
        facts: dict[str, Any] = {"status": int(kind)} if kind.isdigit() else {}
        self.fault("status" if kind.isdigit() else kind, page=page, count=count, **facts)

    def heal(self) -> None:
        """No more faults."""
        self.server.service.faults.clear()

    def before(self, act: Callable[[str], None]) -> None:
        """Call ``act`` with the path and query of each request before it is answered."""
        self._acts.append(act)

    def at_page(self, number: int, act: Callable[[], None]) -> None:
        """Call ``act`` before the ``number``-th page of the stream from now on is answered."""
        due = self._pages_asked + number

        def when_due(text: str) -> None:
            if self._is_page(text) and self._pages_asked == due:
                act()

        self.before(when_due)

    @contextmanager
    def open(self) -> Iterator[Session]:
        """A session of the extractor on account ``one``; tokens that rotate are kept from one to the next."""
        opened = SOURCES[self.source].open(
            self.settings(ONE), organization=ONE, timezone="America/Chicago", token_store=self._tokens
        )
        with opened as session:
            yield session

    def read(
        self, state: Mapping[str, Any] | None = None, window: Window | None = None, stream: str | None = None
    ) -> Reading:
        """One stream of account ``one`` read by the extractor alone."""
        with self.open() as session:
            extract = session.read(SOURCES[self.source].stream(stream or self.stream), state, window)
            records = list(extract.records)
            keys = [self.id_of(record) for record in records if not record.deleted]
            return Reading(records, extract, session, keys)

    def listen(self) -> None:
        """Count the stream's pages and call what waits for requests; every start does this once."""
        self._acts: list[Callable[[str], None]] = []
        self._pages_asked = 0
        self._tokens = MemoryTokenStore()
        faults = self.server.service.faults
        take = faults.take

        def taken(path: str, text: str) -> Fault | None:
            self._pages_asked += self._is_page(text)
            for act in list(self._acts):
                act(text)
            return take(path, text)

        faults.take = taken

    def _is_page(self, text: str) -> bool:
        path, contains = self.pages
        return path in text and contains in text


def in_seconds(now: datetime, seconds: int) -> datetime:
    """So much later, without fractions."""
    return (now + timedelta(seconds=seconds)).replace(microsecond=0)
