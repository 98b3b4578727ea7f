-- One row per organization and user, those who are gone too.
select
    landed.org_id,
    landed.record_id as user_id,
    nullif(field.email, '') as email,
    nullif(field.display_name, '') as display_name,
    nullif(field.status, '') as status,
    nullif(field.dept, '') as department,
    {{ readable_number('field."type"') }} as user_type,
    {{ readable_timestamp('field.user_created_at') }} as user_created_at,
    {{ readable_timestamp('field.last_login_time') }} as last_login_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'type': 'number',
        'user_created_at': 'timestamp',
        'last_login_time': 'timestamp'
    }) }} as unreadable_fields
from {{ source('zoom', 'users') }} as landed
cross join {{ json_fields('landed.payload', {
    'email': 'text',
    'display_name': 'text',
    'status': 'text',
    'dept': 'text',
    'type': 'text',
    'user_created_at': 'text',
    'last_login_time': 'text'
}) }}
