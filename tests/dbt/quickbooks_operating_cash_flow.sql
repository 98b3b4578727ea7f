{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_financial_metrics') }}
-- Operating cash flow is also what the increase in cash leaves after investing and financing; where the report is there
-- and has nothing that can be read as such a flow, nothing was compared.
select
    organizations.slug as organization,
    monthly.period_start as month,
    monthly.basis,
    monthly.operating_cash_flow,
    monthly.cash_increase - monthly.investing_cash_flow - monthly.financing_cash_flow as from_increase
from {{ ref('int_quickbooks__monthly_financials') }} as monthly
inner join {{ ref('organizations') }} as organizations on monthly.org_id = organizations.id
where
    monthly.has_cash_flow
    and (
        monthly.operating_cash_flow is null
        or monthly.operating_cash_flow
        <> monthly.cash_increase - monthly.investing_cash_flow - monthly.financing_cash_flow
    )
