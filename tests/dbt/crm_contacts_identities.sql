-- What a snapshot of contacts states must follow from what it states beside it: one row per contradiction.
select
    organizations.slug as organization,
    mart.snapshot_date,
    identity.rule,
    identity.expected,
    identity.actual
from {{ ref('mart_crm_contacts') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        values
        (
            'lifecycle stages add up to total_contacts',
            mart.total_contacts,
            mart.subscribers + mart.leads + mart.marketing_qualified + mart.sales_qualified + mart.opportunities
            + mart.customers + mart.evangelists + mart.other_lifecycle
        ),
        (
            'those new in 7 days are new in 30',
            least(mart.new_contacts_7d, mart.new_contacts_30d),
            mart.new_contacts_7d
        ),
        (
            'those new in 30 days are contacts',
            least(mart.new_contacts_30d, mart.total_contacts),
            mart.new_contacts_30d
        )
    ) as identity (rule, expected, actual)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and identity.expected is distinct from identity.actual
