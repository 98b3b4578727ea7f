-- One row per organization and purchase, deleted ones too.
select
    landed.org_id,
    landed.record_id as purchase_id,
    field."DocNumber" as document_number,
    {{ readable_date('field."TxnDate"') }} as transaction_date,
    field."PaymentType" as payment_type,
    {{ json_text('field."AccountRef"', 'value') }} as account_id,
    {{ json_text('field."EntityRef"', 'value') }} as payee_id,
    {{ readable_boolean('field."Credit"') }} as is_credit,
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
        'Credit': 'boolean',
        'TotalAmt': 'number',
        'ExchangeRate': 'number',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'purchase') }} as landed
cross join {{ json_fields('landed.payload', {
    'DocNumber': 'text',
    'TxnDate': 'text',
    'PaymentType': 'text',
    'AccountRef': 'jsonb',
    'EntityRef': 'jsonb',
    'Credit': 'text',
    'TotalAmt': 'text',
    'CurrencyRef': 'jsonb',
    'ExchangeRate': 'text',
    'Line': 'jsonb',
    'MetaData': 'jsonb'
}) }}
