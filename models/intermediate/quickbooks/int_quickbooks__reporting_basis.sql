-- One row per organization: the basis its marts are on.
with

preferences as (

    select distinct on (org_id)
        org_id,
        lower(report_basis) as basis
    from {{ ref('stg_quickbooks__preferences') }}
    where not is_deleted and report_basis in ('Cash', 'Accrual')
    order by org_id asc, extracted_at desc

),

landed as (

    select
        org_id,
        basis,
        max(extracted_at) as landed_at
    from {{ ref('stg_quickbooks__profit_and_loss') }}
    where not is_deleted and basis in ('cash', 'accrual')
    group by 1, 2

),

newest as (

    select distinct on (org_id)
        org_id,
        basis
    from landed
    order by org_id asc, landed_at desc, basis asc

)

select
    organizations.id as org_id,
    -- A preference counts once reports have come on it: until then they are on the one before.
    -- Whatever else it may say, an organization without a basis would lose its rows.
    case lower(coalesce(connections.settings ->> 'accounting_method', landed.basis, newest.basis, preferences.basis))
        when 'cash' then 'cash'
        else 'accrual'
    end as basis
from {{ source('ops', 'organizations') }} as organizations
left join {{ source('ops', 'connections') }} as connections
    on
        organizations.id = connections.org_id
        and connections.source = 'quickbooks'
left join preferences on organizations.id = preferences.org_id
left join landed
    on
        preferences.org_id = landed.org_id
        and preferences.basis = landed.basis
left join newest on organizations.id = newest.org_id
