{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_crm_deals') }}
-- Deals at a stage that their pipeline does not have (any more): they count as open until somebody moves them.
select
    organizations.slug as organization,
    deals.pipeline_id as pipeline,
    deals.stage_id as stage,
    count(*) as deals
from {{ ref('int_hubspot__deals') }} as deals
inner join {{ ref('int_hubspot__snapshots') }} as snapshots
    on
        deals.org_id = snapshots.org_id
        and snapshots.subject = 'deals'
inner join {{ ref('organizations') }} as organizations on deals.org_id = organizations.id
where not deals.is_stage_known
group by 1, 2, 3
