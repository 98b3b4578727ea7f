{{ config(unique_key=['org_id', 'year', 'month'], upsert_scope=publishable('quickbooks')) }}
-- One row per organization and month that QuickBooks reported, on the organization's own basis.
-- NULL: the report is missing or could not be read. 0: it is there and has nothing to say.
-- An organization that is held back keeps the rows it had.
with

own_basis as (

    select monthly.*
    from {{ ref('int_quickbooks__monthly_financials') }} as monthly
    inner join {{ ref('int_quickbooks__reporting_basis') }} as organization
        on
            monthly.org_id = organization.org_id
            and monthly.basis = organization.basis

),

-- On no basis of its own; a month may have nothing else.
cash_flow as (

    select distinct on (org_id, period_start)
        org_id,
        period_start,
        operating_cash_flow
    from {{ ref('int_quickbooks__monthly_financials') }}
    where has_cash_flow
    order by org_id, period_start

),

months as (

    select
        org_id,
        period_start,
        own_basis.income,
        own_basis.income + own_basis.other_income as total_revenue,
        own_basis.cost_of_goods_sold + own_basis.expenses + own_basis.other_expenses as total_expenses,
        own_basis.net_income,
        own_basis.income - own_basis.cost_of_goods_sold as gross_profit,
        own_basis.total_assets,
        own_basis.total_liabilities,
        own_basis.total_equity,
        own_basis.cash_balance,
        own_basis.accounts_receivable,
        own_basis.accounts_payable,
        cash_flow.operating_cash_flow
    from own_basis
    full join cash_flow using (org_id, period_start)

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
where {{ publishable('quickbooks') }}
