-- One row per organization and company, deleted ones too.
select
    landed.org_id,
    landed.record_id as company_id,
    nullif(field.name, '') as company_name,
    nullif(field.domain, '') as domain,
    nullif(field.industry, '') as industry,
    nullif(field.country, '') as country,
    nullif(field.lifecyclestage, '') as lifecycle_stage,
    nullif(field.type, '') as company_type,
    {{ readable_number('field.annualrevenue') }} as annual_revenue,
    {{ readable_number('field.numberofemployees') }} as employee_count,
    nullif(field.hs_parent_company_id, '') as parent_company_id,
    nullif(field.hubspot_owner_id, '') as owner_id,
    coalesce(
        {{ readable_timestamp('field.createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    nullif(field.hs_merged_object_ids, '') as merged_ids,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'annualrevenue': 'number',
        'numberofemployees': 'number',
        'createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'companies') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'name': 'text',
    'domain': 'text',
    'industry': 'text',
    'country': 'text',
    'lifecyclestage': 'text',
    'type': 'text',
    'annualrevenue': 'text',
    'numberofemployees': 'text',
    'hs_parent_company_id': 'text',
    'hubspot_owner_id': 'text',
    'createdate': 'text',
    'hs_merged_object_ids': 'text'
}) }}
