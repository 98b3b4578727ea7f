-- One row per organization and task, deleted ones too.
select
    landed.org_id,
    landed.record_id as task_id,
    nullif(field.hs_task_subject, '') as subject,
    nullif(field.hs_task_type, '') as task_type,
    nullif(field.hs_task_status, '') as status,
    nullif(field.hs_task_priority, '') as priority,
    nullif(field.hubspot_owner_id, '') as owner_id,
    {{ readable_timestamp('field.hs_timestamp') }} as due_at,
    {{ readable_timestamp('field.hs_task_completion_date') }} as completed_at,
    coalesce(
        {{ readable_timestamp('field.hs_createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'hs_timestamp': 'timestamp',
        'hs_task_completion_date': 'timestamp',
        'hs_createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'tasks') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'hs_task_subject': 'text',
    'hs_task_type': 'text',
    'hs_task_status': 'text',
    'hs_task_priority': 'text',
    'hubspot_owner_id': 'text',
    'hs_timestamp': 'text',
    'hs_task_completion_date': 'text',
    'hs_createdate': 'text'
}) }}
