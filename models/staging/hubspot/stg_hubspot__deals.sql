-- One row per organization and deal, deleted ones too.
select
    landed.org_id,
    landed.record_id as deal_id,
    nullif(field.dealname, '') as deal_name,
    nullif(field.pipeline, '') as pipeline_id,
    nullif(field.dealstage, '') as stage_id,
    {{ readable_number('field.amount') }} as amount,
    {{ readable_number('field.amount_in_home_currency') }} as amount_in_home_currency,
    {{ readable_number('field.hs_amount_in_home_currency') }} as hs_amount_in_home_currency,
    nullif(field.deal_currency_code, '') as currency_code,
    nullif(field.dealtype, '') as deal_type,
    nullif(field.closed_lost_reason, '') as closed_lost_reason,
    nullif(field.hubspot_owner_id, '') as owner_id,
    {{ readable_timestamp('field.closedate') }} as closed_at,
    coalesce(
        {{ readable_timestamp('field.createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    nullif(field.hs_merged_object_ids, '') as merged_ids,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'amount': 'number',
        'amount_in_home_currency': 'number',
        'hs_amount_in_home_currency': 'number',
        'closedate': 'timestamp',
        'createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'deals') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'dealname': 'text',
    'pipeline': 'text',
    'dealstage': 'text',
    'amount': 'text',
    'amount_in_home_currency': 'text',
    'hs_amount_in_home_currency': 'text',
    'deal_currency_code': 'text',
    'dealtype': 'text',
    'closed_lost_reason': 'text',
    'hubspot_owner_id': 'text',
    'closedate': 'text',
    'createdate': 'text',
    'hs_merged_object_ids': 'text'
}) }}
