-- One row per organization and vendor, deleted ones too.
select
    landed.org_id,
    landed.record_id as vendor_id,
    field."DisplayName" as vendor_name,
    field."CompanyName" as company_name,
    {{ readable_boolean('field."Active"') }} as is_active,
    {{ readable_number('field."Balance"') }} as balance,
    {{ readable_boolean('field."Vendor1099"') }} as is_1099_vendor,
    {{ json_text('field."CurrencyRef"', 'value') }} as currency_code,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'Active': 'boolean',
        'Balance': 'number',
        'Vendor1099': 'boolean',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'vendor') }} as landed
cross join {{ json_fields('landed.payload', {
    'DisplayName': 'text',
    'CompanyName': 'text',
    'Active': 'text',
    'Balance': 'text',
    'Vendor1099': 'text',
    'CurrencyRef': 'jsonb',
    'MetaData': 'jsonb'
}) }}
