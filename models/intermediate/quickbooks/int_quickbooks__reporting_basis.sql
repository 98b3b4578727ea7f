-- One row per organization: the basis its marts are on.
with

preferences as (

    select distinct on (org_id)
        org_id,
        report_basis
    from {{ ref('stg_quickbooks__preferences') }}
    where not is_deleted and report_basis in ('Cash', 'Accrual')
    order by org_id asc, extracted_at desc

)

select
    organizations.id as org_id,
    -- Whatever else it may say, an organization without a basis would lose its rows.
    case lower(coalesce(connections.settings ->> 'accounting_method', preferences.report_basis))
        when 'cash' then 'cash'
        else 'accrual'
    end as basis
from {{ source('ops', 'organizations') }} as organizations
left join {{ source('ops', 'connections') }} as connections
    on
        organizations.id = connections.org_id
        and connections.source = 'quickbooks'
left join preferences on organizations.id = preferences.org_id
