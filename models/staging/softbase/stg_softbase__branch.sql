-- One row per organization and branch, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    {{ readable_number('field."Number"') }} as branch,
    field."Name" as name,
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
        'Number': 'number',
        'CreationTime': 'local_timestamp',
        'LastModificationTime': 'local_timestamp',
        'IsDeleted': 'flag'
    }) }} as unreadable_fields
from {{ source('softbase', 'branch') }} as landed
cross join {{ json_fields('landed.payload', {
    'Number': 'text',
    'Name': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
