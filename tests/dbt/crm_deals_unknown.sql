{{ config(severity='warn') }}
-- Values of deals that are NULL although there are deals: an amount is unreadable, or the sum too large for its type.
select
    organizations.slug as organization,
    mart.snapshot_date,
    metric.name as metric
from {{ ref('mart_crm_deals') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        values
        ('total_pipeline_value', mart.total_pipeline_value is null),
        ('won_value', mart.won_value is null),
        ('lost_value', mart.lost_value is null),
        -- Without any won there is no average, and nothing to report.
        ('average_deal_size', mart.average_deal_size is null and mart.won_deals > 0)
    ) as metric (name, applies)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and metric.applies
