-- One row per organization and owner, those who left too.
select
    landed.org_id,
    landed.record_id as owner_id,
    field."userId" as user_id,
    field.email,
    field."firstName" as first_name,
    field."lastName" as last_name,
    {{ readable_timestamp('field."createdAt"') }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(field.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'createdAt': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'owners') }} as landed
cross join {{ json_fields('landed.payload', {
    'userId': 'text',
    'email': 'text',
    'firstName': 'text',
    'lastName': 'text',
    'createdAt': 'text',
    'archived': 'text'
}) }}
