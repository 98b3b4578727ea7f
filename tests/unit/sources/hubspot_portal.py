"""A blank portal behind a real socket and an extractor that remembers its states from night to night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from orchestration.demo.crm.portals import blank_portal
from orchestration.demo.crm.records import Record as CrmRecord
from orchestration.demo.crm.store import Crm
from orchestration.demo.hubspot.account import Account
from orchestration.demo.hubspot.app import Asked
from orchestration.demo.hubspot_server import RunningHubspot, running
from orchestration.demo.serving.faults import Fault
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.hubspot.source import HUBSPOT


@dataclass
class Read:
    """One stream read to its end."""

    extract: Extract
    records: list[Record]

    @property
    def mode(self) -> str:
        return self.extract.mode

    @property
    def notes(self) -> list[str]:
        return self.extract.notes

    @property
    def live(self) -> dict[str, dict[str, Any]]:
        return {record.record_id: dict(record.payload or {}) for record in self.records if not record.deleted}

    @property
    def deleted(self) -> dict[str, dict[str, Any] | None]:
        return {
            record.record_id: dict(record.payload) if record.payload is not None else None
            for record in self.records
            if record.deleted
        }


@dataclass
class Portal:
    """``states`` are what the loader would have stored."""

    server: RunningHubspot
    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        return self.server.account("blank")

    @property
    def crm(self) -> Crm:
        return self.account.crm

    @property
    def log(self) -> list[Asked]:
        return self.server.service.log

    def add(self, count: int, kind: str = "contacts", first: int = 1000) -> list[CrmRecord]:
        account = self.account
        return [account.crm.create(kind, account.now, {}, first + number) for number in range(count)]

    def change(self, record: CrmRecord, **properties: Any) -> None:
        account = self.account
        account.crm.change(record, account.now, **properties)

    def quiet_night(self, stream: str = "contacts") -> None:
        """Read, and read again a day later: what stands now is behind the next search's overlap."""
        self.read(stream)
        self.later(86_400)
        self.read(stream)
        self.later(86_400)

    def later(self, seconds: float) -> None:
        self.account.ahead_ms += int(seconds * 1000)

    def fault(self, **rule: Any) -> None:
        self.server.service.faults.add(Fault.of(rule))

    @contextmanager
    def session(self, **settings: Any) -> Iterator[Any]:
        connection: dict[str, Any] = {**self.server.connection("blank"), **settings}
        with HUBSPOT.open(connection, organization="org", timezone="America/Chicago") as session:
            # Waiting for limits has tests of its own.
            session.api.limiter.permit(1_000_000, 1.0)
            session.api.search_limiter.permit(1_000_000, 1.0)
            yield session

    def read(self, stream: str = "contacts", window: tuple[date, date] | None = None, **settings: Any) -> Read:
        with self.session(**settings) as session:
            extract = session.read(HUBSPOT.stream(stream), self.states.get(stream), window)
            result = Read(extract, list(extract.records))
        if window is None:
            self.states[stream] = extract.state
        return result

    def asked(self, part: str, of: Callable[[Asked], bool] = lambda asked: True) -> list[Asked]:
        return [asked for asked in self.log if part in asked.path and of(asked)]


@contextmanager
def portal(**facts: Any) -> Iterator[Portal]:
    with running(portals=[blank_portal(**facts)]) as server:
        yield Portal(server)
