{{ config(unique_key=['org_id', 'snapshot_date'], upsert_scope='written') }}
-- One row per organization and day that HubSpot was read on. Only the day of the last read is computed: rows of days
-- before stay as they were seen then, and those of an organization that can't be read stay as they are.
with

snapshots as (

    select
        org_id,
        snapshot_date
    from {{ ref('int_hubspot__snapshots') }}
    where subject = 'deals'

),

by_stage as (

    select
        org_id,
        stage_key,
        outcome,
        count(*) as deals,
        -- A sum with a part that nobody can read is not known.
        case when count(*) = count(deal_value) then sum(deal_value) end as deal_value
    from {{ ref('int_hubspot__deals') }}
    group by org_id, stage_key, outcome

),

totals as (

    select
        snapshots.org_id,
        snapshots.snapshot_date,
        {%- for outcome in ['open', 'won', 'lost'] %}
        coalesce(sum(by_stage.deals) filter (where by_stage.outcome = '{{ outcome }}'), 0) as {{ outcome }}_deals,
        case
            when bool_or(by_stage.outcome = '{{ outcome }}' and by_stage.deal_value is null) then null
            else coalesce(sum(by_stage.deal_value) filter (where by_stage.outcome = '{{ outcome }}'), 0)
        end as {{ outcome }}_value,
        {%- endfor %}
        coalesce(sum(by_stage.deals), 0) as deals,
        -- A stage has one outcome, and so has the key that stands for all unknown ones.
        coalesce(
            jsonb_object_agg(by_stage.stage_key, by_stage.deals) filter (where by_stage.stage_key is not null), '{}'
        ) as deals_by_stage
    from snapshots
    left join by_stage using (org_id)
    group by snapshots.org_id, snapshots.snapshot_date

)

select
    org_id,
    snapshot_date,
    deals::int as total_deals,
    open_deals::int as open_deals,
    won_deals::int as won_deals,
    lost_deals::int as lost_deals,
    {{ fitting_numeric('open_value', 18, 2) }} as total_pipeline_value,
    {{ fitting_numeric('won_value', 18, 2) }} as won_value,
    {{ fitting_numeric('lost_value', 18, 2) }} as lost_value,
    {{ fitting_numeric('won_value / nullif(won_deals, 0)', 18, 2) }} as average_deal_size,
    deals_by_stage,
    'hubspot'::varchar(50) as source_system
from totals
