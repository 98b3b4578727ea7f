-- One row per organization and branch, department and code, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    {{ readable_number('field."Branch"') }} as branch,
    {{ readable_number('field."Dept"') }} as department_number,
    field."Code" as sale_code,
    field."Description" as description,
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
        'Branch': 'number',
        'Dept': 'number',
        'CreationTime': 'local_timestamp',
        'LastModificationTime': 'local_timestamp',
        'IsDeleted': 'flag'
    }) }} as unreadable_fields
from {{ source('softbase', 'sale_codes') }} as landed
cross join {{ json_fields('landed.payload', {
    'Branch': 'text',
    'Dept': 'text',
    'Code': 'text',
    'Description': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
