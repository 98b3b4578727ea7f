"""Whether the days that a source is asked for again every night still bring what they brought the nights before.

A read of changes that brings nothing changes no row, so counting rows finds nothing: neither a quiet night nor a source
that lost its data. But where the same days are read whole again (``Extract.reread_days``) they bring about as much as
before. They are compared by rows a day, for a window is longer after a gap, and by the lowest of the last seven dates,
for days of a week differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import psycopg

from orchestration.quality.expectations import READ_COUNT
from orchestration.warehouse import locks

# At or below this share of what the lowest of a whole week's nights brought, rows are missing.
COLLAPSED_SHARE = 0.5
# Fewer rows than these come and go in a few days: without them nobody is held back.
SMALL = 20
# Longer than any holidays: days of which even a few rows do not all go by themselves.
LONG = 28
# So many dates are compared with. A share of them means something once each day of the week is among them.
WEEK = 7
# Where the lowest of a week's nights is below this share of the highest, it was running out already: over holidays.
RUNNING_OUT = 0.34

# By the index. A load that began earlier may have taken its number later, though not by a day.
_NEWEST = """
create temporary table newest_reads on commit drop as
select distinct on (r.org_id, r.stream)
    r.org_id,
    r.stream,
    r.run_id,
    r.started_at,
    (r.started_at at time zone 'UTC')::date::text as on_date,
    r.reread_rows as received,
    r.reread_days as days,
    coalesce(q.good, '{}') as good
from ops.sync_runs as r
inner join ops.connections as k on k.org_id = r.org_id and k.source = r.source
left join ops.quality_reads as q on q.org_id = r.org_id and q.source = r.source and q.stream = r.stream
where r.source = %(source)s and r.stream = any(%(streams)s) and r.status = 'succeeded' and r.reread_days > 0
    and r.started_at >= coalesce(
        (select max(run_started_at) - interval '1 day' from ops.quality_reads where source = %(source)s), '-infinity'
    )
    and r.run_id > coalesce(q.run_id, 0)
order by r.org_id, r.stream, r.run_id desc
"""
# An organization is locked so that an erasure waits, and left out while one is under way.
_LOCK = """
delete from newest_reads
where org_id not in (
    select id from ops.organizations where id in (select org_id from newest_reads) for key share skip locked
)
"""
_JUDGED = """
create temporary table judged_reads on commit drop as
select
    n.*,
    e.expected,
    coalesce(
        case
            when n.received = 0 then e.expected >= %(small)s or (e.expected > 0 and n.days >= %(long)s)
            else e.dates >= %(week)s and e.expected >= %(small)s and n.received <= %(share)s * e.expected
        end,
        false
    ) as is_collapsed,
    coalesce(
        n.received = 0 and e.expected >= %(small)s and (n.days >= %(long)s or e.lowest >= %(running_out)s * e.highest),
        false
    ) as is_critical
from newest_reads as n
cross join lateral (
    select
        count(*) as dates,
        min(g.rows::numeric) as lowest,
        max(g.rows::numeric) as highest,
        round(min(g.rows::numeric) * n.days) as expected
    from jsonb_each_text(n.good) as g (on_date, rows)
) as e
"""
_RESULTS = """
insert into ops.quality_results as kept (
    org_id, source, stream, expectation, is_critical, unexpected_count, observed, failing_since, batch_id
)
select org_id, %(source)s, stream, %(name)s, is_critical, case when is_collapsed then expected - received else 0 end,
    received, case when is_collapsed then now() end, %(batch)s
from judged_reads
on conflict (org_id, source, stream, expectation) do update set
    is_critical = excluded.is_critical,
    unexpected_count = excluded.unexpected_count,
    observed = excluded.observed,
    accepted_count = 0,
    failing_since = case when excluded.unexpected_count > 0 then coalesce(kept.failing_since, now()) end,
    batch_id = excluded.batch_id,
    checked_at = now()
"""
# What is not believable is not compared with: a collapse does not become normal by lasting a second night.
_DONE = """
insert into ops.quality_reads (org_id, source, stream, run_id, run_started_at, received, days, good)
select j.org_id, %(source)s, j.stream, j.run_id, j.started_at, j.received, j.days,
    case when j.is_collapsed then j.good else newest.good end
from judged_reads as j
cross join lateral (
    select jsonb_object_agg(one.on_date, one.rows) as good
    from (
        select g.on_date, g.rows::numeric as rows from jsonb_each_text(j.good) as g (on_date, rows)
        where g.on_date <> j.on_date
        union all
        select j.on_date, round(j.received::numeric / j.days, 6)
        order by 1 desc
        limit %(week)s
    ) as one
) as newest
on conflict (org_id, source, stream) do update set
    run_id = excluded.run_id,
    run_started_at = excluded.run_started_at,
    received = excluded.received,
    days = excluded.days,
    good = excluded.good,
    checked_at = now()
"""
_FAILING = """
select count(*), coalesce(sum(unexpected_count), 0) from ops.quality_results
where source = %(source)s and expectation = %(name)s and unexpected_count > 0
"""
_ACCEPT = """
update ops.quality_reads as q
set good = jsonb_build_object(
    (q.run_started_at at time zone 'UTC')::date::text, round(q.received::numeric / q.days, 6)
)
from ops.quality_results as v
where v.org_id = q.org_id and v.source = q.source and v.stream = q.stream and v.expectation = %(name)s
    and v.unexpected_count > 0 and q.org_id = %(org)s and q.source = %(source)s
"""


def compare_reads(connection: psycopg.Connection, source: str, streams: Sequence[str], batch: UUID) -> bool:
    """Judge the newest read of every organization and stream that read days again; whether what fails has changed.

    One transaction, one at a time a source. The connection must be idle.
    """
    parameters = {
        "source": source,
        "streams": list(streams),
        "batch": batch,
        "name": READ_COUNT,
        "share": COLLAPSED_SHARE,
        "small": SMALL,
        "long": LONG,
        "week": WEEK,
        "running_out": RUNNING_OUT,
    }
    with locks.exclusive(connection, f"quality {source} reads"):
        connection.execute("select set_config('statement_timeout', '0', true)")
        before = connection.execute(_FAILING, parameters).fetchone()
        for statement in (_NEWEST, _LOCK, _JUDGED, _RESULTS, _DONE):
            connection.execute(statement, parameters, prepare=False)
        return connection.execute(_FAILING, parameters).fetchone() != before


def accept_reads(connection: psycopg.Connection, org_id: int, source: str) -> None:
    """Let what the last reads that fail brought be what the next ones are compared with."""
    connection.execute(_ACCEPT, {"org": org_id, "source": source, "name": READ_COUNT})
