"""Marts against totals asked afresh from the source: the check before a dashboard switches over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import psycopg

from orchestration.errors import AiopError, UsageError
from orchestration.sources import SOURCES
from orchestration.sources.core.records import Session
from orchestration.sources.quickbooks.verify import report_totals
from orchestration.warehouse.database import connect
from orchestration.warehouse.organizations import Organization, connected
from orchestration.warehouse.secrets import resolve
from orchestration.warehouse.tokens import PostgresTokenStore

Month = date
Figures = dict[Month, dict[str, Decimal | None]]


@dataclass(frozen=True)
class Difference:
    """One figure that the mart and the source do not agree on. None: that side has no value."""

    organization: str
    month: Month
    metric: str
    mart: Decimal | None
    source: Decimal | None

    def __str__(self) -> str:
        difference = "" if self.mart is None or self.source is None else f", difference {self.mart - self.source:+,.2f}"
        return (
            f"{self.organization} {self.month:%Y-%m} {self.metric}: mart {_money(self.mart)}, "
            f"source {_money(self.source)}{difference}"
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
    """Compare every month of a source's mart with totals asked from the source now, organization by organization."""
    if source not in _FIGURES:
        raise UsageError(f"no source is named {source!r}", hint=f"sources: {', '.join(sorted(_FIGURES))}")
    mart_figures, source_figures = _FIGURES[source]
    outcome = Verification()
    with connect(autocommit=True) as connection:
        for organization, settings in connected(connection, source, tuple(orgs)):
            marted = mart_figures(connection, organization)
            if not marted:
                say(f"{organization.slug}: the mart has no month yet")
                continue
            try:
                with SOURCES[source].open(
                    resolve(settings),
                    organization=organization.slug,
                    timezone=organization.timezone,
                    token_store=PostgresTokenStore(organization.id, source),
                ) as session:
                    fresh = source_figures(session, min(marted), max(marted))
            except AiopError as error:
                outcome.errors.append(error)
                say(str(error))
                continue
            differences = compare(organization.slug, marted, fresh)
            outcome.compared += sum(len(figures) for figures in fresh.values())
            outcome.differences += differences
            say(f"{organization.slug}: {len(fresh)} months, {len(differences)} differences")
    return outcome


def compare(organization: str, mart: Figures, source: Figures) -> list[Difference]:
    """Every figure that the source states and the mart states otherwise, and months that only one side has."""
    differences = []
    for month in sorted(mart.keys() | source.keys()):
        ours, theirs = mart.get(month, {}), source.get(month, {})
        for metric in theirs.keys() | ours.keys():
            if ours.get(metric) != theirs.get(metric):
                differences.append(Difference(organization, month, metric, ours.get(metric), theirs.get(metric)))
    return sorted(differences, key=lambda d: (d.month, d.metric))


_FINANCIAL_METRICS = (
    "total_revenue",
    "total_expenses",
    "net_income",
    "gross_profit",
    "total_assets",
    "total_liabilities",
    "total_equity",
    "cash_balance",
    "accounts_receivable",
    "accounts_payable",
    "operating_cash_flow",
)


def _financial_mart(connection: psycopg.Connection, organization: Organization) -> Figures:
    columns = ", ".join(_FINANCIAL_METRICS)
    rows = connection.execute(
        f"select period_start, {columns} from marts.mart_financial_metrics where org_id = %s",  # noqa: S608
        [organization.id],
    ).fetchall()
    return {row[0]: dict(zip(_FINANCIAL_METRICS, row[1:], strict=True)) for row in rows}


def _financial_source(session: Session, first: Month, last: Month) -> Figures:
    return {month: dict(figures) for month, figures in report_totals(session, first, last).items()}


_FIGURES: dict[
    str,
    tuple[
        Callable[[psycopg.Connection, Organization], Figures],
        Callable[[Session, Month, Month], Figures],
    ],
] = {"quickbooks": (_financial_mart, _financial_source)}


def _money(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{value:,.2f}"
