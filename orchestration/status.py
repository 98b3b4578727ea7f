"""What state the warehouse's data is in: by organization, source and stream, as ``ops`` has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from orchestration.errors import UsageError
from orchestration.schedule import next_run, schedules_on
from orchestration.warehouse.landed_tables import schema_name

State = Literal["ok", "late", "failing", "held back", "never read", "disconnected"]

# A night may be missed, a second one may not; as the assets' freshness policies have it.
LATE_AFTER = timedelta(hours=50)
# A stream not read for so long, while its source was, is no longer part of the source (as in marts.data_freshness).
_RETIRED_AFTER = timedelta(days=31)


@dataclass
class StreamStatus:
    """One stream of one organization. ``error`` and ``way_out`` are of its last attempt, where that failed."""

    stream: str
    state: State
    last_success_at: datetime | None
    rows: int | None
    last_attempt_at: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None
    way_out: str | None = None
    notes: list[str] = field(default_factory=list)


@dataclass
class SourceStatus:
    """One organization's connection to a source.

    last_success_at
        Everything is at least as new; None while a stream has never been read.
    rows
        Landed rows of records that the source still has.
    next_run_at, next_job
        None where no schedule reads the source, or schedules are off here.
    held_back_since, held_back_reason
        Since when and why what lands is not published, in words without values; None where it is. A source that is
        held back is so whether its streams fail or not: ``failing`` says that.
    """

    organization: str
    source: str
    state: State
    last_success_at: datetime | None
    rows: int
    next_run_at: datetime | None
    next_job: str | None
    streams: list[StreamStatus]
    held_back_since: datetime | None = None
    held_back_reason: str | None = None

    @property
    def failing(self) -> list[StreamStatus]:
        """The streams whose last attempt failed."""
        return [stream for stream in self.streams if stream.state == "failing"]

    @property
    def is_wrong(self) -> bool:
        """Whether somebody should look: it fails, is held back, or nights have been missed."""
        return self.state in ("failing", "held back", "late")


@dataclass(frozen=True)
class Drift:
    """A change of a stream's shape, the same for all of ``organizations``."""

    source: str
    stream: str
    path: str
    change: Literal["new", "missing", "type"]
    old_type: str | None
    new_type: str | None
    first_at: datetime
    organizations: list[str]

    @property
    def words(self) -> str:
        """The change as a sentence without its subject."""
        old, new = _type_words(self.old_type), _type_words(self.new_type)
        match self.change:
            case "new":
                return f"is new: {new}"
            case "missing":
                return f"is gone; it was {old}"
            case "type":
                return f"was {old}, now also {new}" if self.old_type else f"is now {new}"


def status(
    connection: psycopg.Connection,
    *,
    organizations: Iterable[str] = (),
    sources: Iterable[str] = (),
    now: datetime | None = None,
) -> list[SourceStatus]:
    """The state of every organization and source, or of those named, in that order.

    Raises UsageError for an organization or source that is unknown.
    """
    now = now or datetime.now(UTC)
    known = _known(connection, organizations)
    wanted_sources = _known_sources(connection, sources)
    connected = {
        (org_id, source)
        for org_id, source in connection.execute("select org_id, source from ops.connections").fetchall()
    }
    names = {"ids": list(known), "sources": wanted_sources}
    with connection.cursor(row_factory=dict_row) as cursor:
        attempts = cursor.execute(_ATTEMPTS, names).fetchall()
    by_source: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for attempt in attempts:
        by_source.setdefault((attempt["org_id"], attempt["source"]), []).append(attempt)
    rows = {source: _landed_rows(connection, source, list(known)) for source in wanted_sources}
    held = {
        (org_id, source): (since, reason)
        for org_id, source, since, reason in connection.execute(
            "select org_id, source, since, reason from ops.held_back where released_at is null"
        ).fetchall()
    }
    pairs = sorted(
        (org_id, source)
        for org_id, source in connected | by_source.keys() | held.keys()
        if org_id in known and source in wanted_sources
    )
    return [
        _source_status(
            known[org_id],
            source,
            by_source.get((org_id, source), []),
            rows[source].get(org_id, {}),
            (org_id, source) in connected,
            held.get((org_id, source), (None, None)),
            now,
        )
        for org_id, source in pairs
    ]


def drift(
    connection: psycopg.Connection,
    *,
    organizations: Iterable[str] = (),
    sources: Iterable[str] = (),
    since: datetime | None = None,
) -> list[Drift]:
    """Changes of shape since then, the newest first; one that many organizations saw is one entry."""
    known = _known(connection, organizations)
    rows = connection.execute(
        """
        select source, stream, path, change, old_type, new_type, min(detected_at), array_agg(distinct org_id)
        from ops.schema_drift
        where org_id = any(%s) and source = any(%s) and detected_at >= coalesce(%s, '-infinity'::timestamptz)
        group by source, stream, path, change, old_type, new_type
        order by min(detected_at) desc, source, stream, path
        """,
        [list(known), _known_sources(connection, sources), since],
    ).fetchall()
    return [
        Drift(source, stream, path, change, old, new, first_at, [known[org_id] for org_id in org_ids])
        for source, stream, path, change, old, new, first_at, org_ids in rows
    ]


# From one stream's name to the next by the index: years of runs are not read for the few names there are. A window read
# again says nothing of the nights.
_ATTEMPTS = """
with recursive sources as (
    select o.org_id, s.source
    from unnest(%(ids)s::int[]) as o (org_id)
    cross join unnest(%(sources)s::text[]) as s (source)
), streams as (
    select
        org_id, source,
        (select min(r.stream) from ops.sync_runs as r where r.org_id = s.org_id and r.source = s.source) as stream
    from sources as s
    union all
    select org_id, source, (
        select min(r.stream) from ops.sync_runs as r
        where r.org_id = s.org_id and r.source = s.source and r.stream > s.stream
    )
    from streams as s
    where s.stream is not null
)
select
    s.org_id, s.source, s.stream, w.last_success_at, last.status, last.started_at, last.finished_at, last.notes,
    last.error_message, case when last.status = 'failed' then (
        select min(r.started_at) from ops.sync_runs as r
        where r.org_id = s.org_id and r.source = s.source and r.stream = s.stream
            and r.status = 'failed' and not r.is_window and r.started_at > coalesce(w.last_success_at, '-infinity')
    ) end as failing_since
from streams as s
cross join lateral (
    select r.* from ops.sync_runs as r
    where r.org_id = s.org_id and r.source = s.source and r.stream = s.stream and not r.is_window
    order by r.started_at desc, r.run_id desc
    limit 1
) as last
left join ops.watermarks as w on w.org_id = s.org_id and w.source = s.source and w.stream = s.stream
order by s.org_id, s.source, s.stream
"""


def _source_status(
    slug: str,
    source: str,
    attempts: Sequence[dict[str, Any]],
    rows: dict[str, int],
    connected: bool,
    held: tuple[datetime, str] | tuple[None, None],
    now: datetime,
) -> SourceStatus:
    newest = max((attempt["started_at"] for attempt in attempts), default=now)
    streams = [
        _stream_status(attempt, rows.get(attempt["stream"]), slug, source)
        for attempt in attempts
        if attempt["started_at"] > newest - _RETIRED_AFTER
    ]
    successes = [stream.last_success_at for stream in streams]
    last = min((one for one in successes if one), default=None) if None not in successes else None
    state: State = "ok"
    if held[0] is not None:
        # As marts.data_freshness has it: what is published is older than what was read.
        state = "held back"
    elif not connected:
        state = "disconnected"
    elif not streams:
        state = "never read"
    elif any(stream.state == "failing" for stream in streams):
        state = "failing"
    elif schedules_on() and (last is None or now - last > LATE_AFTER):
        state = "late"
    coming = next_run(source, now) if connected and schedules_on() else None
    next_run_at, next_job = coming or (None, None)
    return SourceStatus(slug, source, state, last, sum(rows.values()), next_run_at, next_job, streams, *held)


def _stream_status(attempt: dict[str, Any], rows: int | None, slug: str, source: str) -> StreamStatus:
    failing = attempt["status"] == "failed"
    message, _, way_out = (attempt["error_message"] or "").partition("\n  → ")
    for prefix in (f"{slug} / {source} / {attempt['stream']}: ", f"{slug} / {source}: "):
        message = message.removeprefix(prefix)
    return StreamStatus(
        attempt["stream"],
        "failing" if failing else "ok",
        attempt["last_success_at"],
        rows,
        attempt["finished_at"],
        attempt["failing_since"],
        message if failing else None,
        (way_out or f"aiop sync {source} --org {slug} --only-failed") if failing else None,
        list(attempt["notes"] or ()),
    )


def _landed_rows(connection: psycopg.Connection, source: str, ids: list[int]) -> dict[int, dict[str, int]]:
    """Rows of records that are not deleted, by organization and stream."""
    schema = schema_name(source)
    tables = connection.execute(
        """
        select c.relname from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = %s and c.relkind in ('r', 'p') order by c.relname
        """,
        [schema],
    ).fetchall()
    found: dict[int, dict[str, int]] = {}
    for (table,) in tables:
        statement = sql.SQL(
            "select org_id, count(*) from {} where deleted_at is null and org_id = any(%s) group by org_id"
        ).format(sql.Identifier(schema, table))
        for org_id, count in connection.execute(statement, [ids]).fetchall():
            found.setdefault(org_id, {})[table] = count
    return found


def _known(connection: psycopg.Connection, slugs: Iterable[str]) -> dict[int, str]:
    rows = connection.execute("select id, slug from ops.organizations order by id").fetchall()
    known: dict[int, str] = dict(rows)
    asked = list(slugs)
    unknown = [slug for slug in asked if slug not in known.values()]
    if unknown:
        raise UsageError(
            f"There is no organization {', '.join(repr(slug) for slug in unknown)}.",
            hint="`aiop orgs list` shows those there are.",
        )
    return {org_id: slug for org_id, slug in known.items() if not asked or slug in asked}


def _known_sources(connection: psycopg.Connection, names: Iterable[str]) -> list[str]:
    rows = connection.execute(
        "select source from ops.connections union select source from ops.watermarks order by source"
    ).fetchall()
    known = [source for (source,) in rows]
    asked = list(names)
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise UsageError(
            f"No organization has the source {', '.join(repr(name) for name in unknown)}.",
            hint=f"Sources in use: {', '.join(known) or 'none yet'}.",
        )
    return [name for name in known if not asked or name in asked]


def _type_words(types: str | None) -> str:
    """``null|string`` as a person says it."""
    words = [one for one in (types or "").split("|") if one and one not in ("null", "absent")]
    said = " or ".join(words) or "always null"
    extra = [word for name, word in (("null", "null"), ("absent", "absent")) if name in (types or "").split("|")]
    return f"{said} (sometimes {' or '.join(extra)})" if words and extra else said
