-- One row per organization and deal that is neither archived nor merged into another.
with

merged as (

    select
        org_id,
        record_id as deal_id
    from {{ ref('int_hubspot__merged_records') }}
    where object_type = 'deals'

)

select
    deals.org_id,
    deals.deal_id,
    deals.pipeline_id,
    deals.stage_id,
    stages.stage_id is not null as is_stage_known,
    -- Pipeline and stage: the same stage id in two pipelines is two stages.
    coalesce(stages.pipeline_id || '/' || stages.stage_id, 'unknown') as stage_key,
    case
        when stages.is_closed and stages.probability = 1 then 'won'
        when stages.is_closed and stages.probability = 0 then 'lost'
        else 'open'
    end as outcome,
    coalesce(
        deals.amount_in_home_currency,
        deals.hs_amount_in_home_currency,
        case
            when
                string_to_array(deals.unreadable_fields, ', ')
                && array['amount', 'amount_in_home_currency', 'hs_amount_in_home_currency']
                then null
            else coalesce(deals.amount, 0)
        end
    ) as deal_value
from {{ ref('stg_hubspot__deals') }} as deals
left join merged using (org_id, deal_id)
left join {{ ref('int_hubspot__deal_stages') }} as stages
    on
        deals.org_id = stages.org_id
        and deals.pipeline_id = stages.pipeline_id
        and deals.stage_id = stages.stage_id
where not deals.is_deleted and merged.deal_id is null
