"""Marts against totals asked afresh from the source: the check before a dashboard switches over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from psycopg import errors

from orchestration.errors import AiopError, DatabaseError, UsageError
from orchestration.schedule import SCHEDULES
from orchestration.sources import SOURCES
from orchestration.verified import UNTOLD, Figures, Stated, Value
from orchestration.verified_figures import SUBJECTS
from orchestration.warehouse.database import connect
from orchestration.warehouse.database_errors import database_errors
from orchestration.warehouse.migrate import require_current
from orchestration.warehouse.organizations import connected
from orchestration.warehouse.secrets import resolve
from orchestration.warehouse.tokens import PostgresTokenStore

Month = date


@dataclass(frozen=True)
class Difference:
    """One figure that the mart and the source do not agree on. None: that side has no value.

    month
        Its first day; of a mart that is a daily snapshot, the day. ``shown`` is how it is written.
    """

    organization: str
    month: date
    metric: str
    mart: Value
    source: Value
    shown: str = "%Y-%m"

    def __str__(self) -> str:
        difference = (
            "" if self.mart is None or self.source is None else f", difference {_written(self.mart - self.source, '+')}"
        )
        return (
            f"{self.organization} {self.month.strftime(self.shown)} {self.metric}: mart {_written(self.mart)}, "
            f"source {_written(self.source)}{difference}"
        )


@dataclass
class Verification:
    """The outcome over organizations: figures compared, differences, and organizations that could not be asked."""

    compared: int = 0
    differences: list[Difference] = field(default_factory=list)
    errors: list[AiopError] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        return self.compared > 0 and not self.differences and not self.errors


def verify(source: str, orgs: Sequence[str] = (), say: Callable[[str], None] = lambda _: None) -> Verification:
    """Compare a source's marts with totals asked from the source now, organization by organization.

    Every month of a mart by month; of daily snapshots the newest, for a source knows no earlier day.

    Raises UsageError for an unknown source or organization, and DatabaseError where the warehouse was not set up or the
    marts were not built. What a source refuses is in the outcome.
    """
    if source not in SUBJECTS or source not in SOURCES:
        raise UsageError(f"no source is named {source!r}", hint=f"sources: {', '.join(sorted(SUBJECTS))}")
    subject = SUBJECTS[source]
    outcome = Verification()
    with database_errors(), connect(autocommit=True, application_name="aiop verify") as connection:
        require_current(connection)
        for organization, settings in connected(connection, source, tuple(orgs)):
            try:
                marted = subject.mart(connection, organization)
            except errors.UndefinedTable:
                jobs = [one.job for one in SCHEDULES if source in (one.sources or ())]
                raise DatabaseError(
                    f"the marts of {source} are not built yet", hint=" and ".join(f"aiop run {job}" for job in jobs)
                ) from None
            if not marted:
                say(f"{organization.slug}: the mart has no {subject.period} yet")
                continue
            try:
                with SOURCES[source].open(
                    resolve(settings, organization=organization.slug, source=source),
                    organization=organization.slug,
                    timezone=organization.timezone,
                    token_store=PostgresTokenStore(organization.id, source, organization.slug),
                ) as session:
                    stated = subject.source(session, marted, organization)
            except AiopError as error:
                outcome.errors.append(error)
                say(str(error))
                continue
            stored, fresh = comparable(marted, stated)
            left_out = sum(map(len, marted.values())) - sum(map(len, stored.values()))
            if left_out:
                say(f"{organization.slug}: {left_out} figures that the source has nothing to compare with")
            differences = compare(organization.slug, stored, fresh, subject.shown)
            outcome.compared += sum(len(figures) for figures in fresh.values())
            outcome.differences += differences
            say(f"{organization.slug}: {len(fresh)} {subject.period}s, {len(differences)} differences")
    return outcome


def comparable(mart: Figures, stated: Stated) -> tuple[Figures, Figures]:
    """Both sides without what the source says it can't tell."""
    told: Figures = {
        day: {name: value for name, value in figures.items() if value != UNTOLD} for day, figures in stated.items()
    }
    untold = {(day, name) for day, figures in stated.items() for name in figures.keys() - told[day].keys()}
    stored = {
        day: {name: value for name, value in figures.items() if (day, name) not in untold}
        for day, figures in mart.items()
    }
    return stored, told


def compare(organization: str, mart: Figures, source: Figures, shown: str = "%Y-%m") -> list[Difference]:
    """Every figure that the source states and the mart states otherwise, and months that only one side has."""
    differences = []
    for month in sorted(mart.keys() | source.keys()):
        ours, theirs = mart.get(month, {}), source.get(month, {})
        for metric in theirs.keys() | ours.keys():
            if ours.get(metric) != theirs.get(metric):
                differences.append(Difference(organization, month, metric, ours.get(metric), theirs.get(metric), shown))
    return sorted(differences, key=lambda d: (d.month, d.metric))


def _written(value: Value, sign: str = "") -> str:
    if value is None:
        return "unknown"
    return f"{value:{sign},}" if isinstance(value, int) else f"{value:{sign},.2f}"
