"""A date's figures asked afresh, by another statement than the one that fills the warehouse.

BigQuery counts distinct users over its own tables: no landed session, no hash and no state of ours has a part in it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from orchestration.errors import PermanentError
from orchestration.sources.core.records import Session
from orchestration.sources.ga4.session import Property
from orchestration.sources.ga4.statement import optional
from orchestration.sources.ga4.tables import DateTable

Figures = dict[str, int | Decimal | None]

_WEEK, _MONTH = 7, 28
# A session goes on past midnight, and is one of the date that it began on.
_GOES_ON = 7
_HUNDREDTH = Decimal("0.01")

# Each table by its name: a wildcard over events_* would take streamed ones beside the daily ones that replace them.
_EVENTS = """\
    select
        '{day}' as day,
        event_name,
        event_timestamp,
        user_pseudo_id,
        {stream_id} as stream_id,
        {platform} as platform,
        (
            select max(coalesce(p.value.int_value, safe_cast(p.value.string_value as int64)))
            from unnest(event_params) as p
            where p.key = 'ga_session_id'
        ) as session_id,
        (
            select string_agg(to_json_string(p), ',' order by p.key, to_json_string(p.value))
            from unnest(event_params) as p
        ) as params,
        event_name in unnest(@firsts) as is_first,
        event_name in unnest(@firsts) or coalesce(
            {is_active_user},
            event_name = 'user_engagement' or (
                select max(coalesce(p.value.int_value, safe_cast(p.value.string_value as int64)))
                from unnest(event_params) as p
                where p.key = 'engagement_time_msec'
            ) > 0,
            false
        ) as is_active
    from `{table}`
"""
_STATEMENT = """\
with

events as (

{events}
),

first_opens as (

    select distinct
        stream_id,
        platform,
        user_pseudo_id,
        event_timestamp
    from events
    where event_name = 'first_open' and day = @last[offset(0)]

),

viewed as (

    select distinct
        stream_id,
        user_pseudo_id,
        event_timestamp,
        params
    from events
    where event_name = 'screen_view' and day = @last[offset(0)]

),

parts as (

    select
        stream_id,
        user_pseudo_id,
        session_id,
        day,
        min(event_timestamp) as first_us,
        max(event_timestamp) as last_us
    from events
    where user_pseudo_id is not null and session_id is not null and day >= @yesterday[offset(0)]
    group by stream_id, user_pseudo_id, session_id, day

),

-- Parts of dates side by side are one session.
numbered as (

    select
        *,
        unix_date(parse_date('%Y%m%d', day))
        - row_number() over (partition by stream_id, user_pseudo_id, session_id order by day) as run
    from parts

),

begun as (

    select max(last_us) - min(first_us) as duration_us
    from numbered
    group by stream_id, user_pseudo_id, session_id, run
    having min(day) = @last[offset(0)]

)

select
    count(distinct if(is_active and day = @last[offset(0)], user_pseudo_id, null)) as daily,
    count(distinct if(is_active and day between @week[offset(0)] and @last[offset(0)], user_pseudo_id, null)) as weekly,
    count(distinct if(is_active and day <= @last[offset(0)], user_pseudo_id, null)) as monthly,
    count(distinct if(is_first and day = @last[offset(0)], user_pseudo_id, null)) as new_users,
    (select count(*) from begun) as sessions,
    (select coalesce(sum(duration_us), 0) from begun) as duration_us,
    (select count(*) from viewed) as screen_views,
    (select countif(platform = 'IOS') from first_opens) as ios_downloads,
    (select countif(platform = 'ANDROID') from first_opens) as android_downloads,
    count(distinct day) as days
from events
"""


def app_figures(session: Session, day: date) -> Figures:
    """A date's figures by column of mart_app_analytics. A window with a date that has no table has no count."""
    if not isinstance(session, Property):
        raise TypeError("a session on GA4 is needed")
    bigquery = session.export.bigquery
    with session.attributed():
        tables = {table.day: table for table in session.export.tables()}
        if day not in tables:
            raise PermanentError(
                f"BigQuery has no table of {day} any more, so its figures can't be counted anew",
                hint="let tables of the export expire later, or verify before they do.",
            )
        first = day - timedelta(days=_MONTH - 1)
        last = day + timedelta(days=_GOES_ON)
        window = [table for known, table in sorted(tables.items()) if first <= known <= last]
        text = _STATEMENT.format(events="\n    union all\n\n".join(_events(session, table) for table in window))
        names = {
            "last": day,
            "yesterday": day - timedelta(days=1),
            "week": day - timedelta(days=_WEEK - 1),
        }
        parameters = {name: [f"{value:%Y%m%d}"] for name, value in names.items()}
        (row,) = bigquery.rows(text, {**parameters, "firsts": ("first_open", "first_visit")}, tables=len(window))
    return {
        "daily_active_users": row["daily"],
        "weekly_active_users": row["weekly"] if _whole(tables, day, _WEEK) else None,
        "monthly_active_users": row["monthly"] if _whole(tables, day, _MONTH) else None,
        "new_users": row["new_users"],
        "returning_users": row["daily"] - row["new_users"],
        "total_sessions": row["sessions"],
        "avg_session_duration_secs": _ratio(Decimal(row["duration_us"]) / 1_000_000, row["sessions"]),
        "screens_per_session": _ratio(Decimal(row["screen_views"]), row["sessions"]),
        "ios_downloads": row["ios_downloads"],
        "android_downloads": row["android_downloads"],
    }


def _ratio(total: Decimal, count: int) -> Decimal | None:
    return (total / count).quantize(_HUNDREDTH, ROUND_HALF_UP) if count else None


def _events(session: Property, table: DateTable) -> str:
    return _EVENTS.format(
        day=table.suffix,
        table=f"{session.export.bigquery.dataset}.{table.name}",
        **optional(session.export.facts(table).columns),
    )


def _whole(tables: Collection[date], day: date, length: int) -> bool:
    """Whether every date of a window has a table, from the first exported one on."""
    first = max(day - timedelta(days=length - 1), min(tables))
    return all(first + timedelta(days=number) in tables for number in range((day - first).days + 1))
