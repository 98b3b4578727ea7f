-- One row per organization and feedback submission, deleted ones too.
select
    landed.org_id,
    landed.record_id as feedback_submission_id,
    nullif(field.hs_survey_id, '') as survey_id,
    nullif(field.hs_survey_name, '') as survey_name,
    nullif(field.hs_survey_type, '') as survey_type,
    nullif(field.hs_survey_channel, '') as survey_channel,
    {{ readable_number('field.hs_value') }} as score,
    nullif(field.hs_sentiment, '') as sentiment,
    {{ readable_timestamp('field.hs_submission_timestamp') }} as submitted_at,
    coalesce(
        {{ readable_timestamp('field.hs_createdate') }}, {{ readable_timestamp('record."createdAt"') }}
    ) as created_at,
    record.associations,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(record.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'hs_value': 'number',
        'hs_submission_timestamp': 'timestamp',
        'hs_createdate': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'feedback_submissions') }} as landed
cross join {{ json_fields('landed.payload', {
    'properties': 'jsonb',
    'createdAt': 'text',
    'archived': 'text',
    'associations': 'jsonb'
}, name='record') }}
cross join {{ json_fields('record.properties', {
    'hs_survey_id': 'text',
    'hs_survey_name': 'text',
    'hs_survey_type': 'text',
    'hs_survey_channel': 'text',
    'hs_value': 'text',
    'hs_sentiment': 'text',
    'hs_submission_timestamp': 'text',
    'hs_createdate': 'text'
}) }}
