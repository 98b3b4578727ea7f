"""The organizations of the warehouse, and how the sources of each are reached."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from orchestration.errors import UsageError
from orchestration.warehouse import accounts, erased, roles
from orchestration.warehouse.connections import BegunAnew, forget_tokens, stored_connections, write_connection
from orchestration.warehouse.organization_entries import OrganizationEntry, OrganizationsFile, default_organization_id
from orchestration.warehouse.organizations_file import read_organizations

PLATFORM_URL = "platform.url"


@dataclass(frozen=True)
class Organization:
    """A tenant. ``id`` is the org_id of every table, ``organization_id`` its uuid on the platform."""

    id: int
    slug: str
    name: str
    organization_id: uuid.UUID
    timezone: str
    currency: str
    fiscal_year_start_month: int
    industry: str | None


@dataclass(frozen=True)
class ApplyResult:
    """Slugs of a file's organizations, by what applying it did, and connections that lead to another account.

    renamed
        Of those that changed, which had another slug before: the new slug to the old one.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    begun_anew: tuple[BegunAnew, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)


_COLUMNS = "id, slug, name, organization_id, timezone, currency, fiscal_year_start_month, industry"


def apply_file(connection: psycopg.Connection, path: Path) -> ApplyResult:
    """Make the warehouse's organizations and connections what ``path`` says, in one transaction; their logins follow.

    Organizations that the file does not mention stay as they are; a connection that one of its organizations no
    longer has is removed with its tokens, its landed rows are kept. Applying a file again writes nothing.

    Raises UsageError with every problem of the file, or where it contradicts what is stored.
    """
    return apply_organizations(connection, read_organizations(path))


def apply_organizations(connection: psycopg.Connection, content: OrganizationsFile) -> ApplyResult:
    """As :func:`apply_file`, of a file that was read and checked."""
    with connection.transaction():
        # Two at once: the second sees what the first one did.
        connection.execute("lock table ops.organizations in share row exclusive mode")
        stored = {organization.id: organization for organization in list_organizations(connection)}
        wanted = {entry.id: _organization(entry, stored.get(entry.id)) for entry in content.organizations}
        _refuse_contradictions(connection, wanted.values(), stored)
        connections = stored_connections(connection, wanted)
        for entry in content.organizations:
            forget_tokens(connection, entry.slug, entry.id, connections.get(entry.id, {}), entry.connections)
        anew: list[BegunAnew] = []
        outcome: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
        for entry in content.organizations:
            organization = wanted[entry.id]
            known = entry.id in stored
            if organization != stored.get(entry.id):
                _write(connection, organization, stored.get(entry.id))
            changed, begun_anew = _write_connections(connection, entry, connections.get(entry.id, {}))
            anew += begun_anew
            if not known:
                outcome["added"].append(entry.slug)
            elif changed or organization != stored[entry.id]:
                outcome["changed"].append(entry.slug)
            else:
                outcome["unchanged"].append(entry.slug)
        sources = {source for entry in content.organizations for source in entry.connections}
        accounts.refuse_shared(connection, sources, wanted.keys())
        if content.platform is not None:
            _write_platform(connection, content.platform.url)
    roles.ensure_tenant_roles(connection)
    renamed = {one.slug: stored[one.id].slug for one in wanted.values() if one.id in stored}
    return ApplyResult(
        **{key: tuple(slugs) for key, slugs in outcome.items()},
        begun_anew=tuple(anew),
        renamed={new: old for new, old in renamed.items() if new != old},
    )


def list_organizations(connection: psycopg.Connection) -> list[Organization]:
    """All organizations, by id."""
    with connection.cursor(row_factory=class_row(Organization)) as cursor:
        return cursor.execute(f"select {_COLUMNS} from ops.organizations order by id").fetchall()  # noqa: S608


def sources_by_organization(connection: psycopg.Connection) -> dict[int, list[str]]:
    """The sources each organization is connected to, by org_id."""
    rows = connection.execute("select org_id, array_agg(source order by source) from ops.connections group by org_id")
    return dict(rows.fetchall())


def connected(
    connection: psycopg.Connection, source: str, slugs: Iterable[str] = ()
) -> list[tuple[Organization, dict[str, Any]]]:
    """Organizations connected to ``source`` with their settings, references unresolved; only ``slugs`` where given.

    Raises UsageError for a slug that is unknown or not connected.
    """
    settings: dict[int, dict[str, Any]] = dict(
        connection.execute("select org_id, settings from ops.connections where source = %s", (source,)).fetchall()
    )
    organizations = list_organizations(connection)
    asked = list(dict.fromkeys(slugs))
    known = {organization.slug: organization for organization in organizations}
    unknown = [slug for slug in asked if slug not in known]
    if unknown:
        raise UsageError(
            f"There is no organization {', '.join(repr(slug) for slug in unknown)}.",
            hint=f"Known: {', '.join(sorted(known)) or 'none yet; `aiop orgs apply organizations.yml` adds them'}.",
        )
    without = [slug for slug in asked if known[slug].id not in settings]
    if without:
        connected_slugs = [one.slug for one in organizations if one.id in settings]
        raise UsageError(
            f"{', '.join(without)} has no connection to {source}.",
            hint=f"Connected: {', '.join(connected_slugs) or 'none'}. Connections stand in organizations.yml.",
        )
    return [
        (organization, settings[organization.id])
        for organization in organizations
        if organization.id in settings and (not asked or organization.slug in asked)
    ]


def _organization(entry: OrganizationEntry, stored: Organization | None) -> Organization:
    # The uuid stays when a slug changes: whatever was published under it would belong to nobody.
    kept = stored.organization_id if stored else default_organization_id(entry.slug)
    return Organization(
        id=entry.id,
        slug=entry.slug,
        name=entry.name,
        organization_id=entry.organization_id or kept,
        timezone=entry.timezone,
        currency=entry.currency,
        fiscal_year_start_month=entry.fiscal_year_start_month,
        industry=entry.industry,
    )


def _refuse_contradictions(
    connection: psycopg.Connection, wanted: Iterable[Organization], stored: Mapping[int, Organization]
) -> None:
    """Problems only the database can tell: identifiers taken or erased, time zones its Postgres doesn't know."""
    wanted = list(wanted)
    _refuse_erased(connection, wanted)
    problems: list[str] = []
    by_slug = {other.slug: other for other in stored.values()}
    by_organization_id = {other.organization_id: other for other in stored.values()}
    for one in wanted:
        namesake, same = by_slug.get(one.slug, one), by_organization_id.get(one.organization_id, one)
        if namesake.id != one.id:
            problems.append(f"{one.slug}: its id is {namesake.id}, not {one.id}; an organization's id never changes")
        known = stored.get(one.id, one)
        if namesake.id == one.id and one.slug != known.slug and one.name != known.name:
            # An entry that was copied and left its id: all rows and the login of one would be another's.
            problems.append(
                f"{one.slug}: its id {one.id} is for good that of {known.slug} ({known.name}): an organization of its "
                f"own needs another; where {known.slug} is renamed, apply the new slug first and the new name after it"
            )
        if same.id not in (one.id, namesake.id):
            problems.append(f"{one.slug}: its organization_id is that of {same.slug}")
    for zone in sorted({one.timezone for one in wanted}):
        try:
            with connection.transaction():
                connection.execute("select now() at time zone %s", (zone,))
        except errors.InvalidParameterValue:
            users = ", ".join(one.slug for one in wanted if one.timezone == zone)
            problems.append(f"{users}: the database server does not know the time zone {zone}")
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise UsageError(
            f"The file contradicts what the warehouse has; nothing was changed:\n{listed}",
            hint="`aiop orgs list` shows what it has.",
        )


def _refuse_erased(connection: psycopg.Connection, wanted: list[Organization]) -> None:
    found = erased.erased_traits(connection, [(one.id, one.slug, one.organization_id) for one in wanted])
    if found:
        problems: dict[tuple[str, datetime], list[str]] = {}
        for slug, trait, erased_at in found:
            problems.setdefault((slug, erased_at), []).append(trait)
        listed = "\n".join(
            f"  {slug}: its {', '.join(traits)} {'is' if len(traits) == 1 else 'are'} of an organization that was "
            f"erased on {erased_at:%Y-%m-%d}"
            for (slug, erased_at), traits in problems.items()
        )
        raise UsageError(f"Erased organizations do not come back; nothing was changed:\n{listed}", hint=erased.WAY_OUT)


def _write(connection: psycopg.Connection, organization: Organization, stored: Organization | None) -> None:
    values = vars(organization)
    if stored is None:
        connection.execute(
            f"""
            insert into ops.organizations ({_COLUMNS})
            values (%(id)s, %(slug)s, %(name)s, %(organization_id)s, %(timezone)s, %(currency)s,
                %(fiscal_year_start_month)s, %(industry)s)
            """,  # noqa: S608
            values,
        )
        return
    # Naming a key in vain would lock the row as an erasure does, and loads that end meanwhile would give way.
    changed = [name for name, value in values.items() if value != getattr(stored, name)]
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in changed]
    connection.execute(
        sql.SQL("update ops.organizations set {}, updated_at = now() where id = %(id)s").format(
            sql.SQL(", ").join(assignments)
        ),
        values,
    )


def _write_connections(
    connection: psycopg.Connection, entry: OrganizationEntry, stored: Mapping[str, Any]
) -> tuple[bool, list[BegunAnew]]:
    """Whether anything changed, and what begins anew."""
    changed, anew = False, []
    for source, settings in entry.connections.items():
        if stored.get(source) != settings:
            changed = True
            anew.append(write_connection(connection, entry.slug, entry.id, source, stored.get(source), settings))
    for source in stored.keys() - entry.connections.keys():
        changed = True
        connection.execute("delete from ops.connections where org_id = %s and source = %s", (entry.id, source))
    return changed, [one for one in anew if one is not None]


def _write_platform(connection: psycopg.Connection, url: str) -> None:
    connection.execute(
        """
        insert into ops.platform_settings as p (key, value) values (%s, %s)
        on conflict (key) do update set value = excluded.value where p.value is distinct from excluded.value
        """,
        (PLATFORM_URL, Jsonb(url)),
    )
