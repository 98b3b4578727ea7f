"""The one statement that reads a date: millions of events become a row for each user's session.

Grain of the result: data stream, user, session. What happened outside of a session has no session_id; what nobody
consented to be known by has neither user nor session, and is one row a data stream.

An event that was delivered twice counts once. Two are the same where stream, user, session, name, instant and all
parameters are, in whatever order the parameters stand (the rule of the dbt package Velir/dbt-ga4).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b

from orchestration.errors import PermanentError

# Of the columns read, those that every export has; the others came with the years, and a statement that names one
# that its table has not is refused.
REQUIRED = ("event_name", "event_timestamp", "event_params", "user_pseudo_id")
_OPTIONAL = {"stream_id": "string", "platform": "string", "is_active_user": "bool"}

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    # GA4 counts both as views: apps log the one, websites the other. Which of them are screens' is counted besides.
    "views": ("screen_view", "page_view"),
    "firsts": ("first_open", "first_visit"),
}

_STATEMENT = """\
with

events as (

    select
        event_name,
        event_timestamp,
        user_pseudo_id,
        {stream_id} as stream_id,
        {platform} as platform,
        {is_active_user} as is_active_user,
        if(user_pseudo_id is null, null, {ga_session_id}) as session_id,
        {ga_session_number} as session_number,
        {engagement_time_msec} as engagement_ms,
        {session_engaged} as session_engaged,
        {firebase_screen} as screen_name,
        {firebase_screen_class} as screen_class,
        {page_title} as page_title,
        (
            select string_agg(to_json_string(p), ',' order by p.key, to_json_string(p.value))
            from unnest(event_params) as p
        ) as params
    from `{table}`

),

occurrences as (

    select
        stream_id,
        user_pseudo_id,
        session_id,
        event_name,
        event_timestamp,
        params,
        max(platform) as platform,
        max(session_number) as session_number,
        max(session_engaged) as session_engaged,
        max(engagement_ms) as engagement_ms,
        event_name in unnest(@firsts) or coalesce(
            logical_or(is_active_user), event_name = 'user_engagement' or max(engagement_ms) > 0, false
        ) as is_active,
        if(
            event_name in unnest(@views),
            coalesce(max(screen_name), max(screen_class), max(page_title), '(not set)'),
            null
        ) as screen,
        count(*) as deliveries
    from events
    group by stream_id, user_pseudo_id, session_id, event_name, event_timestamp, params

),

by_screen as (

    select
        stream_id,
        user_pseudo_id,
        session_id,
        screen,
        max(platform) as platform,
        max(session_number) as session_number,
        max(session_engaged) as session_engaged,
        logical_or(is_active) as is_active,
        min(event_timestamp) as first_event_us,
        max(event_timestamp) as last_event_us,
        sum(engagement_ms) as engagement_ms,
        countif(event_name = 'first_open') as first_opens,
        countif(event_name = 'first_visit') as first_visits,
        countif(event_name = 'screen_view') as screen_views,
        count(*) as events,
        sum(deliveries) as deliveries
    from occurrences
    group by stream_id, user_pseudo_id, session_id, screen

)

select
    stream_id,
    user_pseudo_id,
    session_id,
    max(platform) as platform,
    max(session_number) as session_number,
    max(session_engaged) as session_engaged,
    logical_or(is_active) as is_active,
    min(first_event_us) as first_event_us,
    max(last_event_us) as last_event_us,
    coalesce(sum(engagement_ms), 0) as engagement_ms,
    sum(first_opens) as first_opens,
    sum(first_visits) as first_visits,
    sum(events) as events,
    sum(deliveries) as deliveries,
    sum(if(screen is null, 0, events)) as views,
    sum(screen_views) as screen_views,
    ifnull(
        array_agg(if(screen is null, null, struct(screen as name, events as views)) ignore nulls order by screen), []
    ) as screens
from by_screen
group by stream_id, user_pseudo_id, session_id
"""

# session_engaged comes as 1 and as "1"; what is no number is not known.
_NUMBER = """(
            select max(coalesce(p.value.int_value, safe_cast(p.value.string_value as int64)))
            from unnest(event_params) as p
            where p.key = '{key}'
        )"""
_TEXT = """(
            select max(nullif(trim(p.value.string_value), ''))
            from unnest(event_params) as p
            where p.key = '{key}'
        )"""
_NUMBERS = ("ga_session_id", "ga_session_number", "engagement_time_msec", "session_engaged")
_TEXTS = ("firebase_screen", "firebase_screen_class", "page_title")

_RULES = " ".join([_STATEMENT, _NUMBER, _TEXT, json.dumps(PARAMETERS)]).split()
RULES = blake2b(" ".join(_RULES).encode(), digest_size=8).hexdigest()
"""Names what is counted of a date, and how: a date that was read by other rules is not yet what it should be."""


def statement(table: str, columns: Iterable[str]) -> str:
    """The statement for a table (``project.dataset.table``) that has these columns.

    Raises PermanentError naming what is missing of the columns that nothing can be counted without.
    """
    present = set(columns)
    missing = [name for name in REQUIRED if name not in present]
    if missing:
        raise PermanentError(
            f"the table {table} has no column {', '.join(missing)}",
            hint="this is no table of GA4's export: check dataset in organizations.yml.",
        )
    read = {key: _NUMBER.format(key=key) for key in _NUMBERS} | {key: _TEXT.format(key=key) for key in _TEXTS}
    return _STATEMENT.format(table=table, **optional(present), **read)


def optional(columns: Collection[str]) -> dict[str, str]:
    """What stands for each of the columns that not every table has: its name, or NULL."""
    return {name: name if name in columns else f"cast(null as {kind})" for name, kind in _OPTIONAL.items()}
