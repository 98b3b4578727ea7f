"""Checking what landed of a source: measure, hold back or release, validate; and reading what was found."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from orchestration.quality import documents
from orchestration.quality.expectations import COUNTS, counted
from orchestration.quality.holding import Change, Held, held, hold_and_release
from orchestration.quality.measure import measure
from orchestration.quality.reads import compare_reads
from orchestration.quality.suites import suites
from orchestration.sources import SOURCES
from orchestration.warehouse.database import connect
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.landed_tables import ensure_tables

Say = Callable[[str], Any]

_FAILING = """
select o.slug, r.source, r.stream, r.expectation, r.is_critical, r.unexpected_count, r.observed
from ops.quality_results as r
inner join ops.connections using (org_id, source)
inner join ops.organizations as o on o.id = r.org_id
where r.unexpected_count > 0 and r.source = %s and o.slug = coalesce(%s, o.slug)
order by o.slug, r.stream, r.expectation
"""


@dataclass(frozen=True)
class Failing:
    """An expectation that an organization's landed records break: in how many, of how many live ones."""

    organization: str
    source: str
    stream: str
    expectation: str
    says: str
    is_critical: bool
    unexpected: int
    observed: int

    def __str__(self) -> str:
        if self.expectation in COUNTS:
            return f"{self.stream}: {counted(self.expectation, self.observed, self.unexpected)}"
        return f"{self.stream}: {self.says} — not in {self.unexpected:,} of {self.observed:,} records"


@dataclass(frozen=True)
class QualityReport:
    """The state of a source after a check. ``measured``: organizations looked at, summed over the streams.

    ``validation`` is what Great Expectations found, None where nothing was new or it could not be asked (``trouble``).
    """

    source: str
    measured: int
    failing: tuple[Failing, ...]
    held: tuple[Held, ...]
    change: Change
    validation: documents.Validation | None = None
    trouble: str = ""

    @property
    def broken(self) -> list[Failing]:
        """Expectations on records."""
        return [one for one in self.failing if one.expectation not in COUNTS]

    @property
    def collapsed(self) -> list[Failing]:
        """Streams that lost half of their rows or all, or whose days that are read again bring so much less."""
        return [one for one in self.failing if one.expectation in COUNTS]


def check(source: str, *, say: Say | None = None, document: bool = True) -> QualityReport:
    """Look at what landed since the last check, decide who is held back, and build Data Docs where results are new.

    ``document=False`` leaves Great Expectations out. Raises UsageError for an unknown source and DatabaseError; that
    Data Docs can't be built is in the report only: who is held back does not depend on them.
    """
    batch, own = uuid.uuid4(), suites(source)
    with database_errors(), connect(autocommit=True, application_name="aiop quality") as connection:
        ensure_tables(connection, source, SOURCES[source].streams)
        measured = sum(measure(connection, suite, batch) for suite in own)
        has_moved = compare_reads(connection, source, [suite.stream for suite in own], batch)
        change = hold_and_release(connection, source, say)
        validation, trouble = None, ""
        if document and (measured or has_moved or _is_undocumented(connection, source)):
            try:
                validation = documents.validate(source, own)
            except Exception as error:  # noqa: BLE001 - a library's, of any kind; what it would have shown is in ops
                trouble = f"Data Docs were not built: {type(error).__name__}"
        return QualityReport(
            source,
            measured,
            tuple(failing(connection, source)),
            tuple(held(connection, source)),
            change,
            validation,
            trouble,
        )


def _is_undocumented(connection: psycopg.Connection, source: str) -> bool:
    """Whether somebody is connected and no Data Docs show it."""
    if (documents.site(source) / "index.html").exists():
        return False
    return connection.execute("select from ops.connections where source = %s limit 1", [source]).rowcount > 0


def failing(connection: psycopg.Connection, source: str, organization: str | None = None) -> list[Failing]:
    """What does not hold at present, accepted or not."""
    by_stream = {suite.stream: suite for suite in suites(source)}
    found = []
    for slug, name, stream, expectation, critical, unexpected, observed in connection.execute(
        _FAILING, [source, organization]
    ).fetchall():
        if stream in by_stream:
            says = by_stream[stream].says(expectation)
            found.append(Failing(slug, name, stream, expectation, says, critical, unexpected, observed))
    return found
