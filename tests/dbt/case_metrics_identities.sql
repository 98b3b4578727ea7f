-- What a snapshot of cases states must follow from what it states beside it: one row per contradiction.
select
    organizations.slug as organization,
    mart.snapshot_date,
    identity.rule,
    identity.expected,
    identity.actual
from {{ ref('mart_case_metrics') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        values
        (
            'types add up to total_cases',
            mart.total_cases,
            (select coalesce(sum(part.value::int), 0) from jsonb_each_text(mart.cases_by_type) as part)
        ),
        (
            'statuses add up to total_cases',
            mart.total_cases,
            (select coalesce(sum(part.value::int), 0) from jsonb_each_text(mart.cases_by_status) as part)
        ),
        (
            'categories add up to total_cases',
            mart.total_cases,
            (select coalesce(sum(part.value::int), 0) from jsonb_each_text(mart.cases_by_category) as part)
        ),
        (
            'those new in 30 days are cases',
            least(mart.new_cases_30d, mart.total_cases),
            mart.new_cases_30d
        ),
        (
            'those closed in 30 days are cases',
            least(mart.closed_cases_30d, mart.total_cases),
            mart.closed_cases_30d
        )
    ) as identity (rule, expected, actual)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and identity.expected is distinct from identity.actual
