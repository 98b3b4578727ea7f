"""Counting, by organization, the landed records that break expectations: one pass a stream over what is new.

Only streams that changed since they were last looked at are, and of these only rows that later loads wrote; what was
found broken before is kept by key (``ops.quality_violations``). A night with nothing new costs a look at the runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import psycopg
from psycopg import sql

from orchestration.quality.expectations import COUNTS, ROW_COUNT, Suite
from orchestration.warehouse import locks
from orchestration.warehouse.landed_tables import landed_table

# A count at or below this share of the last believable one is a collapse.
COLLAPSED_SHARE = 0.5
# Of streams that nothing is published from: below so many rows, half of them gone is a day's work.
SMALL = 20

# The organization is locked so that an erasure waits, and left out while one is under way.
_SCOPE = """
create temporary table quality_scope on commit drop as
select
    o.id as org_id,
    case when c.suite = %(suite)s then c.run_id else 0 end as since,
    coalesce(landed.run_id, c.run_id) as run_id,
    coalesce(landed.started_at, c.run_started_at) as run_started_at,
    -- Another suite has rows looked at again; what was deleted before the last look is in its count all the same.
    coalesce(c.run_id, 0) as counted_to,
    coalesce(landed.rows_deleted, 0) as rows_deleted,
    c.good_rows
from ops.connections as k
inner join ops.organizations as o on o.id = k.org_id
left join ops.quality_streams as c on c.org_id = k.org_id and c.source = k.source and c.stream = %(stream)s
cross join lateral (
    select
        max(r.run_id) as run_id,
        max(r.started_at) as started_at,
        sum(r.rows_inserted + r.rows_updated + r.rows_deleted) as rows_changed,
        sum(r.rows_deleted) filter (where r.run_id > coalesce(c.run_id, 0)) as rows_deleted
    from ops.sync_runs as r
    where r.org_id = k.org_id and r.source = k.source and r.stream = %(stream)s and r.status = 'succeeded'
        -- By the index; a load that began earlier may have taken its number later, though not by a day.
        and r.started_at >= coalesce(c.run_started_at - interval '1 day', '-infinity')
        and r.run_id > coalesce(c.run_id, 0)
) as landed
where k.source = %(source)s
    and case
        when c.org_id is null then landed.run_id is not null
        else landed.rows_changed > 0 or c.suite <> %(suite)s
    end
"""
_LOCK = """
delete from quality_scope
where org_id not in (
    select id from ops.organizations where id in (select org_id from quality_scope) for key share skip locked
)
"""
_FORGET = """
delete from ops.quality_violations as v
using quality_scope as s, {table} as landed
where v.org_id = s.org_id and v.source = %(source)s and v.stream = %(stream)s
    and landed.org_id = v.org_id and landed.record_id = v.record_id and landed.run_id > s.since
"""
_LOOK = """
insert into ops.quality_violations (org_id, source, stream, record_id, expectations)
select landed.org_id, %(source)s, %(stream)s, landed.record_id, broken.names
from {table} as landed
inner join quality_scope as s on s.org_id = landed.org_id and landed.run_id > s.since
{fields}
{joins}
cross join lateral (select array_remove(array[{rules}]::text[], null) as names) as broken
where landed.deleted_at is null and broken.names <> '{{}}'
"""
# Rows that the source itself named as deleted are believed, as the loader believes them: the count to compare with is
# less by them. They are known by the source's instant in deleted_at, where the loader puts that of the load for rows
# that did not come. Rows that were new and deleted at once never counted; those the runs did not count either.
_COUNT = """
create temporary table quality_rows on commit drop as
select
    n.org_id,
    n.live_rows,
    n.expected_rows,
    n.live_rows <= %(share)s * n.expected_rows and n.expected_rows > 0 as is_collapsed
from (
    select
        s.org_id,
        coalesce(landed.live_rows, 0) as live_rows,
        s.good_rows
        - least(coalesce(landed.named, 0), greatest(s.rows_deleted - coalesce(landed.missing, 0), 0)) as expected_rows
    from quality_scope as s
    left join (
        select
            t.org_id,
            count(*) filter (where t.deleted_at is null) as live_rows,
            count(*) filter (where t.deleted_at <> t.extracted_at and t.run_id > c.counted_to) as named,
            count(*) filter (where t.deleted_at = t.extracted_at and t.run_id > c.counted_to) as missing
        from {table} as t
        inner join quality_scope as c on c.org_id = t.org_id
        group by 1
    ) as landed using (org_id)
) as n
"""
_RESULTS = """
insert into ops.quality_results as kept (
    org_id, source, stream, expectation, is_critical, unexpected_count, observed, failing_since, batch_id
)
select r.org_id, %(source)s, %(stream)s, e.name, e.is_critical, coalesce(v.records, 0), r.live_rows,
    case when v.records > 0 then now() end, %(batch)s
from quality_rows as r
cross join unnest(%(names)s::text[], %(criticals)s::boolean[]) as e (name, is_critical)
left join (
    select q.org_id, one.name, count(*) as records
    from ops.quality_violations as q
    cross join unnest(q.expectations) as one (name)
    where q.source = %(source)s and q.stream = %(stream)s and q.org_id in (select org_id from quality_scope)
    group by 1, 2
) as v on v.org_id = r.org_id and v.name = e.name

union all

select r.org_id, %(source)s, %(stream)s, %(row_count)s, %(publishes)s or coalesce(s.good_rows >= %(small)s, false),
    case when r.is_collapsed then r.expected_rows - r.live_rows else 0 end, r.live_rows,
    case when r.is_collapsed then now() end, %(batch)s
from quality_rows as r
inner join quality_scope as s using (org_id)
on conflict (org_id, source, stream, expectation) do update set
    is_critical = excluded.is_critical,
    unexpected_count = excluded.unexpected_count,
    observed = excluded.observed,
    accepted_count = least(kept.accepted_count, excluded.unexpected_count),
    failing_since = case when excluded.unexpected_count > 0 then coalesce(kept.failing_since, now()) end,
    batch_id = excluded.batch_id,
    checked_at = now()
"""
_DROPPED_RULES = """
delete from ops.quality_results
where source = %(source)s and stream = %(stream)s and expectation <> all(%(names)s::text[] || %(counts)s::text[])
"""
_DONE = """
insert into ops.quality_streams (org_id, source, stream, suite, run_id, run_started_at, live_rows, good_rows)
select s.org_id, %(source)s, %(stream)s, %(suite)s, s.run_id, s.run_started_at, r.live_rows,
    case when r.is_collapsed then r.expected_rows else r.live_rows end
from quality_scope as s
inner join quality_rows as r using (org_id)
on conflict (org_id, source, stream) do update set
    suite = excluded.suite,
    run_id = excluded.run_id,
    run_started_at = excluded.run_started_at,
    live_rows = excluded.live_rows,
    good_rows = excluded.good_rows,
    checked_at = now()
"""


def measure(connection: psycopg.Connection, suite: Suite, batch: UUID) -> int:
    """Bring the results of one stream up to its last loads; how many organizations were looked at.

    One transaction, one at a time a stream. The connection must be idle and the landed table in place.
    """
    names: Sequence[str] = [expectation.name for expectation in suite.expectations]
    parameters = {
        "source": suite.source,
        "stream": suite.stream,
        "suite": suite.fingerprint,
        "batch": batch,
        "names": names,
        "criticals": [expectation.critical for expectation in suite.expectations],
        "row_count": ROW_COUNT,
        "counts": list(COUNTS),
        "publishes": suite.publishes,
        "share": COLLAPSED_SHARE,
        "small": SMALL,
    }
    table = landed_table(suite.source, suite.stream)

    def run(statement: str | sql.Composed) -> int:
        composed = statement if isinstance(statement, sql.Composed) else sql.SQL(statement).format(table=table)
        return connection.execute(composed, parameters, prepare=False).rowcount

    with locks.exclusive(connection, f"quality {suite.source} {suite.stream}"):
        connection.execute("select set_config('statement_timeout', '0', true)")
        run(_SCOPE)
        run(_LOCK)
        connection.execute("analyze quality_scope")
        row = connection.execute("select count(*) from quality_scope").fetchone()
        assert row is not None
        if row[0]:
            run(_FORGET)
            run(_look(suite, table))
            run(_COUNT)
            run(_RESULTS)
            run(_DROPPED_RULES)
            run(_DONE)
    return int(row[0])


def _look(suite: Suite, table: sql.Identifier) -> sql.Composed:
    """All rules of a suite in one statement; a condition that is NULL breaks nothing."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in suite.fields.items())
    fields = (
        "cross join lateral jsonb_to_record("
        f"case jsonb_typeof(landed.payload) when 'object' then landed.payload else '{{}}' end) as field ({columns})"
        if columns
        else ""
    )
    rules = ",\n".join(f"case when ({rule.broken}) then '{rule.name}' end" for rule in suite.expectations)
    # Not values but the project's own text; parameters are marked by per cent signs, which it may hold as well.
    parts = {
        name: sql.SQL(text.replace("%", "%%"))
        for name, text in {"fields": fields, "joins": suite.joins, "rules": rules}.items()
    }
    return sql.SQL(_LOOK).format(table=table, **parts)
