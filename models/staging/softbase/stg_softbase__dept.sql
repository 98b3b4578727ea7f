-- One row per organization and branch and department, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    {{ readable_number('field."Branch"') }} as branch,
    {{ readable_number('field."Dept"') }} as department_number,
    field."Title" as title,
    field."SaleGroup" as sale_group,
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
from {{ source('softbase', 'dept') }} as landed
cross join {{ json_fields('landed.payload', {
    'Branch': 'text',
    'Dept': 'text',
    'Title': 'text',
    'SaleGroup': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
