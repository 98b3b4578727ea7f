"""What happens during a sync, and what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from orchestration.errors import SourceError
from orchestration.warehouse.loader import LoadResult

EventKind = Literal["started", "waiting", "received", "loaded", "failed", "finished"]


@dataclass(frozen=True)
class Event:
    """One step of a sync, told as it happens; its text is a line for a log.

    ``started`` and ``finished`` are of an organization, the others of one of its streams. ``received`` comes every
    few seconds while a stream is read, with the ``records`` so far.
    """

    kind: EventKind
    organization: str
    stream: str = ""
    records: int = 0
    result: LoadResult | None = None
    error: SourceError | None = None
    streams: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        where = f"{self.organization} / {self.stream}" if self.stream else self.organization
        match self.kind:
            case "started":
                return f"{where}: reading {_number(self.streams, 'stream')}"
            case "waiting":
                return f"{where}: another process is loading it, waiting for its end"
            case "received":
                return f"{where}: {_number(self.records, 'record')} so far"
            case "loaded":
                assert self.result is not None
                return f"{where}: {describe(self.result)}"
            case "failed":
                return f"{where}: failed: {self.error.message if self.error else ''}"
            case "finished":
                return f"{where}: done in {self.seconds:.1f} s"


def describe(result: LoadResult) -> str:
    """A load's counts in words."""
    counts = [
        f"{count:,} {name}"
        for name, count in (
            ("new", result.inserted),
            ("changed", result.updated),
            ("deleted", result.deleted),
            ("unchanged", result.unchanged),
        )
        if count
    ]
    notes = f" ({'; '.join(result.notes)})" if result.notes else ""
    return f"{_number(result.received, 'record')}{': ' if counts else ''}{', '.join(counts)}{notes}"


@dataclass(frozen=True)
class Failure:
    """A stream of an organization that was not loaded; what the warehouse has of it is as old as it was."""

    organization: str
    stream: str
    error: SourceError


@dataclass
class SyncReport:
    """The outcome of one sync.

    organizations
        Slugs of those that were to be read.
    results
        Loads by (slug, stream).
    failures
        What was not loaded, by organization and in the order of the streams.
    """

    source: str
    batch_id: uuid.UUID
    organizations: list[str] = field(default_factory=list)
    results: dict[tuple[str, str], LoadResult] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def succeeded(self) -> list[str]:
        """Organizations of which at least one stream was loaded, or that had none to load."""
        loaded = {organization for organization, _ in self.results}
        failed = set(self.failed)
        return [slug for slug in self.organizations if slug in loaded or slug not in failed]

    @property
    def failed(self) -> list[str]:
        """Organizations of which at least one stream was not loaded."""
        failed = {failure.organization for failure in self.failures}
        return [slug for slug in self.organizations if slug in failed]

    @property
    def rows_received(self) -> int:
        return sum(result.received for result in self.results.values())

    @property
    def rows_changed(self) -> int:
        """Rows written to landed tables."""
        return sum(result.changed for result in self.results.values())

    def loads(self, stream: str) -> list[LoadResult]:
        """The loads of one stream, one an organization."""
        return [result for (_, name), result in self.results.items() if name == stream]

    def failures_by_stream(self) -> dict[str, dict[str, SourceError]]:
        """What each organization failed with, by stream and slug."""
        found: dict[str, dict[str, SourceError]] = {}
        for failure in self.failures:
            found.setdefault(failure.stream, {})[failure.organization] = failure.error
        return found

    def failures_in_words(self, organizations: int | None = None) -> Iterator[str]:
        """Lines that tell each organization's failures; one that holds for several streams is said once.

        Of more than ``organizations`` that failed, the others are a number in the last line.
        """
        failed: dict[str, dict[tuple[str, str], list[str]]] = {}
        for failure in self.failures:
            by_error = failed.setdefault(failure.organization, {})
            by_error.setdefault((failure.error.message, failure.error.hint), []).append(failure.stream)
        slugs = [slug for slug in self.organizations if slug in failed]
        told = slugs[:organizations]
        for slug in told:
            for (message, hint), streams in failed[slug].items():
                shown = ", ".join(streams) if len(streams) <= 3 else f"{len(streams)} streams"
                yield f"failed: {slug} ({shown}): {message}"
                if hint:
                    yield f"  → {hint}"
        if len(told) < len(slugs):
            others = _number(len(slugs) - len(told), "organization")
            yield f"failed: {others} more; `aiop status --source {self.source}` names them"


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
