-- Cash changes by what operating, investing and financing give, to the cent, and by nothing else; the parts of what is
-- not operating add up to it. One row per month whose books say otherwise: it is stated, never made up for.
select
    organizations.slug as organization,
    mart.period_end,
    identity.rule,
    identity.expected,
    identity.actual
from {{ ref('mart_cash_flow') }} as mart
inner join {{ ref('int_softbase__cash_flow') }} as flows
    on
        mart.org_id = flows.org_id
        and mart.period_end = (flows.month_start + interval '1 month - 1 day')::date
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        select sum(part.amount::numeric) as amount
        from jsonb_each_text(mart.non_operating_breakdown) as part (name, amount)
    ) as parts
cross join
    lateral (
        values
        (
            'operating, investing and financing cash flow add up to the change of cash',
            flows.cash_change,
            flows.operating_cash_flow + flows.investing_cash_flow + flows.financing_cash_flow
        ),
        -- Half a cent for each: every part was rounded once.
        (
            'non_operating_breakdown adds up to investing and financing cash flow',
            0,
            greatest(abs(parts.amount - mart.investing_cash_flow - mart.financing_cash_flow) - 0.025, 0)
        )
    ) as identity (rule, expected, actual)
where
    flows.is_complete
    and mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and {{ publishable('softbase', 'mart.org_id') }}
    and identity.expected <> identity.actual
