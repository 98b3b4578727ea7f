-- One row per organization and date whose sessions were read: nothing is known of any other date.
with

-- Written in the transaction that lands the sessions: a date is among them from the moment its sessions are.
reads as (

    select
        org_id,
        case jsonb_typeof(state -> 'dates') when 'object' then state -> 'dates' else '{}' end as dates,
        {{ readable_date("regexp_replace(state ->> 'exported_since', '^(....)(..)', '\\1-\\2-')") }} as exported_since
    from {{ source('ops', 'watermarks') }}
    where source = 'ga4' and stream = 'sessions'

),

dates as (

    select
        reads.org_id,
        reads.exported_since,
        {{ readable_date("regexp_replace(date.key, '^(....)(..)', '\\1-\\2-')") }} as event_date,
        '["' || date.key || '", ' as part,
        date.value ->> 0 as table_name
    from reads
    cross join jsonb_each(reads.dates) as date (key, value)

),

windows as (

    select
        *,
        count(*) over (
            partition by org_id order by event_date range between interval '6 days' preceding and current row
        ) as known_of_7,
        count(*) over (
            partition by org_id order by event_date range between interval '27 days' preceding and current row
        ) as known_of_28,
        -- Windows begin where the export begins: of what was before, BigQuery has nothing to tell.
        event_date - exported_since + 1 as exported
    from dates
    where event_date is not null

)

select
    org_id,
    event_date,
    part,
    table_name,
    table_name like 'events\_intraday\_%' as is_provisional,
    known_of_7 >= least(7, exported) as is_week_known,
    known_of_28 >= least(28, exported) as is_month_known
from windows
