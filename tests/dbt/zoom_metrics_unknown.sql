{{ config(severity='warn') }}
-- Figures that are NULL although their day was read: a value is unreadable, or the sum too large for its type.
select
    organizations.slug as organization,
    mart.metric_date,
    metric.name as metric
from {{ ref('mart_zoom_metrics') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
left join {{ ref('int_zoom__meeting_days') }} as meeting_days
    on
        mart.org_id = meeting_days.org_id
        and mart.metric_date = meeting_days.metric_date
cross join
    lateral (
        values
        ('total_meetings', meeting_days.org_id is not null and mart.total_meetings is null),
        ('total_meeting_minutes', meeting_days.org_id is not null and mart.total_meeting_minutes is null),
        ('total_participants', meeting_days.org_id is not null and mart.total_participants is null),
        ('total_call_minutes', mart.total_calls is not null and mart.total_call_minutes is null),
        ('avg_call_duration_mins', mart.total_calls > 0 and mart.avg_call_duration_mins is null)
    ) as metric (name, applies)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and metric.applies
