-- One row per organization and account, field and month, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    field."AccountNo" as account_no,
    field."AccountField" as account_field,
    {{ readable_number('field."Year"') }} as ledger_year,
    {{ readable_number('field."Month"') }} as ledger_month,
    {{ readable_number('field."YTD"') }} as ytd_amount,
    {{ readable_number('field."MTD"') }} as mtd_amount,
    {{ readable_local_timestamp('field."LastTransDate"') }} as last_transaction_at,
    {{ readable_local_timestamp('field."LastEffectiveDate"') }} as last_effective_at,
    {{ readable_number('field."NumberOfTrans"') }} as transaction_count,
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
        'Year': 'number',
        'Month': 'number',
        'YTD': 'number',
        'MTD': 'number',
        'LastTransDate': 'local_timestamp',
        'LastEffectiveDate': 'local_timestamp',
        'NumberOfTrans': 'number',
        'CreationTime': 'local_timestamp',
        'LastModificationTime': 'local_timestamp',
        'IsDeleted': 'flag'
    }) }} as unreadable_fields
from {{ source('softbase', 'gl') }} as landed
cross join {{ json_fields('landed.payload', {
    'AccountNo': 'text',
    'AccountField': 'text',
    'Year': 'text',
    'Month': 'text',
    'YTD': 'text',
    'MTD': 'text',
    'LastTransDate': 'text',
    'LastEffectiveDate': 'text',
    'NumberOfTrans': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
