{{ config(unique_key=['org_id', 'year', 'month'], upsert_scope='all') }}
-- One row per organization and month that QuickBooks reported, on the organization's own basis.
-- NULL: the report is missing or could not be read. 0: it is there and has nothing to say.
with

own_basis as (

    select monthly.*
    from {{ ref('int_quickbooks__monthly_financials') }} as monthly
    inner join {{ ref('int_quickbooks__reporting_basis') }} as organization
        on
            monthly.org_id = organization.org_id
            and monthly.basis = organization.basis

),

-- Months of which only the cash flow report is there on this basis.
cash_flow_only as (

    select distinct on (monthly.org_id, monthly.period_start)
        monthly.org_id,
        monthly.period_start,
        monthly.operating_cash_flow
    from {{ ref('int_quickbooks__monthly_financials') }} as monthly
    left join own_basis using (org_id, period_start)
    where monthly.has_cash_flow and own_basis.org_id is null
    order by monthly.org_id, monthly.period_start

),

months as (

    select
        org_id,
        period_start,
        income,
        income + other_income as total_revenue,
        cost_of_goods_sold + expenses + other_expenses as total_expenses,
        net_income,
        income - cost_of_goods_sold as gross_profit,
        total_assets,
        total_liabilities,
        total_equity,
        cash_balance,
        accounts_receivable,
        accounts_payable,
        operating_cash_flow
    from own_basis

    union all

    select
        org_id,
        period_start,
        null, null, null, null, null, null, null, null, null, null, null,
        operating_cash_flow
    from cash_flow_only

)

select
    org_id,
    extract(year from period_start)::int as year,
    extract(month from period_start)::int as month,
    period_start,
    (period_start + interval '1 month - 1 day')::date as period_end,
    {{ fitting_numeric('total_revenue', 18, 2) }} as total_revenue,
    {{ fitting_numeric('total_expenses', 18, 2) }} as total_expenses,
    {{ fitting_numeric('net_income', 18, 2) }} as net_income,
    {{ fitting_numeric('gross_profit', 18, 2) }} as gross_profit,
    {{ fitting_numeric('100 * gross_profit / nullif(income, 0)', 5, 2) }} as gross_margin_pct,
    {{ fitting_numeric('total_assets', 18, 2) }} as total_assets,
    {{ fitting_numeric('total_liabilities', 18, 2) }} as total_liabilities,
    {{ fitting_numeric('total_equity', 18, 2) }} as total_equity,
    {{ fitting_numeric('cash_balance', 18, 2) }} as cash_balance,
    {{ fitting_numeric('accounts_receivable', 18, 2) }} as accounts_receivable,
    {{ fitting_numeric('accounts_payable', 18, 2) }} as accounts_payable,
    {{ fitting_numeric('operating_cash_flow', 18, 2) }} as operating_cash_flow,
    'quickbooks'::varchar(50) as source_system
from months
