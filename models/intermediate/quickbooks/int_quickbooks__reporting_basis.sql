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

wanted as (

    select
        organizations.id as org_id,
        lower(coalesce(connections.settings ->> 'accounting_method', preferences.basis)) as basis
    from {{ source('ops', 'organizations') }} as organizations
    left join {{ source('ops', 'connections') }} as connections
        on
            organizations.id = connections.org_id
            and connections.source = 'quickbooks'
    left join preferences on organizations.id = preferences.org_id

),

-- The months that marts are made of, which may be older than what has landed since.
held as (

    select
        org_id,
        basis,
        bool_or(has_balance_sheet) as has_balance_sheet
    from {{ ref('int_quickbooks__monthly_financials') }}
    group by 1, 2
    having bool_or(has_profit_and_loss)

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

-- A change of basis counts once both reports have come on it: until then what came on the one before stays.
-- Whatever else is wanted, an organization without reports on its basis would lose its rows.
chosen as (

    select distinct on (landed.org_id)
        landed.org_id,
        landed.basis
    from landed
    inner join held on landed.org_id = held.org_id and landed.basis = held.basis
    left join wanted on landed.org_id = wanted.org_id
    order by
        landed.org_id asc,
        held.has_balance_sheet desc,
        (landed.basis is not distinct from wanted.basis) desc,
        landed.landed_at desc,
        landed.basis asc

)

select
    wanted.org_id,
    case coalesce(chosen.basis, wanted.basis)
        when 'cash' then 'cash'
        else 'accrual'
    end as basis
from wanted
left join chosen on wanted.org_id = chosen.org_id
