"""Erases an organization everywhere: database, Dagster's storage, and the files below ``$AIOP_HOME``.

Files and Dagster come first, while it is still known what the organization is called, and again afterwards, for what
ran meanwhile. A crash at any point is mended by erasing it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg

from orchestration.errors import UsageError
from orchestration.settings import load_settings
from orchestration.traces import Names, drop_variables, remove_traces
from orchestration.warehouse.dbt import build_lock
from orchestration.warehouse.erase import forget_statistics, remove_organization
from orchestration.warehouse.erased import erased_by_slug
from orchestration.warehouse.organizations import Organization, list_organizations
from orchestration.warehouse.secrets import variable_of

Say = Callable[[str], None]


@dataclass
class Erasure:
    """What an erasure did.

    earlier
        When the organization had been erased before; this time only what was left of it was removed.
    rows
        Rows removed by table.
    runs_in_progress
        Dagster runs that name it and have not ended: it has to be erased again after that.
    files_left
        Files below the home that name it and are somebody's own.
    """

    slug: str
    earlier: datetime | None = None
    rows: dict[str, int] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    runs_deleted: int = 0
    runs_in_progress: list[str] = field(default_factory=list)
    files_removed: int = 0
    files_left: list[Path] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)


def find_organization(connection: psycopg.Connection, slug: str) -> Organization | None:
    """The organization to erase; None where it was erased before. Raises UsageError for one that never was."""
    organizations = {one.slug: one for one in list_organizations(connection)}
    if slug in organizations:
        return organizations[slug]
    if erased_by_slug(connection, slug):
        return None
    raise UsageError(
        f"There is no organization {slug!r}, and none was erased.", hint=f"Known: {', '.join(sorted(organizations))}."
    )


def erase(connection: psycopg.Connection, slug: str, say: Say = lambda _: None) -> Erasure:
    """Erase the organization. ``connection`` is the builder's, in autocommit mode.

    Waits for a dbt build to end, and keeps others from starting: one that has read the rows would write them again.
    """
    outcome = Erasure(slug)
    find_organization(connection, slug)  # refused without waiting
    with build_lock(on_wait=say):
        # Whoever had the lock before may have erased the same one.
        organization = find_organization(connection, slug)
        if organization is not None:
            names = Names(slug, organization.organization_id, organization.name)
            _forget(names, outcome)
            variables = _own_variables(connection, organization.id)
            removal = remove_organization(connection, organization)
            outcome.rows, outcome.roles = removal.rows, removal.roles
            outcome.variables = drop_variables(load_settings().env_file, variables)
            tables = list(removal.rows)
        else:
            record = erased_by_slug(connection, slug)[0]
            outcome.earlier, tables = record.erased_at, list(record.rows_removed)
            names = Names(slug, record.organization_id)
        _forget(names, outcome)
        forget_statistics(connection, [*tables, *_dagster_tables(connection)])
    return outcome


def _forget(names: Names, outcome: Erasure) -> None:
    from orchestration.defs.forgetting import forget_organization  # seconds of imports, which a refusal needs not

    forgotten = forget_organization(names)
    files = remove_traces(load_settings().home, names)
    outcome.runs_deleted += len(forgotten.deleted)
    outcome.runs_in_progress = forgotten.running
    outcome.files_removed += len(files.removed)
    outcome.files_left = files.left


def _dagster_tables(connection: psycopg.Connection) -> list[str]:
    """Tables of Dagster's storage, where that is in this database."""
    rows = connection.execute(
        """
        select c.oid::regclass::text from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = 'dagster' and c.relkind in ('r', 'p') order by 1
        """
    ).fetchall()
    return [name for (name,) in rows]


def _own_variables(connection: psycopg.Connection, org_id: int) -> set[str]:
    """Variables that only this organization's connections refer to."""
    own: set[str] = set()
    others: set[str] = set()
    for owner, settings in connection.execute("select org_id, settings from ops.connections").fetchall():
        (own if owner == org_id else others).update(_variables(settings))
    for (value,) in connection.execute("select value from ops.platform_settings").fetchall():
        others.update(_variables(value))
    return own - others


def _variables(value: object) -> set[str]:
    if isinstance(value, dict):
        return {name for item in value.values() for name in _variables(item)}
    variable = variable_of(value)
    return {variable} if variable else set()
