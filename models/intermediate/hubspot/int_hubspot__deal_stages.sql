-- One row per organization, deal pipeline and stage: two pipelines may have stages of the same id.
with

stages as (

    select distinct on (pipelines.org_id, pipelines.pipeline_id, field.id)
        pipelines.org_id,
        pipelines.pipeline_id,
        field.id as stage_id,
        pipelines.pipeline_label,
        field.label as stage_label,
        {{ readable_boolean('lower(' ~ json_text('field.metadata', 'isClosed') ~ ')') }} as said_closed,
        {{ readable_number(json_text('field.metadata', 'probability')) }} as probability
    from {{ ref('stg_hubspot__pipelines') }} as pipelines
    cross join lateral jsonb_array_elements(pipelines.stages) as stage (document)
    cross join {{ json_fields('stage.document', {
        'id': 'text',
        'label': 'text',
        'metadata': 'jsonb'
    }) }}
    where
        pipelines.object_type = 'deals'
        and not pipelines.is_deleted
        and pipelines.pipeline_id is not null
        and field.id is not null
    order by pipelines.org_id asc, pipelines.pipeline_id asc, field.id asc, pipelines.record_id asc

)

select
    org_id,
    pipeline_id,
    stage_id,
    pipeline_label,
    stage_label,
    -- HubSpot documents the probability alone: it decides where a stage does not say whether it is closed.
    coalesce(said_closed, probability in (0, 1), false) as is_closed,
    probability
from stages
