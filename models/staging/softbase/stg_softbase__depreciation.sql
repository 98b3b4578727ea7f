-- One row per organization and unit, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    field."SerialNo" as serial_no,
    {{ readable_number('field."StartingValue"') }} as starting_value,
    {{ readable_number('field."NetBookValue"') }} as net_book_value,
    {{ readable_flag('field."Inactive"') }} as is_inactive,
    {{ readable_local_timestamp('field."CreationTime"') }} as created_at,
    {{ readable_local_timestamp('field."LastModificationTime"') }} as modified_at,
    landed.source_updated_at,
    (
        landed.deleted_at is not null
        or coalesce({{ readable_flag('field."IsDeleted"') }}, false)
        or nullif(field."DeletionTime", '') is not null
    ) as is_deleted,
    landed.extracted_at,
    landed.run_id,
    {{ unreadable_fields({
        'StartingValue': 'number',
        'NetBookValue': 'number',
        'Inactive': 'flag',
        'CreationTime': 'local_timestamp',
        'LastModificationTime': 'local_timestamp',
        'IsDeleted': 'flag'
    }) }} as unreadable_fields
from {{ source('softbase', 'depreciation') }} as landed
cross join {{ json_fields('landed.payload', {
    'SerialNo': 'text',
    'StartingValue': 'text',
    'NetBookValue': 'text',
    'Inactive': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
