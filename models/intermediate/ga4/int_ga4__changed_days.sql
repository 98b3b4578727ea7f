-- One row per organization and date whose sessions may have changed since mart_app_analytics was last built.
with

last_build as (

    select max(runs.started_at) as started_at
    from {{ source('ops', 'build_models') }} as models
    inner join {{ source('ops', 'build_runs') }} as runs on models.build_id = runs.build_id
    where models.model = 'marts.mart_app_analytics'

),

-- A load that had begun when the build began may have committed behind it: a day's loads before it count as new.
loads as (

    select
        runs.org_id,
        min(runs.run_id) as first_run_id
    from {{ source('ops', 'sync_runs') }} as runs
    cross join last_build
    where
        runs.source = 'ga4'
        and runs.stream = 'sessions'
        and runs.status = 'succeeded'
        and (last_build.started_at is null or runs.finished_at >= last_build.started_at - interval '1 day')
    group by runs.org_id

),

-- What landed while an organization was held back is as old as it may be.
released as (

    select held.org_id
    from {{ source('ops', 'held_back') }} as held
    cross join last_build
    where
        held.source = 'ga4'
        and (last_build.started_at is null or held.released_at >= last_build.started_at - interval '1 day')

)

select distinct
    sessions.org_id,
    sessions.event_date
from {{ ref('stg_ga4__sessions') }} as sessions
left join loads on sessions.org_id = loads.org_id
where
    sessions.event_date is not null
    and (sessions.run_id >= loads.first_run_id or sessions.org_id in (select released.org_id from released))
