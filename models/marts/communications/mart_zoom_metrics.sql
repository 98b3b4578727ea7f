{{ config(unique_key=['org_id', 'metric_date'], upsert_scope='written') }}
-- One row per organization and local date that Zoom was read for. Users and queues are those of the day they were read
-- on; calls and meetings of earlier days are corrected for as long as Zoom corrects them.
-- NULL: that was not read. 0: it was, and there was none.
with

counts as (

    select
        org_id,
        snapshot_date as metric_date,
        max(members) filter (where stream = 'users') as total_users,
        max(members) filter (where stream = 'phone_users') as phone_users,
        max(members) filter (where stream = 'call_queues') as queue_count
    from {{ ref('int_zoom__counts') }}
    group by org_id, snapshot_date

),

-- Zoom does not know any more how many there were on days before: the mart itself does.
stored as (

    {% if is_incremental() %}
    select
        org_id,
        metric_date,
        total_users,
        phone_users,
        queue_count
    from {{ this }}
    {% else %}
    select
        null::int as org_id,
        null::date as metric_date,
        null::int as total_users,
        null::int as phone_users,
        null::int as queue_count
    where false
    {% endif %}

),

call_days as (

    select
        days.org_id,
        days.metric_date,
        count(calls.call_id) as calls,
        count(*) filter (where calls.direction = 'inbound') as inbound,
        count(*) filter (where calls.direction = 'outbound') as outbound,
        count(*) filter (where calls.is_missed) as missed,
        case when count(calls.call_id) = count(calls.seconds) then coalesce(sum(calls.seconds), 0) end as seconds
    from {{ ref('int_zoom__covered_days') }} as days
    left join {{ ref('int_zoom__calls') }} as calls
        on
            days.org_id = calls.org_id
            and days.metric_date = calls.metric_date
    where days.stream = 'call_history'
    group by days.org_id, days.metric_date

),

meeting_days as (

    select * from {{ ref('int_zoom__meeting_days') }}

)

select
    org_id,
    metric_date,
    coalesce(counts.total_users, stored.total_users)::int as total_users,
    coalesce(counts.phone_users, stored.phone_users)::int as phone_users,
    {{ fitting_numeric('meeting_days.meetings', 9, 0) }}::int as total_meetings,
    {{ fitting_numeric('meeting_days.meeting_minutes', 9, 0) }}::int as total_meeting_minutes,
    {{ fitting_numeric('meeting_days.participants', 9, 0) }}::int as total_participants,
    {{ fitting_numeric('meeting_days.average_minutes', 8, 2) }} as avg_meeting_duration_mins,
    call_days.calls::int as total_calls,
    call_days.inbound::int as inbound_calls,
    call_days.outbound::int as outbound_calls,
    call_days.missed::int as missed_calls,
    {{ fitting_numeric('call_days.seconds / 60', 9, 0) }}::int as total_call_minutes,
    {{ fitting_numeric('call_days.seconds / 60 / nullif(call_days.calls, 0)', 8, 2) }} as avg_call_duration_mins,
    coalesce(counts.queue_count, stored.queue_count)::int as queue_count,
    'zoom'::varchar(50) as source_system
from call_days
full join meeting_days using (org_id, metric_date)
full join counts using (org_id, metric_date)
left join stored using (org_id, metric_date)
where {{ publishable('zoom') }}
