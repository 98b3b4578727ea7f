-- One row per organization and quote, deleted ones too.
select
    landed.org_id,
    landed.record_id as quote_id,
    nullif(field.hs_title, '') as title,
    nullif(field.hs_status, '') as status,
    {{ readable_number('field.hs_quote_amount') }} as amount,
    nullif(field.hs_currency, '') as currency_code,
    nullif(field.hubspot_owner_id, '') as owner_id,
    {{ readable_timestamp('field.hs_expiration_date') }} as expires_at,
    coalesce(
        {{ readable_timestamp('field.hs_createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'hs_quote_amount': 'number',
        'hs_expiration_date': 'timestamp',
        'hs_createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'quotes') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'hs_title': 'text',
    'hs_status': 'text',
    'hs_quote_amount': 'text',
    'hs_currency': 'text',
    'hubspot_owner_id': 'text',
    'hs_expiration_date': 'text',
    'hs_createdate': 'text'
}) }}
