-- One row per organization, date, data stream, user and session, of dates that are known and not held back.
select
    sessions.org_id,
    days.event_date,
    sessions.stream_id,
    sessions.platform,
    sessions.user_key,
    sessions.session_id,
    sessions.is_active,
    sessions.first_event_us,
    sessions.last_event_us,
    sessions.first_opens,
    sessions.first_opens + sessions.first_visits > 0 as is_new,
    sessions.deliveries,
    sessions.views,
    sessions.screen_views,
    sessions.screens
from {{ ref('stg_ga4__sessions') }} as sessions
inner join {{ ref('int_ga4__known_days') }} as days
    on
        sessions.org_id = days.org_id
        and sessions.part = days.part
where not sessions.is_deleted and {{ publishable('ga4', 'sessions.org_id') }}
