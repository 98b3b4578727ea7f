"""The demo keeps to a warehouse of its own: its organizations are 1, 2, 3 …, as those of a live one may be.

Applied there, they would rename organizations, end their connections and delete the tokens that these were read with,
which nobody can get back.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from orchestration.demo.organizations import DEMO_COMPANIES
from orchestration.demo.world import world_path
from orchestration.errors import UsageError
from orchestration.settings import load_settings
from orchestration.warehouse.database import connect, database_url, describe
from orchestration.warehouse.embedded import EmbeddedPostgres
from orchestration.warehouse.secrets import variable_of

_NAMED = 3
# Credentials of the stand-ins are in variables of such a name, and of nothing else.
_VARIABLES = "DEMO_"
_LOOPBACK = ("127.0.0.1", "localhost")


class NotTheDemos(UsageError):
    """The warehouse holds what the demo did not make; nothing was written."""


def require_demos(connection: psycopg.Connection) -> None:
    """Raise NotTheDemos unless the warehouse is empty or the demo's; reads, and writes nothing.

    Further organizations beside the demo's, with numbers and slugs of their own, are none of its business.
    """
    strangers = _strangers(connection)
    if not strangers:
        return
    settings = load_settings()
    if settings.database_url:
        where, unset = f"the database {describe(database_url())}", "unset DATABASE_URL"
    else:
        where, unset = f"the warehouse under {settings.home}", "unset AIOP_HOME"
    more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
    raise NotTheDemos(
        f"{where} is not the demo's, which would overwrite it: {'; '.join(strangers[:_NAMED])}{more}. "
        "Nothing was written",
        hint=f"`{unset}`, or give the demo a home of its own: AIOP_HOME=$PWD/.aiop-demo (without DATABASE_URL)",
    )


def require_demos_home(home: Path) -> None:
    """As :func:`require_demos`, for who is about to make the demo's world in a home that has none.

    Asks the warehouse that there is, and makes none.
    """
    if world_path(home / "demo").exists():
        return
    if load_settings().database_url is None and EmbeddedPostgres(home).status().state == "absent":
        return
    with connect(application_name="aiop demo", autocommit=True) as connection:
        require_demos(connection)


def _strangers(connection: psycopg.Connection) -> list[str]:
    """What of the warehouse's the demo would overwrite and did not write, in words."""
    row = connection.execute("select to_regclass('ops.organizations'), to_regclass('ops.connections')").fetchone()
    if row is None or None in row:
        return []
    stored: dict[int, tuple[str, dict[str, Any]]] = {
        org_id: (slug, connections)
        for org_id, slug, connections in connection.execute(
            """
            select
                o.id, o.slug,
                coalesce(jsonb_object_agg(c.source, c.settings) filter (where c.source is not null), '{}')
            from ops.organizations as o
            left join ops.connections as c on c.org_id = o.id
            group by o.id, o.slug
            order by o.id
            """
        ).fetchall()
    }
    slugs = {company.org_id: company.slug for company in DEMO_COMPANIES}
    numbers = {slug: org_id for org_id, slug in slugs.items()}
    its_own, found = False, []
    for org_id, (slug, connections) in stored.items():
        if slugs.get(org_id) != slug:
            if org_id in slugs or slug in numbers:
                demos = slugs[org_id] if org_id in slugs else f"number {numbers[slug]}"
                found.append(f"organization {org_id} is {slug}, the demo's is {demos}")
            continue
        for source, settings in connections.items():
            if leads_to_the_demo(settings):
                its_own = True
            else:
                found.append(f"{slug} / {source} leads elsewhere than to the demo's stand-ins")
    if stored and not its_own and not found:
        found = ["none of its organizations is connected to the demo's stand-ins"]
    return found


def leads_to_the_demo(settings: Mapping[str, Any]) -> bool:
    """Whether a connection is one of the demo's: on loopback, with credentials of the stand-ins, whatever the port.

    Without an address a connection leads to the vendor.
    """
    variables = [variable for variable in map(variable_of, settings.values()) if variable]
    address = str(settings.get("base_url") or settings.get("url") or "")
    there = variable_of(address) is not None or urlsplit(address).hostname in _LOOPBACK
    return there and all(variable.startswith(_VARIABLES) for variable in variables)
