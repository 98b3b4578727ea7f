{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_financial_metrics') }}
-- Reports are in the currency that the organization's books are said to be in: figures show no other sign of theirs.
-- A warning: the figures are QuickBooks' own.
select
    organizations.slug as organization,
    max(reports.period_start) as month,
    reports.currency_code,
    organizations.currency as organization_currency
from {{ ref('int_quickbooks__reports') }} as reports
inner join {{ ref('organizations') }} as organizations on reports.org_id = organizations.id
where not reports.is_deleted and reports.currency_code <> organizations.currency
group by 1, 3, 4
