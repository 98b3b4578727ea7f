-- One row per organization and journal entry, deleted ones too.
select
    landed.org_id,
    landed.record_id as journal_entry_id,
    field."DocNumber" as document_number,
    {{ readable_date('field."TxnDate"') }} as transaction_date,
    {{ readable_boolean('field."Adjustment"') }} as is_adjustment,
    {{ readable_number('field."TotalAmt"') }} as total_amount,
    {{ json_text('field."CurrencyRef"', 'value') }} as currency_code,
    {{ readable_number('field."ExchangeRate"') }} as exchange_rate,
    field."Line" as lines,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'TxnDate': 'date',
        'Adjustment': 'boolean',
        'TotalAmt': 'number',
        'ExchangeRate': 'number',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'journal_entry') }} as landed
cross join {{ json_fields('landed.payload', {
    'DocNumber': 'text',
    'TxnDate': 'text',
    'Adjustment': 'text',
    'TotalAmt': 'text',
    'CurrencyRef': 'jsonb',
    'ExchangeRate': 'text',
    'Line': 'jsonb',
    'MetaData': 'jsonb'
}) }}
