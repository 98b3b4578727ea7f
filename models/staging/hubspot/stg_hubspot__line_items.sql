-- One row per organization and line item, deleted ones too.
select
    landed.org_id,
    landed.record_id as line_item_id,
    nullif(field.name, '') as line_item_name,
    nullif(field.hs_sku, '') as sku,
    nullif(field.hs_product_id, '') as product_id,
    {{ readable_number('field.quantity') }} as quantity,
    {{ readable_number('field.price') }} as unit_price,
    {{ readable_number('field.discount') }} as unit_discount,
    {{ readable_number('field.amount') }} as amount,
    nullif(field.hs_line_item_currency_code, '') as currency_code,
    nullif(field.recurringbillingfrequency, '') as billing_frequency,
    {{ readable_date('field.hs_recurring_billing_start_date') }} as billing_start_date,
    coalesce(
        {{ readable_timestamp('field.createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'quantity': 'number',
        'price': 'number',
        'discount': 'number',
        'amount': 'number',
        'hs_recurring_billing_start_date': 'date',
        'createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'line_items') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'name': 'text',
    'hs_sku': 'text',
    'hs_product_id': 'text',
    'quantity': 'text',
    'price': 'text',
    'discount': 'text',
    'amount': 'text',
    'hs_line_item_currency_code': 'text',
    'recurringbillingfrequency': 'text',
    'hs_recurring_billing_start_date': 'text',
    'createdate': 'text'
}) }}
