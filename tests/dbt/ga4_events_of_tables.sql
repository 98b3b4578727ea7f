{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_app_analytics') }}
-- Dates whose sessions do not hold as many events as their table, as it was described, has rows. A table that was
-- written anew between its description and its reading shows here until the next night.
with

-- Rows that were streamed in lately are not in BigQuery's count.
recent as (

    select
        org_id,
        event_date,
        table_rows
    from {{ ref('stg_ga4__days') }}
    where extracted_at >= current_timestamp - interval '{{ var("recheck_days") }} days' and not is_provisional

),

landed as (

    select
        sessions.org_id,
        sessions.event_date,
        sum(sessions.deliveries) as deliveries
    from {{ ref('int_ga4__session_days') }} as sessions
    inner join recent on sessions.org_id = recent.org_id and sessions.event_date = recent.event_date
    group by sessions.org_id, sessions.event_date

)

select
    organizations.slug as organization,
    recent.event_date,
    recent.table_rows,
    coalesce(landed.deliveries, 0) as deliveries
from recent
inner join {{ ref('organizations') }} as organizations on recent.org_id = organizations.id
left join landed using (org_id, event_date)
where
    recent.table_rows <> coalesce(landed.deliveries, 0)
    -- What was not read yet is told by its own failure.
    and (recent.org_id, recent.event_date) in (
        select
            known.org_id,
            known.event_date
        from {{ ref('int_ga4__known_days') }} as known
        where {{ publishable('ga4', 'known.org_id') }}
    )
