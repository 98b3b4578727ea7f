{{ config(unique_key='id', upsert_scope='all', tenant_column='id') }}
-- One row per organization.
select
    id,
    organization_id,
    slug,
    name,
    timezone,
    currency,
    fiscal_year_start_month,
    industry
from {{ source('ops', 'organizations') }}
