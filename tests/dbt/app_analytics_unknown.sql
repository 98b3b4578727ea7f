{{ config(severity='warn') }}
-- Averages that are NULL although there were sessions: they don't fit their type, so a phone's clock must have jumped;
-- or, of screens, the date's table was gone before these were counted apart from pages.
select
    organizations.slug as organization,
    mart.metric_date,
    metric.name as metric
from {{ ref('mart_app_analytics') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        values
        ('avg_session_duration_secs', mart.avg_session_duration_secs is null),
        ('screens_per_session', mart.screens_per_session is null)
    ) as metric (name, is_unknown)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and mart.total_sessions > 0
    and metric.is_unknown
