-- One row per organization and goal, deleted ones too.
select
    landed.org_id,
    landed.record_id as goal_id,
    nullif(field.hs_goal_name, '') as goal_name,
    {{ readable_number('field.hs_target_amount') }} as target_amount,
    {{ readable_number('field.hs_kpi_value') }} as reached_amount,
    nullif(field.hs_kpi_unit_type, '') as unit,
    nullif(field.hs_status, '') as status,
    nullif(field.hs_assignee_user_id, '') as assignee_user_id,
    {{ readable_timestamp('field.hs_start_datetime') }} as starts_at,
    {{ readable_timestamp('field.hs_end_datetime') }} as ends_at,
    coalesce(
        {{ readable_timestamp('field.hs_createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'hs_target_amount': 'number',
        'hs_kpi_value': 'number',
        'hs_start_datetime': 'timestamp',
        'hs_end_datetime': 'timestamp',
        'hs_createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'goals') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'hs_goal_name': 'text',
    'hs_target_amount': 'text',
    'hs_kpi_value': 'text',
    'hs_kpi_unit_type': 'text',
    'hs_status': 'text',
    'hs_assignee_user_id': 'text',
    'hs_start_datetime': 'text',
    'hs_end_datetime': 'text',
    'hs_createdate': 'text'
}) }}
