-- One row per organization and account, deleted ones too.
select
    landed.org_id,
    landed.record_id as account_id,
    field."Name" as account_name,
    field."FullyQualifiedName" as fully_qualified_name,
    field."Classification" as classification,
    field."AccountType" as account_type,
    field."AccountSubType" as account_sub_type,
    {{ json_text('field."ParentRef"', 'value') }} as parent_account_id,
    {{ readable_boolean('field."Active"') }} as is_active,
    {{ readable_number('field."CurrentBalance"') }} as current_balance,
    {{ readable_number('field."CurrentBalanceWithSubAccounts"') }} as current_balance_with_sub_accounts,
    {{ json_text('field."CurrencyRef"', 'value') }} as currency_code,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'Active': 'boolean',
        'CurrentBalance': 'number',
        'CurrentBalanceWithSubAccounts': 'number',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'account') }} as landed
cross join {{ json_fields('landed.payload', {
    'Name': 'text',
    'FullyQualifiedName': 'text',
    'Classification': 'text',
    'AccountType': 'text',
    'AccountSubType': 'text',
    'ParentRef': 'jsonb',
    'Active': 'text',
    'CurrentBalance': 'text',
    'CurrentBalanceWithSubAccounts': 'text',
    'CurrencyRef': 'jsonb',
    'MetaData': 'jsonb'
}) }}
