"""What is expected of GA4's landed streams."""

from __future__ import annotations

from orchestration.quality.expectations import EVERY_RECORD, Expectation, Suite, is_number, number, readable, required

SOURCE = "ga4"

_COUNTS = (
    "first_event_us",
    "last_event_us",
    "engagement_ms",
    "first_opens",
    "first_visits",
    "events",
    "views",
    "screen_views",
)
_DELIVERIES = ("deliveries", "session_number")


_SCREENS = f"""
    select sum({number("(one.screen ->> 'views')")}) from jsonb_array_elements(field.screens) as one (screen)
"""  # noqa: S608


def _count(name: str, *, critical: bool) -> Expectation:
    """A whole number, not below zero."""
    text = f"field.{name}"
    return Expectation(
        f"{name}_readable",
        f"{name.replace('_', ' ')} is a whole number of 0 or more",
        f"{text} <> '' and (case when {is_number(text)} then {text} ~ '[.eE-]' else true end)",
        critical,
    )


SUITES = (
    Suite(
        SOURCE,
        "days",
        (
            *EVERY_RECORD,
            Expectation(
                "date_is_key",
                "the record's date is the key it landed under",
                "replace(field.date, '-', '') is distinct from landed.record_id",
                critical=True,
            ),
            Expectation(
                "table_is_of_date",
                "the table's name ends with the date",
                "right(field.table, 8) is distinct from landed.record_id",
                critical=True,
            ),
            readable("modified_at", "field.modified_at", "timestamp"),
            _count("rows", critical=False),
        ),
        {"date": "text", "table": "text", "modified_at": "text", "rows": "text"},
    ),
    Suite(
        SOURCE,
        "sessions",
        (
            *EVERY_RECORD,
            Expectation(
                "date_begins_key",
                "the record's key begins with its date",
                "substr(landed.record_id, 3, 8) is distinct from replace(field.date, '-', '')",
                critical=True,
            ),
            readable("date", "field.date", "date", critical=True),
            required("first_event", "field.first_event_us", critical=True),
            required("last_event", "field.last_event_us", critical=True),
            *(_count(name, critical=True) for name in _COUNTS),
            *(_count(name, critical=False) for name in _DELIVERIES),
            Expectation(
                "begins_before_it_ends",
                "the first event is not behind the last",
                f"{number('field.first_event_us')} > {number('field.last_event_us')}",
                critical=True,
            ),
            Expectation(
                "user_is_hashed",
                "users are known by a hash alone",
                "field.user !~ '^[0-9a-f]{32}$'",
                critical=True,
            ),
            Expectation(
                "session_has_user",
                "what belongs to a session belongs to a user",
                "field.session_id is not null and field.user is null",
                critical=True,
            ),
            Expectation(
                "screens_are_the_views",
                "views by screen add up to the views",
                f"case jsonb_typeof(field.screens) when 'array' then ({_SCREENS}) is distinct from "
                f"nullif({number('field.views')}, 0) else true end",
                critical=True,
            ),
            Expectation(
                "screen_views_are_views",
                "views of screens are among the views",
                f"{number('field.screen_views')} > {number('field.views')}",
                critical=True,
            ),
            Expectation(
                "platform_known",
                "the platform is a documented value",
                "upper(field.platform) not in ('IOS', 'ANDROID', 'WEB')",
            ),
        ),
        {
            "date": "text",
            "user": "text",
            "session_id": "text",
            "session_number": "text",
            "platform": "text",
            "screens": "jsonb",
            "deliveries": "text",
            **dict.fromkeys(_COUNTS, "text"),
        },
        publishes=True,
    ),
)
