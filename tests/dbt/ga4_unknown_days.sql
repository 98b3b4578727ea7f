{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_app_analytics') }}
-- Dates of the last weeks, between known ones, that BigQuery has no table of: they, and the windows they fall into, are
-- unknown. An export that was paused, or more events than the daily export takes, look like this.
with

known as (

    select
        org_id,
        event_date,
        lead(event_date) over (partition by org_id order by event_date) as next_date
    from {{ ref('int_ga4__known_days') }}

)

select
    organizations.slug as organization,
    known.event_date + 1 as first_unknown,
    known.next_date - 1 as last_unknown
from known
inner join {{ ref('organizations') }} as organizations on known.org_id = organizations.id
where
    known.next_date > known.event_date + 1
    and known.next_date >= current_date - {{ var("recheck_days") }}
