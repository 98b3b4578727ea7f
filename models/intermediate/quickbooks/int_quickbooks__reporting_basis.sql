-- One row per organization: the basis its marts are on.
select
    organizations.id as org_id,
    lower(coalesce(connections.settings ->> 'accounting_method', preferences.report_basis, 'accrual')) as basis
from {{ source('ops', 'organizations') }} as organizations
left join {{ source('ops', 'connections') }} as connections
    on
        organizations.id = connections.org_id
        and connections.source = 'quickbooks'
left join {{ ref('stg_quickbooks__preferences') }} as preferences
    on
        organizations.id = preferences.org_id
        and not preferences.is_deleted
        and preferences.report_basis in ('Cash', 'Accrual')
