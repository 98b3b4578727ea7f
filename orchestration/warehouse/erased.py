"""Organizations that were erased: how they are recognised, and the error of whatever would bring one back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from orchestration.errors import ConfigurationError

# What the database's own guards raise (migration 0002).
SQLSTATE = "AIOP1"

WAY_OUT = (
    "take it out of the file; if the customer comes back, add it as a new organization with an id, slug and "
    "organization_id of its own"
)


class OrganizationErased(ConfigurationError):
    """The organization was erased, or is being erased: nothing may be read, landed or recorded for it."""

    kind = "erased"


@dataclass(frozen=True)
class Erased:
    """The record of an erased organization."""

    id: int
    organization_id: uuid.UUID
    erased_at: datetime
    rows_removed: dict[str, int]


def erased_by_slug(connection: psycopg.Connection, slug: str) -> list[Erased]:
    """The erased organizations that had this slug: one at most, as none gets it again."""
    with connection.cursor(row_factory=class_row(Erased)) as cursor:
        return cursor.execute(
            "select id, organization_id, erased_at, rows_removed from ops.erased_organizations"
            " where slug_hash = ops.slug_hash(%s)",
            [slug],
        ).fetchall()


def erased_traits(
    connection: psycopg.Connection, wanted: Iterable[tuple[int, str, uuid.UUID]]
) -> list[tuple[str, str, datetime]]:
    """Which of the (id, slug, organization_id) are those of erased organizations: slug, the trait, erased when."""
    ids, slugs, uuids = zip(*wanted, strict=True) if (wanted := list(wanted)) else ((), (), ())
    return connection.execute(
        """
        select w.slug, t.trait, e.erased_at
        from unnest(%s::int[], %s::text[], %s::uuid[]) as w (id, slug, organization_id)
        cross join ops.erased_organizations as e
        cross join lateral (
            values
            (1, 'id ' || w.id, e.id = w.id),
            (2, 'slug', e.slug_hash = ops.slug_hash(w.slug)),
            (3, 'organization_id', e.organization_id = w.organization_id)
        ) as t (place, trait, is_equal)
        where t.is_equal
        order by w.id, t.place
        """,
        [list(ids), list(slugs), list(uuids)],
    ).fetchall()


def is_erasure(error: BaseException | None) -> bool:
    """Whether ``error``, or the database's error behind it, says that the organization was erased."""
    while error is not None:
        if isinstance(error, OrganizationErased) or getattr(error, "sqlstate", None) == SQLSTATE:
            return True
        error = error.__cause__
    return False
