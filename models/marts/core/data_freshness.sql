{{ config(unique_key=['org_id', 'source'], upsert_scope='all') }}
-- One row per organization and source connected: how old its data is, and what is wrong where something is.
with

attempts as (

    select
        *,
        max(started_at) over (partition by org_id, source) as last_started_at
    from {{ source('ops', 'sync_runs') }}

),

-- The last attempt of each stream; streams not read for a month any more are no longer part of the source.
latest as (

    select distinct on (org_id, source, stream) *
    from attempts
    where started_at > last_started_at - interval '31 days'
    order by org_id asc, source asc, stream asc, started_at desc, run_id desc

),

streams as (

    select
        latest.org_id,
        latest.source,
        latest.stream,
        latest.finished_at,
        latest.status,
        latest.error_kind,
        latest.error_message,
        watermarks.last_success_at,
        (
            select min(failures.started_at)
            from {{ source('ops', 'sync_runs') }} as failures
            where
                failures.org_id = latest.org_id
                and failures.source = latest.source
                and failures.stream = latest.stream
                and failures.status = 'failed'
                and (watermarks.last_success_at is null or failures.started_at > watermarks.last_success_at)
        ) as failing_since
    from latest
    left join {{ source('ops', 'watermarks') }} as watermarks using (org_id, source, stream)

),

by_source as (

    select
        org_id,
        source,
        count(*)::int as stream_count,
        max(finished_at) as last_attempt_at,
        -- The oldest of the streams: everything is at least as new. NULL while one has never been read.
        case when count(*) = count(last_success_at) then min(last_success_at) end as last_success_at,
        min(failing_since) filter (where status = 'failed') as failing_since,
        string_agg(stream, ', ' order by stream) filter (where status = 'failed') as failing_streams,
        string_agg(distinct {{ public_error('error_kind', 'error_message') }}, ' | ') filter (
            where status = 'failed'
        ) as error
    from streams
    group by 1, 2

)

select
    connections.org_id,
    connections.source,
    case
        when by_source.org_id is null then 'never synced'
        when by_source.failing_streams is not null then 'failing'
        else 'ok'
    end as status,
    by_source.last_success_at,
    by_source.last_attempt_at,
    by_source.failing_since,
    coalesce(by_source.stream_count, 0) as stream_count,
    by_source.failing_streams,
    by_source.error
from {{ source('ops', 'connections') }} as connections
left join by_source using (org_id, source)
