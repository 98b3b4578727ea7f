-- What a date states must follow from what it states beside it: one row per contradiction.
select
    organizations.slug as organization,
    mart.metric_date,
    identity.rule
from {{ ref('mart_app_analytics') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        values
        ('those active on a date are active in its week', mart.daily_active_users > mart.weekly_active_users),
        ('those active in a week are active in its month', mart.weekly_active_users > mart.monthly_active_users),
        ('those active on a date are active in its month', mart.daily_active_users > mart.monthly_active_users),
        ('new users are active', mart.new_users > mart.daily_active_users),
        (
            'new and returning users add up to the active ones',
            mart.new_users + mart.returning_users <> mart.daily_active_users
        ),
        (
            'without sessions there is no average',
            mart.total_sessions = 0
            and coalesce(mart.avg_session_duration_secs, mart.screens_per_session) is not null
        ),
        ('no session ends before it begins', mart.avg_session_duration_secs < 0),
        ('ten screens are listed at most', jsonb_array_length(mart.top_screens) > 10)
    ) as identity (rule, is_broken)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and identity.is_broken
