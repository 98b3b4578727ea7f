-- One row per organization and contact, deleted ones too.
select
    landed.org_id,
    landed.record_id as contact_id,
    nullif(field.email, '') as email,
    nullif(field.firstname, '') as first_name,
    nullif(field.lastname, '') as last_name,
    nullif(field.jobtitle, '') as job_title,
    nullif(field.country, '') as country,
    nullif(field.lifecyclestage, '') as lifecycle_stage,
    nullif(field.hs_lead_status, '') as lead_status,
    nullif(field.hs_analytics_source, '') as original_source,
    nullif(field.associatedcompanyid, '') as primary_company_id,
    nullif(field.hubspot_owner_id, '') as owner_id,
    {{ readable_boolean('field.hs_email_optout') }} as has_opted_out_of_email,
    {{ readable_timestamp('field.notes_last_contacted') }} as last_contacted_at,
    coalesce(
        {{ readable_timestamp('field.createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    nullif(concat_ws(';', field.hs_merged_object_ids, field.hs_calculated_merged_vids), '') as merged_ids,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'hs_email_optout': 'boolean',
        'notes_last_contacted': 'timestamp',
        'createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'contacts') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'email': 'text',
    'firstname': 'text',
    'lastname': 'text',
    'jobtitle': 'text',
    'country': 'text',
    'lifecyclestage': 'text',
    'hs_lead_status': 'text',
    'hs_analytics_source': 'text',
    'associatedcompanyid': 'text',
    'hubspot_owner_id': 'text',
    'hs_email_optout': 'text',
    'notes_last_contacted': 'text',
    'createdate': 'text',
    'hs_merged_object_ids': 'text',
    'hs_calculated_merged_vids': 'text'
}) }}
