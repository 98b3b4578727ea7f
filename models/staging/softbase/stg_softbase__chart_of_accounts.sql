-- One row per organization and account, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    field."AccountNo" as account_no,
    field."Description" as description,
    field."Type" as account_type,
    {{ readable_flag('field."CashAccount"') }} as is_cash,
    {{ readable_flag('field."AccountsRecievable"') }} as is_receivable,
    {{ readable_flag('field."AccountsPayable"') }} as is_payable,
    field."ReportType" as report_type,
    field."Section" as section,
    field."SectionGroup" as section_group,
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
        'CashAccount': 'flag',
        'AccountsRecievable': 'flag',
        'AccountsPayable': 'flag',
        'Inactive': 'flag',
        'CreationTime': 'local_timestamp',
        'LastModificationTime': 'local_timestamp',
        'IsDeleted': 'flag'
    }) }} as unreadable_fields
from {{ source('softbase', 'chart_of_accounts') }} as landed
cross join {{ json_fields('landed.payload', {
    'AccountNo': 'text',
    'Description': 'text',
    'Type': 'text',
    'CashAccount': 'text',
    'AccountsRecievable': 'text',
    'AccountsPayable': 'text',
    'ReportType': 'text',
    'Section': 'text',
    'SectionGroup': 'text',
    'Inactive': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
