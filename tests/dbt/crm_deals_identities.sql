-- What a snapshot of deals states must follow from what it states beside it: one row per contradiction.
select
    organizations.slug as organization,
    mart.snapshot_date,
    identity.rule,
    identity.expected,
    identity.actual
from {{ ref('mart_crm_deals') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        select sum(stage.deals::numeric) as deals
        from jsonb_each_text(mart.deals_by_stage) as stage (stage_key, deals)
    ) as staged
cross join
    lateral (
        values
        (
            'open, won and lost deals add up to total_deals',
            mart.total_deals::numeric,
            (mart.open_deals + mart.won_deals + mart.lost_deals)::numeric
        ),
        ('deals_by_stage add up to total_deals', mart.total_deals::numeric, coalesce(staged.deals, 0)),
        -- Half a cent for each: the average was rounded once, the value of all once.
        (
            'average_deal_size is won_value by won_deals',
            0,
            greatest(
                abs(mart.average_deal_size * mart.won_deals - mart.won_value) - 0.005 * (mart.won_deals + 1), 0
            )
        )
    ) as identity (rule, expected, actual)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and identity.expected <> identity.actual
