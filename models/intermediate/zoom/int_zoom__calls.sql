-- One row per organization and call. A call that was passed on has several legs and is one call all the same.
with

legs as (

    select
        legs.org_id,
        legs.leg_uuid,
        coalesce(legs.call_id, legs.leg_uuid) as call_id,
        lower(legs.direction) as direction,
        coalesce(results.is_missed, false) as is_missed,
        legs.duration_seconds,
        coalesce((legs.started_at at time zone reads.timezone)::date, legs.started_on) as started_on,
        coalesce(
            legs.started_at,
            coalesce(legs.started_local, legs.started_on::timestamp) at time zone reads.timezone
        ) as started_at
    from {{ ref('stg_zoom__call_history') }} as legs
    inner join {{ ref('int_zoom__reads') }} as reads
        on
            legs.org_id = reads.org_id
            and reads.stream = 'call_history'
    left join {{ ref('zoom_call_results') }} as results on lower(legs.call_result) = results.call_result
    where not legs.is_deleted

)

select
    org_id,
    call_id,
    -- Those of the leg it began with.
    (array_agg(started_on order by started_at, leg_uuid))[1] as metric_date,
    (array_agg(direction order by started_at, leg_uuid))[1] as direction,
    -- A leg that somebody answered makes up for all others.
    bool_and(is_missed) and (array_agg(direction order by started_at, leg_uuid))[1] = 'inbound' as is_missed,
    count(*) as legs,
    -- Unknown as soon as one is.
    case when count(*) = count(duration_seconds) then sum(duration_seconds) end as seconds
from legs
group by org_id, call_id
