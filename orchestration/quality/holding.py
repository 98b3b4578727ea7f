"""Who is held back: organizations whose landed rows of a source must not be published, so the last good ones stay.

The models leave them out (macro ``publishable``). Who is held back changes only while no build runs: a model that was
computed without an organization and merged with it would delete its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from orchestration.errors import UsageError
from orchestration.quality.expectations import COUNTS, counted
from orchestration.quality.reads import accept_reads
from orchestration.quality.suites import suites
from orchestration.warehouse.dbt import build_lock

_FAILING = """
select r.org_id, r.stream, r.expectation, r.unexpected_count, r.observed
from ops.quality_results as r
where r.source = %s and r.is_critical and r.unexpected_count > r.accepted_count
order by r.org_id, r.stream, r.expectation
"""
_NAMED_REASONS = 4


@dataclass(frozen=True)
class Held:
    """An organization held back from publishing a source, since when and why, in words without any value."""

    organization: str
    source: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class Change:
    """Organizations (by slug) that a check newly held back and let go again."""

    held: tuple[str, ...] = ()
    released: tuple[str, ...] = ()


def hold_and_release(
    connection: psycopg.Connection, source: str, on_wait: Callable[[str], Any] | None = None
) -> Change:
    """Make who is held back what the results say. Waits for a running build only where somebody's state changes."""
    with connection.transaction():
        wanted, present = _reasons(connection, source), _present(connection, source)
        if wanted == present:
            return Change()
        if wanted.keys() == present.keys():
            _write(connection, source, wanted, present)
            return Change()
    with build_lock(on_wait), connection.transaction():
        wanted, present = _reasons(connection, source), _present(connection, source)
        _write(connection, source, wanted, present)
        return Change(
            _slugs(connection, wanted.keys() - present.keys()), _slugs(connection, present.keys() - wanted.keys())
        )


def held(connection: psycopg.Connection, source: str | None = None, organization: str | None = None) -> list[Held]:
    """Who is held back now."""
    rows = connection.execute(
        """
        select o.slug, h.source, h.reason, h.since
        from ops.held_back as h
        inner join ops.organizations as o on o.id = h.org_id
        where h.released_at is null and h.source = coalesce(%s, h.source) and o.slug = coalesce(%s, o.slug)
        order by 1, 2
        """,
        [source, organization],
    ).fetchall()
    return [Held(*row) for row in rows]


def release(
    connection: psycopg.Connection, organization: str, source: str, on_wait: Callable[[str], Any] | None = None
) -> None:
    """Publish what has landed all the same: what fails now is accepted, and only more of it holds back again.

    Counts of rows that only warn are accepted as well. Raises UsageError where the organization is not held back and
    has none.
    """
    with build_lock(on_wait), connection.transaction():
        row = connection.execute(
            """
            with released as (
                update ops.held_back as h set released_at = now(), released_by = 'aiop quality release'
                from ops.organizations as o
                where o.id = h.org_id and o.slug = %(slug)s and h.source = %(source)s and h.released_at is null
                returning h.org_id
            )
            select org_id from released
            union all
            select r.org_id
            from ops.quality_results as r
            inner join ops.organizations as o on o.id = r.org_id
            where o.slug = %(slug)s and r.source = %(source)s and r.unexpected_count > 0
                and r.expectation = any(%(counts)s)
            """,
            {"slug": organization, "source": source, "counts": list(COUNTS)},
        ).fetchone()
        if row is None:
            raise UsageError(
                f"{organization} is not held back from publishing {source}", hint="`aiop quality` shows who is"
            )
        names = {"org": row[0], "source": source, "counts": list(COUNTS)}
        accept_reads(connection, row[0], source)
        connection.execute(
            "update ops.quality_streams set good_rows = live_rows where org_id = %(org)s and source = %(source)s", names
        )
        connection.execute(
            """
            update ops.quality_results set
                accepted_count = case when expectation = any(%(counts)s) then 0 else unexpected_count end,
                unexpected_count = case when expectation = any(%(counts)s) then 0 else unexpected_count end,
                failing_since = case when expectation <> all(%(counts)s) then failing_since end
            where org_id = %(org)s and source = %(source)s and unexpected_count > 0
            """,
            names,
        )


def _reasons(connection: psycopg.Connection, source: str) -> dict[int, str]:
    by_stream = {suite.stream: suite for suite in suites(source)}
    reasons: dict[int, list[str]] = {}
    for org_id, stream, expectation, unexpected, observed in connection.execute(_FAILING, [source]).fetchall():
        if stream not in by_stream:
            continue
        says = by_stream[stream].says(expectation)
        words = (
            f"{stream}: {counted(expectation, observed, unexpected)}"
            if expectation in COUNTS
            else f"{stream}: not so in {unexpected:,} of {observed:,} records: {says}"
        )
        reasons.setdefault(org_id, []).append(words)
    return {
        org_id: "; ".join(words[:_NAMED_REASONS])
        + (f"; and {len(words) - _NAMED_REASONS} more" if len(words) > _NAMED_REASONS else "")
        for org_id, words in reasons.items()
    }


def _present(connection: psycopg.Connection, source: str) -> dict[int, str]:
    return dict(
        connection.execute(
            "select org_id, reason from ops.held_back where source = %s and released_at is null", [source]
        ).fetchall()
    )


def _write(connection: psycopg.Connection, source: str, wanted: Mapping[int, str], present: Mapping[int, str]) -> None:
    gone, changed = list(present.keys() - wanted.keys()), [o for o in wanted if present.get(o) != wanted[o]]
    connection.execute(
        "update ops.held_back set released_at = now(), released_by = 'a later load was good'"
        " where source = %s and released_at is null and org_id = any(%s)",
        [source, gone],
    )
    connection.execute(
        """
        insert into ops.held_back (org_id, source, reason)
        select o.id, %s, w.reason
        from unnest(%s::int[], %s::text[]) as w (org_id, reason)
        inner join ops.organizations as o on o.id = w.org_id
        for key share of o skip locked
        on conflict (source, org_id) where released_at is null do update set reason = excluded.reason
        """,
        [source, changed, [wanted[org] for org in changed]],
    )


def _slugs(connection: psycopg.Connection, org_ids: set[int]) -> tuple[str, ...]:
    rows = connection.execute(
        "select slug from ops.organizations where id = any(%s) order by 1", [list(org_ids)]
    ).fetchall()
    return tuple(slug for (slug,) in rows)
