-- One row per organization and payment, deleted ones too.
select
    landed.org_id,
    landed.record_id as payment_id,
    {{ readable_date('field."TxnDate"') }} as transaction_date,
    {{ json_text('field."CustomerRef"', 'value') }} as customer_id,
    {{ readable_number('field."TotalAmt"') }} as total_amount,
    {{ readable_number('field."UnappliedAmt"') }} as unapplied_amount,
    {{ json_text('field."DepositToAccountRef"', 'value') }} as deposit_account_id,
    {{ json_text('field."CurrencyRef"', 'value') }} as currency_code,
    {{ readable_number('field."ExchangeRate"') }} as exchange_rate,
    field."Line" as lines,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'TxnDate': 'date',
        'TotalAmt': 'number',
        'UnappliedAmt': 'number',
        'ExchangeRate': 'number',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'payment') }} as landed
cross join {{ json_fields('landed.payload', {
    'TxnDate': 'text',
    'CustomerRef': 'jsonb',
    'TotalAmt': 'text',
    'UnappliedAmt': 'text',
    'DepositToAccountRef': 'jsonb',
    'CurrencyRef': 'jsonb',
    'ExchangeRate': 'text',
    'Line': 'jsonb',
    'MetaData': 'jsonb'
}) }}
