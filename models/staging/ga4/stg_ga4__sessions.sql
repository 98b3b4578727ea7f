-- One row per organization, date, data stream, user and session: what one user did in one session on one date.
select
    landed.org_id,
    landed.record_id,
    -- The key begins with the date. Landed rows are indexed by that: those of other dates need not be looked at.
    left(landed.record_id, 13) as part,
    {{ readable_date("regexp_replace(left(landed.record_id, 10), '^..(....)(..)', '\\1-\\2-')") }} as event_date,
    field.stream_id,
    upper(field.platform) as platform,
    field."user" as user_key,
    {{ readable_number('field.session_id') }} as session_id,
    {{ readable_number('field.session_number') }} as session_number,
    {{ readable_number('field.session_engaged') }} > 0 as is_engaged,
    {{ readable_boolean('field.is_active') }} as is_active,
    {{ readable_number('field.first_event_us') }} as first_event_us,
    {{ readable_number('field.last_event_us') }} as last_event_us,
    {{ readable_number('field.engagement_ms') }} as engagement_ms,
    {{ readable_number('field.first_opens') }} as first_opens,
    {{ readable_number('field.first_visits') }} as first_visits,
    {{ readable_number('field.events') }} as events,
    {{ readable_number('field.deliveries') }} as deliveries,
    {{ readable_number('field.views') }} as views,
    -- Rows that landed before these were counted apart have no such field; without any view, there are none.
    case
        when {{ readable_number('field.views') }} = 0 and field.screen_views is null then 0
        else {{ readable_number('field.screen_views') }}
    end as screen_views,
    {{ json_array('landed.payload', 'screens') }} as screens,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    landed.run_id,
    {{ unreadable_fields({
        'session_id': 'number',
        'session_number': 'number',
        'session_engaged': 'number',
        'is_active': 'boolean',
        'first_event_us': 'number',
        'last_event_us': 'number',
        'engagement_ms': 'number',
        'first_opens': 'number',
        'first_visits': 'number',
        'events': 'number',
        'deliveries': 'number',
        'views': 'number',
        'screen_views': 'number'
    }) }} as unreadable_fields
from {{ source('ga4', 'sessions') }} as landed
cross join {{ json_fields('landed.payload', {
    'stream_id': 'text',
    'platform': 'text',
    'user': 'text',
    'session_id': 'text',
    'session_number': 'text',
    'session_engaged': 'text',
    'is_active': 'text',
    'first_event_us': 'text',
    'last_event_us': 'text',
    'engagement_ms': 'text',
    'first_opens': 'text',
    'first_visits': 'text',
    'events': 'text',
    'deliveries': 'text',
    'views': 'text',
    'screen_views': 'text'
}) }}
