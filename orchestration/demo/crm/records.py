"""What a CRM consists of: records with their past, owners, pipelines."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from orchestration.demo.crm.formats import iso
from orchestration.demo.crm.kinds import Kind


@dataclass(slots=True)
class Record:
    """One object. ``properties`` holds only what has a value; every value is text.

    versions
        Properties that changed since creation: (instant, value or None) from the first on.
    """

    kind: Kind
    id: int
    created: int
    updated: int
    properties: dict[str, str]
    versions: dict[str, list[tuple[int, str | None]]] = field(default_factory=dict)
    archived_at: int | None = None
    restored_at: int | None = None
    merged_into: int | None = None
    merged_at: int | None = None

    @property
    def live(self) -> bool:
        return self.archived_at is None and self.merged_into is None

    def get(self, name: str) -> str | None:
        return self.properties.get(name)

    def put(self, name: str, value: str | None, at: int) -> None:
        """Set or clear one property and remember what it was."""
        before = self.properties.get(name)
        if before == value:
            return
        self.versions.setdefault(name, [(self.created, before)]).append((at, value))
        if value is None:
            del self.properties[name]
        else:
            self.properties[name] = value

    def touch(self, at: int) -> None:
        self.updated = max(self.updated, at)
        self.put(self.kind.modified, iso(self.updated), at)

    def past(self, name: str) -> list[tuple[int, str | None]]:
        """Every value a property had, oldest first; empty where it never had one."""
        if name in self.versions:
            return self.versions[name]
        return [(self.created, self.properties[name])] if name in self.properties else []

    def as_of(self, at: int) -> dict[str, str] | None:
        """The properties at an instant; None where the record was not there then, or not to be seen."""
        if self.created > at or (self.restored_at or 0) > at:
            return None
        if (self.archived_at is not None and self.archived_at <= at) or (self.merged_at or at + 1) <= at:
            return None
        if self.updated <= at:
            return self.properties
        then = dict(self.properties)
        for name, versions in self.versions.items():
            index = bisect_right(versions, at, key=lambda version: version[0]) - 1
            value = versions[index][1] if index >= 0 else None
            if value is None:
                then.pop(name, None)
            else:
                then[name] = value
        return then


@dataclass
class Owner:
    """Somebody records belong to. One who left is archived and keeps what is theirs until it is given to others."""

    id: int
    user_id: int
    email: str
    first_name: str
    last_name: str
    created: int
    updated: int
    archived: bool = False
    team: tuple[int, str] | None = None


@dataclass
class Stage:
    """A stage of a pipeline. ``metadata`` is text throughout: isClosed and, for deals, probability."""

    id: str
    label: str
    metadata: dict[str, str]
    created: int
    updated: int


@dataclass
class Pipeline:
    id: str
    label: str
    created: int
    updated: int
    stages: list[Stage] = field(default_factory=list)

    def stage(self, stage_id: str | None) -> Stage | None:
        return next((stage for stage in self.stages if stage.id == stage_id), None)
