{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_financial_metrics') }}
-- Operating cash flow is also what the increase in cash leaves after investing and financing.
select
    organizations.slug as organization,
    monthly.period_start as month,
    monthly.basis,
    monthly.operating_cash_flow,
    monthly.cash_increase - monthly.investing_cash_flow - monthly.financing_cash_flow as from_increase
from {{ ref('int_quickbooks__monthly_financials') }} as monthly
inner join {{ ref('organizations') }} as organizations on monthly.org_id = organizations.id
where monthly.operating_cash_flow <> monthly.cash_increase - monthly.investing_cash_flow - monthly.financing_cash_flow
