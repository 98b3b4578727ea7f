-- One row per organization and ticket, deleted ones too.
select
    landed.org_id,
    landed.record_id as ticket_id,
    nullif(field.subject, '') as subject,
    nullif(field.hs_pipeline, '') as pipeline_id,
    nullif(field.hs_pipeline_stage, '') as stage_id,
    nullif(field.hs_ticket_category, '') as category,
    nullif(field.hs_ticket_priority, '') as priority,
    nullif(field.source_type, '') as channel,
    nullif(field.hubspot_owner_id, '') as owner_id,
    {{ readable_number('field.time_to_close') }} as time_to_close_ms,
    {{ readable_timestamp('field.closed_date') }} as closed_at,
    coalesce(
        {{ readable_timestamp('field.createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    nullif(field.hs_merged_object_ids, '') as merged_ids,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'time_to_close': 'number',
        'closed_date': 'timestamp',
        'createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'tickets') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'subject': 'text',
    'hs_pipeline': 'text',
    'hs_pipeline_stage': 'text',
    'hs_ticket_category': 'text',
    'hs_ticket_priority': 'text',
    'source_type': 'text',
    'hubspot_owner_id': 'text',
    'time_to_close': 'text',
    'closed_date': 'text',
    'createdate': 'text',
    'hs_merged_object_ids': 'text'
}) }}
