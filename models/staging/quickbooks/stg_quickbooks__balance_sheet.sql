-- One row per organization, basis and month, and one per requested period with its totals; deleted ones too.
select
    landed.org_id,
    landed.record_id,
    field.basis,
    {{ readable_date('field.period_start') }} as period_start,
    {{ readable_date('field.period_end') }} as period_end,
    coalesce(field.is_total = 'true', false) as is_total,
    coalesce(field.no_data = 'true', false) as has_no_data,
    {{ json_text('field."Header"', 'Currency') }} as currency_code,
    {{ json_array('field."Rows"', 'Row') }} as report_rows,
    landed.payload_hash,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    landed.run_id,
    {{ unreadable_fields({
        'period_start': 'date',
        'period_end': 'date'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'balance_sheet') }} as landed
cross join {{ json_fields('landed.payload', {
    'basis': 'text',
    'period_start': 'text',
    'period_end': 'text',
    'is_total': 'text',
    'no_data': 'text',
    'Header': 'jsonb',
    'Rows': 'jsonb'
}) }}
