-- One row per organization and call, deleted ones too.
select
    landed.org_id,
    landed.record_id as call_id,
    nullif(field.hs_call_title, '') as title,
    nullif(field.hs_call_direction, '') as direction,
    nullif(field.hs_call_status, '') as status,
    nullif(field.hs_call_disposition, '') as outcome_id,
    {{ readable_number('field.hs_call_duration') }} as duration_ms,
    nullif(field.hubspot_owner_id, '') as owner_id,
    {{ readable_timestamp('field.hs_timestamp') }} as occurred_at,
    coalesce(
        {{ readable_timestamp('field.hs_createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'hs_call_duration': 'number',
        'hs_timestamp': 'timestamp',
        'hs_createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'calls') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'hs_call_title': 'text',
    'hs_call_direction': 'text',
    'hs_call_status': 'text',
    'hs_call_disposition': 'text',
    'hs_call_duration': 'text',
    'hubspot_owner_id': 'text',
    'hs_timestamp': 'text',
    'hs_createdate': 'text'
}) }}
