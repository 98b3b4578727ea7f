-- depends_on: {{ ref('mart_financial_metrics') }}
-- depends_on: {{ ref('mart_crm_contacts') }}
-- depends_on: {{ ref('mart_crm_deals') }}
-- depends_on: {{ ref('mart_zoom_metrics') }}
-- depends_on: {{ ref('mart_case_metrics') }}
-- depends_on: {{ ref('mart_app_analytics') }}
-- depends_on: {{ ref('mart_sales_daily') }}
-- depends_on: {{ ref('mart_rental_fleet') }}
-- depends_on: {{ ref('mart_cash_flow') }}
-- depends_on: {{ ref('organizations') }}
-- depends_on: {{ ref('data_freshness') }}
-- depends_on: {{ ref('calendar') }}
-- depends_on: {{ ref('organization_calendar') }}
-- depends_on: {{ ref('relationships') }}
-- Organizations are kept apart in everything that was just published.
select *
from {{ source('ops', 'tenancy_violations') }}
