-- One row per organization and preferences, deleted ones too.
select
    landed.org_id,
    landed.record_id as preferences_id,
    {{ json_text('field."ReportPrefs"', 'ReportBasis') }} as report_basis,
    {{ json_text('field."CurrencyPrefs"', 'HomeCurrency.value') }} as home_currency_code,
    {{ readable_boolean(json_text('field."CurrencyPrefs"', 'MultiCurrencyEnabled')) }} as is_multi_currency,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'CurrencyPrefs.MultiCurrencyEnabled': 'boolean',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'preferences') }} as landed
cross join {{ json_fields('landed.payload', {
    'ReportPrefs': 'jsonb',
    'CurrencyPrefs': 'jsonb',
    'MetaData': 'jsonb'
}) }}
