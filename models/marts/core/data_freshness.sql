{{ config(unique_key=['org_id', 'source'], upsert_scope='all') }}
-- One row per organization and source: how old its data is, and what is wrong where something is.
with recursive

-- Also what was disconnected after it had landed: those rows are still in the marts, and grow old.
connections as (

    select
        org_id,
        source,
        bool_or(is_connected) as is_connected
    from (
        select
            org_id,
            source,
            true as is_connected
        from {{ source('ops', 'connections') }}
        union all
        select distinct
            org_id,
            source,
            false as is_connected
        from {{ source('ops', 'watermarks') }}
    ) as known
    group by 1, 2

),

-- From one stream's name to the next by the index: runs of years are not read for the few names there are.
streams as (

    select
        connections.org_id,
        connections.source,
        (
            select min(runs.stream) from {{ source('ops', 'sync_runs') }} as runs
            where runs.org_id = connections.org_id and runs.source = connections.source
        ) as stream
    from connections

    union all

    select
        streams.org_id,
        streams.source,
        (
            select min(runs.stream) from {{ source('ops', 'sync_runs') }} as runs
            where runs.org_id = streams.org_id and runs.source = streams.source and runs.stream > streams.stream
        ) as stream
    from streams
    where streams.stream is not null

),

-- A window of the past that was read again says nothing of the nights.
latest as (

    select
        streams.org_id,
        streams.source,
        streams.stream,
        run.started_at,
        run.finished_at,
        run.status,
        run.error_kind,
        run.error_message,
        max(run.started_at) over (partition by streams.org_id, streams.source) as last_started_at
    from streams
    cross join lateral (
        select runs.*
        from {{ source('ops', 'sync_runs') }} as runs
        where
            runs.org_id = streams.org_id
            and runs.source = streams.source
            and runs.stream = streams.stream
            and not runs.is_window
        order by runs.started_at desc
        limit 1
    ) as run

),

by_stream as (

    select
        latest.*,
        watermarks.last_success_at,
        (
            select min(runs.started_at) from {{ source('ops', 'sync_runs') }} as runs
            where
                runs.org_id = latest.org_id
                and runs.source = latest.source
                and runs.stream = latest.stream
                and runs.status = 'failed'
                and not runs.is_window
                and runs.started_at > coalesce(watermarks.last_success_at, '-infinity')
        ) as failing_since
    from latest
    left join {{ source('ops', 'watermarks') }} as watermarks using (org_id, source, stream)
    -- A stream not read for a month any more is no longer part of the source.
    where latest.started_at > latest.last_started_at - interval '31 days'

),

by_source as (

    select
        org_id,
        source,
        count(*)::int as stream_count,
        max(finished_at) as last_attempt_at,
        -- Of the stream that waits longest: everything is at least as new. NULL while one has never been read.
        case when count(*) = count(last_success_at) then min(last_success_at) end as last_success_at,
        min(failing_since) filter (where status = 'failed') as failing_since,
        string_agg(stream, ', ' order by stream) filter (where status = 'failed') as failing_streams,
        string_agg(distinct {{ public_error('error_kind', 'error_message') }}, ' | ') filter (
            where status = 'failed'
        ) as error
    from by_stream
    group by 1, 2

)

select
    connections.org_id,
    connections.source,
    case
        when held.org_id is not null then 'held back'
        when not connections.is_connected then 'disconnected'
        when by_source.org_id is null then 'never synced'
        when by_source.failing_streams is not null then 'failing'
        else 'ok'
    end as status,
    by_source.last_success_at,
    by_source.last_attempt_at,
    case
        when connections.is_connected then by_source.last_success_at + interval '{{ var("late_after_hours") }} hours'
    end as late_after,
    case when connections.is_connected then by_source.failing_since end as failing_since,
    coalesce(by_source.stream_count, 0) as stream_count,
    case when connections.is_connected then by_source.failing_streams end as failing_streams,
    held.since as held_back_since,
    nullif(concat_ws(
        ' | ',
        'What landed is not published, the last good rows stay: ' || held.reason,
        case when connections.is_connected then by_source.error end
    ), '') as error
from connections
left join by_source using (org_id, source)
left join {{ source('ops', 'held_back') }} as held
    on
        connections.org_id = held.org_id
        and connections.source = held.source
        and held.released_at is null
