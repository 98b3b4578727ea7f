-- One row per organization, object type and pipeline, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    field."objectType" as object_type,
    field.id as pipeline_id,
    field.label as pipeline_label,
    {{ json_array('landed.payload', 'stages') }} as stages,
    {{ readable_timestamp('field."createdAt"') }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null or coalesce(field.archived = 'true', false) as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'createdAt': 'timestamp'
    }) }} as unreadable_fields
from {{ source('hubspot', 'pipelines') }} as landed
cross join {{ json_fields('landed.payload', {
    'objectType': 'text',
    'id': 'text',
    'label': 'text',
    'createdAt': 'text',
    'archived': 'text'
}) }}
