-- One row per organization and invoice, deleted ones too.
select
    landed.org_id,
    landed.record_id as invoice_id,
    field."DocNumber" as document_number,
    {{ readable_date('field."TxnDate"') }} as transaction_date,
    {{ readable_date('field."DueDate"') }} as due_date,
    {{ json_text('field."CustomerRef"', 'value') }} as customer_id,
    {{ readable_number('field."TotalAmt"') }} as total_amount,
    {{ readable_number('field."Balance"') }} as open_balance,
    {{ json_text('field."CurrencyRef"', 'value') }} as currency_code,
    {{ readable_number('field."ExchangeRate"') }} as exchange_rate,
    field."Line" as lines,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'TxnDate': 'date',
        'DueDate': 'date',
        'TotalAmt': 'number',
        'Balance': 'number',
        'ExchangeRate': 'number',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'invoice') }} as landed
cross join {{ json_fields('landed.payload', {
    'DocNumber': 'text',
    'TxnDate': 'text',
    'DueDate': 'text',
    'CustomerRef': 'jsonb',
    'TotalAmt': 'text',
    'Balance': 'text',
    'CurrencyRef': 'jsonb',
    'ExchangeRate': 'text',
    'Line': 'jsonb',
    'MetaData': 'jsonb'
}) }}
