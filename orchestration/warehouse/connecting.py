"""One organization at a time: adding it, connecting it to a source, taking a connection away.

What is given is checked as an entry of organizations.yml is, by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_origin

import psycopg
import yaml

from orchestration.errors import UsageError
from orchestration.settings import variables
from orchestration.sources import connection_models
from orchestration.warehouse import accounts, connections, locks, organizations
from orchestration.warehouse.connections import BegunAnew
from orchestration.warehouse.organization_entries import OrganizationsFile
from orchestration.warehouse.organizations import Organization, list_organizations
from orchestration.warehouse.organizations_file import check_organizations

Change = Literal["connected", "changed", "unchanged"]


@dataclass(frozen=True)
class Connected:
    """What connecting did; ``begun_anew`` where rows of another account may be there."""

    change: Change
    begun_anew: BegunAnew | None = None


def add(connection: psycopg.Connection, facts: Mapping[str, Any]) -> Organization:
    """Add an organization. ``facts`` are the keys of its entry; without an ``id`` it gets the next one.

    Raises UsageError with everything that is wrong, or where its id or slug is taken or was erased.
    """
    with connection.transaction():
        # As applying a file does: two at once would take the same id.
        connection.execute("lock table ops.organizations in share row exclusive mode")
        entry = {key: value for key, value in facts.items() if value is not None}
        entry.setdefault("id", _next_id(connection))
        content = _checked(entry)
        known = {one.id: one.slug for one in list_organizations(connection)}
        slug = content.organizations[0].slug
        if slug in known.values():
            raise UsageError(f"{slug} is there already.", hint="`aiop orgs apply organizations.yml` changes it.")
        if entry["id"] in known:
            raise UsageError(
                f"The id {entry['id']} is that of {known[entry['id']]}.", hint="Without --id it gets the next free one."
            )
        organizations.apply_organizations(connection, content)
        return next(one for one in list_organizations(connection) if one.slug == slug)


def connect(connection: psycopg.Connection, slug: str, source: str, settings: Mapping[str, str]) -> Connected:
    """Make ``settings`` the organization's connection to ``source``, in place of one that it had.

    Values are plain, or references ``env:NAME``; those of a list are divided by commas. Raises UsageError with
    everything that is wrong with them, or where they name an account that another organization has.
    """
    with connection.transaction():
        # As applying a file does: two at once would not see each other's account.
        connection.execute("lock table ops.organizations in share row exclusive mode")
        organization = organization_of(connection, slug)
        entry = {key: value for key, value in vars(organization).items() if value is not None}
        entry["organization_id"] = str(organization.organization_id)
        entry["connections"] = {source: _with_lists(source, settings)}
        wanted = _checked(entry).organizations[0].connections[source]
        before = connections.stored_connections(connection, [organization.id]).get(organization.id, {})
        if before.get(source) == wanted:
            return Connected("unchanged")
        after = {**before, source: wanted}
        connections.forget_tokens(connection, slug, organization.id, before, after)
        anew = connections.write_connection(connection, slug, organization.id, source, before.get(source), wanted)
        accounts.refuse_shared(connection, [source], [organization.id])
    return Connected("changed" if source in before else "connected", anew)


def disconnect(connection: psycopg.Connection, slug: str, source: str) -> None:
    """Take a connection and its tokens away. What has landed stays, and so do the rows made of it.

    The source's next connection begins anew: a token in its place may be another account's, and nothing tells.

    Raises UsageError where there is neither connection nor token, DatabaseError where the tokens stay in use.
    """
    organization = organization_of(connection, slug)
    key = [organization.id, source]
    # A refresh that is under way would store its tokens after ours are gone.
    lock, what = connections.tokens_lock(organization.id, source), f"tokens of {slug} / {source}"
    with locks.exclusive(connection, lock, what=what, wait_seconds=connections.TOKENS_WAIT_SECONDS):
        removed = connection.execute("delete from ops.connections where org_id = %s and source = %s", key).rowcount
        removed += connection.execute("delete from ops.oauth_tokens where org_id = %s and source = %s", key).rowcount
    if not removed:
        sources = organizations.sources_by_organization(connection).get(organization.id, [])
        raise UsageError(
            f"{slug} has no connection to {source}.", hint=f"It is connected to: {', '.join(sources) or 'nothing'}."
        )


def organization_of(connection: psycopg.Connection, slug: str) -> Organization:
    """The organization with this slug. Raises UsageError where there is none."""
    known = {one.slug: one for one in list_organizations(connection)}
    if slug not in known:
        raise UsageError(
            f"There is no organization {slug!r}.", hint=f"Known: {', '.join(sorted(known)) or 'none yet'}."
        )
    return known[slug]


def _with_lists(source: str, settings: Mapping[str, str]) -> dict[str, str | list[str]]:
    """The settings as a file has them: a list where the source's model has one."""
    model = connection_models().get(source)
    lists = {
        field.alias or name
        for name, field in (model.model_fields if model else {}).items()
        if get_origin(field.annotation) in (list, tuple)
    }
    return {
        key: [part.strip() for part in value.split(",") if part.strip()] if key in lists else value
        for key, value in settings.items()
    }


def _checked(entry: Mapping[str, Any]) -> OrganizationsFile:
    text = yaml.safe_dump({"organizations": [dict(entry)]}, allow_unicode=True)
    content, problems = check_organizations(text, variables())
    if content is None or problems:
        messages = list(dict.fromkeys(problem.message for problem in problems))
        in_clear = any("must be a reference" in message for message in messages)
        listed = "\n".join(
            f"  {message.replace('no secret stands in this file', 'no secret is stored in clear')}"
            for message in messages
        )
        raise UsageError(
            f"Nothing was changed:\n{listed}",
            hint="Put the secret into a variable (the environment, or the file `env` of AIOP_HOME) "
            "and give its name: key=env:NAME. What was typed here may stand in your shell's history."
            if in_clear
            else "docs/organizations.md describes what is expected.",
        )
    return content


def _next_id(connection: psycopg.Connection) -> int:
    row = connection.execute(
        """
        select greatest(
            (select max(id) from ops.organizations), (select max(id) from ops.erased_organizations), 0
        ) + 1
        """
    ).fetchone()
    assert row is not None
    return int(row[0])
