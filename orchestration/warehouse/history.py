"""How long the warehouse remembers its own past: attempts to read, builds, changes of shape, what was held back.

What it goes by stays however old it is: of each stream the newest success and the newest failure, of the nights and of
windows that were read again, and, while it fails, the first one; the newest build of either outcome; whoever is held
back now. Last verdicts and watermarks are one row a subject and need no forgetting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

# Organizations a transaction: loads that run meanwhile wait for none of it, and what is done stays done.
_AT_ONCE = 500

# From one number to the next by the index, as the streams below: years of runs are not read for the names there are.
_ORGANIZATIONS = """
with recursive known as (
    select min(org_id) as org_id from ops.sync_runs
    union all
    select (select min(r.org_id) from ops.sync_runs as r where r.org_id > k.org_id) from known as k
    where k.org_id is not null
)
select org_id from known where org_id is not null order by org_id
"""
_RUNS = """
with recursive sources as (
    select o.org_id, (select min(r.source) from ops.sync_runs as r where r.org_id = o.org_id) as source
    from unnest(%(ids)s::int[]) as o (org_id)
    union all
    select s.org_id, (
        select min(r.source) from ops.sync_runs as r where r.org_id = s.org_id and r.source > s.source
    )
    from sources as s
    where s.source is not null
), streams as (
    select s.org_id, s.source, (
        select min(r.stream) from ops.sync_runs as r where r.org_id = s.org_id and r.source = s.source
    ) as stream
    from sources as s
    where s.source is not null
    union all
    select s.org_id, s.source, (
        select min(r.stream) from ops.sync_runs as r
        where r.org_id = s.org_id and r.source = s.source and r.stream > s.stream
    )
    from streams as s
    where s.stream is not null
), kept as (
    select newest.run_id
    from streams as s
    cross join (
        values ('succeeded', false), ('failed', false), ('succeeded', true), ('failed', true)
    ) as outcome (status, is_window)
    cross join lateral (
        select r.run_id from ops.sync_runs as r
        where r.org_id = s.org_id and r.source = s.source and r.stream = s.stream
            and r.status = outcome.status and r.is_window = outcome.is_window
        order by r.started_at desc, r.run_id desc
        limit 1
    ) as newest
    union all
    select first_failure.run_id
    from streams as s
    left join ops.watermarks as w on w.org_id = s.org_id and w.source = s.source and w.stream = s.stream
    cross join lateral (
        select r.run_id from ops.sync_runs as r
        where r.org_id = s.org_id and r.source = s.source and r.stream = s.stream
            and r.status = 'failed' and not r.is_window and r.started_at > coalesce(w.last_success_at, '-infinity')
        order by r.started_at, r.run_id
        limit 1
    ) as first_failure
)
delete from ops.sync_runs as r
using streams as s
where r.org_id = s.org_id and r.source = s.source and r.stream = s.stream
    and r.started_at < %(before)s and r.run_id not in (select run_id from kept)
"""
_BUILDS = """
delete from ops.build_runs
where started_at < %(before)s and build_id not in (
    select distinct on (status) build_id from ops.build_runs
    where status in ('succeeded', 'failed')
    order by status, started_at desc
)
"""
_MODELS = """
delete from ops.build_models as m
where m.finished_at < %(before)s and not exists (select from ops.build_runs as b where b.build_id = m.build_id)
"""
_DRIFT = "delete from ops.schema_drift where detected_at < %(before)s"
_RELEASED = "delete from ops.held_back where released_at < %(before)s"


@dataclass(frozen=True)
class Forgotten:
    """Rows removed, by the table of ``ops`` they were in."""

    sync_runs: int
    build_runs: int
    build_models: int
    schema_drift: int
    held_back: int


def forget(connection: psycopg.Connection, now: datetime, days: int) -> Forgotten:
    """Remove what is older than ``days`` and nothing goes by any more. The connection commits each statement itself."""
    before = {"before": now - timedelta(days=days)}

    def removed(statement: str, **more: object) -> int:
        return connection.execute(statement, before | more).rowcount

    organizations = [org_id for (org_id,) in connection.execute(_ORGANIZATIONS).fetchall()]
    runs = sum(removed(_RUNS, ids=organizations[at : at + _AT_ONCE]) for at in range(0, len(organizations), _AT_ONCE))
    return Forgotten(runs, removed(_BUILDS), removed(_MODELS), removed(_DRIFT), removed(_RELEASED))
