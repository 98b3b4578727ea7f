{{
    config(
        unique_key=['org_id', 'year', 'month'],
        upsert_scope=softbase_read('ledger')
        ~ ' and org_id in (select counted.org_id from intermediate.int_softbase__ledger_balances as counted)',
    )
}}
-- One row per organization and calendar month of its ledger, up to the month it was last read in.
-- NULL: there is no month before to compare with, an amount can't be read, or nobody knows what an account is.
-- An organization that is held back, was so when balances were last counted, or was never read keeps the rows it had.
with

reads as (

    select org_id
    from {{ ref('int_softbase__reads') }}
    where subject = 'ledger'

),

months as (

    select
        flows.org_id,
        flows.month_start,
        flows.cash_balance,
        flows.cash_change,
        -- An account of unknown kind may be any of these. As published: health is judged on what stands there.
        {%- for flow in [
            'operating_cash_flow', 'receivable_change', 'inventory_change', 'payable_change', 'investing_cash_flow',
            'financing_cash_flow', 'fixed_assets', 'debt', 'equity'
        ] %}
        case when flows.is_complete then {{ fitting_numeric('flows.' ~ flow, 18, 2) }} end as {{ flow }},
        {%- endfor %}
        flows.is_complete
    from {{ ref('int_softbase__cash_flow') }} as flows
    inner join reads on flows.org_id = reads.org_id

)

select
    org_id,
    extract(year from month_start)::int as year,
    extract(month from month_start)::int as month,
    (month_start + interval '1 month - 1 day')::date as period_end,
    {{ fitting_numeric('cash_balance', 18, 2) }} as cash_balance,
    {{ fitting_numeric('cash_change', 18, 2) }} as cash_change_mtd,
    operating_cash_flow,
    receivable_change as ar_change,
    inventory_change,
    payable_change as ap_change,
    investing_cash_flow,
    financing_cash_flow,
    (
        case
            when operating_cash_flow is null then 'unknown'
            when operating_cash_flow > {{ var('cash_flow_warning_below') }} then 'healthy'
            when operating_cash_flow > {{ var('cash_flow_critical_below') }} then 'warning'
            else 'critical'
        end
    )::varchar(20) as health_status,
    case
        when investing_cash_flow is not null and financing_cash_flow is not null
            then jsonb_build_object('fixed_assets', fixed_assets, 'debt', debt, 'equity', equity)
    end as non_operating_breakdown,
    'softbase_gl'::varchar(50) as source_system
from months
