-- One row per organization and email, deleted ones too.
select
    landed.org_id,
    landed.record_id as email_id,
    nullif(field.hs_email_subject, '') as subject,
    nullif(field.hs_email_direction, '') as direction,
    nullif(field.hs_email_status, '') as status,
    {{ readable_number('field.hs_email_open_count') }} as open_count,
    {{ readable_number('field.hs_email_click_count') }} as click_count,
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
        'hs_email_open_count': 'number',
        'hs_email_click_count': 'number',
        'hs_timestamp': 'timestamp',
        'hs_createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'emails') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'hs_email_subject': 'text',
    'hs_email_direction': 'text',
    'hs_email_status': 'text',
    'hs_email_open_count': 'text',
    'hs_email_click_count': 'text',
    'hubspot_owner_id': 'text',
    'hs_timestamp': 'text',
    'hs_createdate': 'text'
}) }}
