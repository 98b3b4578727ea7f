-- One row per organization and date that has a table of events.
select
    landed.org_id,
    {{ readable_date('field.date') }} as event_date,
    field."table" as table_name,
    {{ readable_boolean('field.provisional') }} as is_provisional,
    {{ readable_number('field.rows') }} as table_rows,
    {{ readable_timestamp('field.modified_at') }} as modified_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'date': 'date',
        'provisional': 'boolean',
        'rows': 'number',
        'modified_at': 'timestamp'
    }) }} as unreadable_fields
from {{ source('ga4', 'days') }} as landed
cross join {{ json_fields('landed.payload', {
    'date': 'text',
    'table': 'text',
    'provisional': 'text',
    'rows': 'text',
    'modified_at': 'text'
}) }}
