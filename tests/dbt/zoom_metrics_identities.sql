-- What a day states must follow from what it states beside it: one row per contradiction.
select
    organizations.slug as organization,
    mart.metric_date,
    identity.rule
from {{ ref('mart_zoom_metrics') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        values
        (
            'inbound and outbound calls are among all calls',
            mart.inbound_calls + mart.outbound_calls > mart.total_calls
        ),
        ('missed calls are inbound calls', mart.missed_calls > mart.inbound_calls),
        (
            'there is an average exactly where there are calls of known length',
            mart.total_call_minutes is not null and (mart.avg_call_duration_mins is null) <> (mart.total_calls = 0)
        ),
        (
            'the average is minutes by calls, but for what rounding takes',
            abs(mart.avg_call_duration_mins * mart.total_calls - mart.total_call_minutes)
            > 0.5 + 0.005 * mart.total_calls
        ),
        ('without meetings nobody took part', mart.total_meetings = 0 and mart.total_participants > 0),
        ('without participants there are no minutes', mart.total_participants = 0 and mart.total_meeting_minutes > 0)
    ) as identity (rule, is_broken)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and identity.is_broken
