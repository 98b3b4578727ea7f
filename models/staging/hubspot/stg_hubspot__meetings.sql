-- One row per organization and meeting, deleted ones too.
select
    landed.org_id,
    landed.record_id as meeting_id,
    nullif(field.hs_meeting_title, '') as title,
    nullif(field.hs_meeting_outcome, '') as outcome,
    nullif(field.hubspot_owner_id, '') as owner_id,
    {{ readable_timestamp('field.hs_meeting_start_time') }} as starts_at,
    {{ readable_timestamp('field.hs_meeting_end_time') }} as ends_at,
    {{ readable_timestamp('field.hs_timestamp') }} as occurred_at,
    coalesce(
        {{ readable_timestamp('field.hs_createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'hs_meeting_start_time': 'timestamp',
        'hs_meeting_end_time': 'timestamp',
        'hs_timestamp': 'timestamp',
        'hs_createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'meetings') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'hs_meeting_title': 'text',
    'hs_meeting_outcome': 'text',
    'hubspot_owner_id': 'text',
    'hs_meeting_start_time': 'text',
    'hs_meeting_end_time': 'text',
    'hs_timestamp': 'text',
    'hs_createdate': 'text'
}) }}
