"""A blank account behind a real socket and an extractor that remembers its states from night to night."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from orchestration.demo.zoom.account import Account, Quirks
from orchestration.demo.zoom.accounts import blank_account
from orchestration.demo.zoom.app import Asked
from orchestration.demo.zoom.records import Leg, Meeting, Person, Stay
from orchestration.demo.zoom_server import RunningZoom, running
from orchestration.sources.core.records import Extract, Record
from orchestration.sources.zoom.source import ZOOM


@dataclass
class Read:
    """One stream read to its end."""

    extract: Extract
    records: list[Record]

    @property
    def notes(self) -> list[str]:
        return self.extract.notes

    @property
    def keys(self) -> list[str]:
        return [record.record_id for record in self.records]

    @property
    def payloads(self) -> dict[str, dict[str, Any]]:
        return {record.record_id: dict(record.payload or {}) for record in self.records}


@dataclass
class ZoomAccount:
    """``states`` are what the loader would have stored. The stand-in's clock is at 2026-11-20 13:00 UTC."""

    server: RunningZoom
    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def account(self) -> Account:
        return self.server.account("blank")

    @property
    def quirks(self) -> Quirks:
        return self.server.service.accounts["blank"].quirks

    @property
    def log(self) -> list[Asked]:
        return self.server.service.log

    def asked(self, path: str) -> list[dict[str, str]]:
        """Queries of the requests whose path begins so."""
        return [asked.params for asked in self.log if asked.path.startswith(path)]

    def add_person(self, key: str, **facts: Any) -> Person:
        made = datetime(2026, 1, 1, tzinfo=UTC)
        person = Person(key, f"{key}@example.com", key, **{"created": made, "activated": made, **facts})
        self.account.life.people.append(person)
        return person

    def add_calls(self, *starts: str) -> list[str]:
        legs = self.account.life.legs
        for start in starts:
            at, number = datetime.fromisoformat(start).astimezone(UTC), len(legs)
            legs.append(Leg(f"leg{number:05d}", f"call{number}", "inbound", at, 60, "answered", at))
        return [leg.uuid for leg in legs[-len(starts) :]]

    def add_meeting(self, uuid: str, host: Person, start: str, *, alone: bool = False, kind: int = 2) -> Meeting:
        at = datetime.fromisoformat(start).astimezone(UTC)
        end = at + timedelta(minutes=30)
        stays = [Stay("1", host.name, "", at, end), Stay("2", "Guest", "", at, at + timedelta(minutes=5))]
        stays.append(Stay("3", "Guest", "", at + timedelta(minutes=10), end))
        meeting = Meeting(uuid, 77, host, "Sync", at, end, stays[:1] if alone else stays, end, kind)
        self.account.life.meetings.append(meeting)
        return meeting

    @contextmanager
    def session(self, **settings: Any) -> Iterator[Any]:
        zone = settings.pop("zone", "America/Chicago")
        connection = {**self.server.connection("blank"), **settings}
        with ZOOM.open(connection, organization="org", timezone=zone) as session:
            yield session

    def read(self, stream: str, window: tuple[date, date] | None = None, **settings: Any) -> Read:
        with self.session(**settings) as session:
            extract = session.read(ZOOM.stream(stream), self.states.get(stream), window)
            result = Read(extract, list(extract.records))
        if window is None:
            self.states[stream] = extract.state
        return result


@contextmanager
def account(**facts: Any) -> Iterator[ZoomAccount]:
    with running(accounts=[blank_account(**facts)]) as server:
        yield ZoomAccount(server)
