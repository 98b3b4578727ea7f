-- One row per organization and product, deleted ones too.
select
    landed.org_id,
    landed.record_id as product_id,
    nullif(field.name, '') as product_name,
    nullif(field.hs_sku, '') as sku,
    {{ readable_number('field.price') }} as unit_price,
    {{ readable_number('field.hs_cost_of_goods_sold') }} as unit_cost,
    nullif(field.recurringbillingfrequency, '') as billing_frequency,
    coalesce(
        {{ readable_timestamp('field.createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'price': 'number',
        'hs_cost_of_goods_sold': 'number',
        'createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'products') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'name': 'text',
    'hs_sku': 'text',
    'price': 'text',
    'hs_cost_of_goods_sold': 'text',
    'recurringbillingfrequency': 'text',
    'createdate': 'text'
}) }}
