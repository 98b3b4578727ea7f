-- One row per organization and customer, deleted ones too.
select
    landed.org_id,
    landed.record_id as customer_id,
    field."DisplayName" as customer_name,
    field."CompanyName" as company_name,
    {{ json_text('field."ParentRef"', 'value') }} as parent_customer_id,
    {{ readable_boolean('field."Active"') }} as is_active,
    {{ readable_number('field."Balance"') }} as balance,
    {{ json_text('field."CurrencyRef"', 'value') }} as currency_code,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'Active': 'boolean',
        'Balance': 'number',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'customer') }} as landed
cross join {{ json_fields('landed.payload', {
    'DisplayName': 'text',
    'CompanyName': 'text',
    'ParentRef': 'jsonb',
    'Active': 'text',
    'Balance': 'text',
    'CurrencyRef': 'jsonb',
    'MetaData': 'jsonb'
}) }}
