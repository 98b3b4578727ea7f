{{ config(unique_key=['org_id', 'metric_date'], upsert_scope='written') }}
-- One row per organization and date that GA4 exported. Only dates that changed are computed, and those whose windows
-- hold one of them; all others stay. NULL: unknown. 0: the date is known, and nothing of the kind happened.
{%- set everything = not is_incremental() or var('recompute_app_analytics') %}
with

known as (

    select * from {{ ref('int_ga4__known_days') }}
    where {{ publishable('ga4') }}

),

changed as (

    select
        org_id,
        event_date
    from {{ ref('int_ga4__changed_days') }}
    union
    select
        known.org_id,
        known.event_date
    from known
    {%- if not everything %}
    left join {{ this }} as stored on known.org_id = stored.org_id and known.event_date = stored.metric_date
    where stored.org_id is null
    {%- endif %}

),

-- A change shows in the windows that look back on it, and in sessions that began before it.
affected as (

    select distinct
        changed.org_id,
        changed.event_date + days.shift as event_date
    from changed
    cross join generate_series(-7, 27) as days (shift)

),

dates as (

    select known.* from known
    inner join affected on known.org_id = affected.org_id and known.event_date = affected.event_date

),

needed as (

    select distinct
        dates.org_id,
        dates.event_date + days.shift as event_date
    from dates
    cross join generate_series(-27, 7) as days (shift)

),

session_days as materialized (

    select session_days.*
    from {{ ref('int_ga4__session_days') }} as session_days
    inner join needed on session_days.org_id = needed.org_id and session_days.event_date = needed.event_date

),

user_days as (

    select
        org_id,
        event_date,
        user_key,
        bool_or(is_active) as is_active,
        bool_or(is_new) as is_new
    from session_days
    where user_key is not null
    group by org_id, event_date, user_key

),

users as (

    select
        org_id,
        event_date,
        count(*) filter (where is_active) as active_users,
        count(*) filter (where is_new) as new_users
    from user_days
    group by org_id, event_date

),

active_users as (

    {{ trailing_distinct('user_days', 'user_key', 'event_date', 'dates', {'weekly': 7, 'monthly': 28}, 'is_active') }}

),

-- A session's rows of dates side by side are one session; it counts on the first.
whole_sessions as (

    select
        org_id,
        min(event_date) as event_date,
        max(last_event_us) - min(first_event_us) as duration_us
    from (
        select
            *,
            event_date - row_number() over (
                partition by org_id, user_key, stream_id, session_id order by event_date
            )::int as run
        from session_days
        where user_key is not null and session_id is not null
    ) as parts
    group by org_id, user_key, stream_id, session_id, run

),

sessions as (

    select
        org_id,
        event_date,
        count(*) as sessions,
        sum(duration_us) / 1000000 as duration_secs
    from whole_sessions
    group by org_id, event_date

),

totals as (

    select
        org_id,
        event_date,
        -- Unknown as soon as a part of it is.
        case when count(*) = count(screen_views) then sum(screen_views) end as screen_views,
        sum(first_opens) filter (where platform = 'IOS') as ios_first_opens,
        sum(first_opens) filter (where platform = 'ANDROID') as android_first_opens
    from session_days
    group by org_id, event_date

),

screens as (

    select
        session_days.org_id,
        session_days.event_date,
        screen.name,
        sum(screen.views) as views,
        count(distinct session_days.user_key) as users,
        row_number() over (
            partition by session_days.org_id, session_days.event_date
            order by sum(screen.views) desc, screen.name collate "C" --noqa: RF02
        ) as place
    from session_days
    inner join dates using (org_id, event_date)
    cross join jsonb_to_recordset(session_days.screens) as screen (name text, views bigint)
    group by session_days.org_id, session_days.event_date, screen.name

),

top_screens as (

    select
        org_id,
        event_date,
        jsonb_agg(jsonb_build_object('screen_name', name, 'views', views, 'users', users) order by place) as top_screens
    from screens
    where place <= 10
    group by org_id, event_date

)

select
    dates.org_id,
    dates.event_date as metric_date,
    coalesce(users.active_users, 0)::int as daily_active_users,
    case when dates.is_week_known then active_users.weekly end::int as weekly_active_users,
    case when dates.is_month_known then active_users.monthly end::int as monthly_active_users,
    coalesce(users.new_users, 0)::int as new_users,
    (coalesce(users.active_users, 0) - coalesce(users.new_users, 0))::int as returning_users,
    coalesce(sessions.sessions, 0)::int as total_sessions,
    {{ fitting_numeric('sessions.duration_secs / sessions.sessions', 10, 2) }} as avg_session_duration_secs,
    {{ fitting_numeric('totals.screen_views / sessions.sessions', 8, 2) }} as screens_per_session,
    coalesce(totals.ios_first_opens, 0)::int as ios_downloads,
    coalesce(totals.android_first_opens, 0)::int as android_downloads,
    coalesce(top_screens.top_screens, '[]') as top_screens,
    'bigquery_ga4'::varchar(50) as source_system
from dates
left join active_users using (org_id, event_date)
left join users using (org_id, event_date)
left join sessions using (org_id, event_date)
left join totals using (org_id, event_date)
left join top_screens using (org_id, event_date)
