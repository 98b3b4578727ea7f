-- One row per organization and user of Zoom Phone, those who are gone too.
select
    landed.org_id,
    landed.record_id as phone_user_id,
    nullif(field.email, '') as email,
    nullif(field."name", '') as name,
    nullif(field.status, '') as status,
    nullif(field.extension_number, '') as extension_number,
    nullif(field.department, '') as department,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    null::text as unreadable_fields
from {{ source('zoom', 'phone_users') }} as landed
cross join {{ json_fields('landed.payload', {
    'email': 'text',
    'name': 'text',
    'status': 'text',
    'extension_number': 'text',
    'department': 'text'
}) }}
