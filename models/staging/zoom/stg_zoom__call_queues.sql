-- One row per organization and call queue, those that are gone too.
select
    landed.org_id,
    landed.record_id as call_queue_id,
    nullif(field."name", '') as name,
    nullif(field.status, '') as status,
    nullif(field.extension_number, '') as extension_number,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    null::text as unreadable_fields
from {{ source('zoom', 'call_queues') }} as landed
cross join {{ json_fields('landed.payload', {
    'name': 'text',
    'status': 'text',
    'extension_number': 'text'
}) }}
