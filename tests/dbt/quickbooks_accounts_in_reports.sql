{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_financial_metrics') }}
-- Every account that a report names is in the chart of accounts, where one has landed.
-- A warning: an account made between the reading of the accounts and of the reports is missing for a night.
with

named as (

    select
        lines.org_id,
        lines.account_id,
        min(lines.label) as label,
        max(reports.period_start) as last_month
    from {{ ref('int_quickbooks__reports') }} as reports
    inner join {{ ref('int_quickbooks__report_lines') }} as lines using (org_id, report, record_id)
    where
        not reports.is_deleted
        and reports.extracted_at >= current_timestamp - interval '{{ var("recheck_days") }} days'
        and lines.account_id is not null
    group by 1, 2

),

accounts as (

    select
        org_id,
        account_id
    from {{ ref('stg_quickbooks__account') }}

)

select
    organizations.slug as organization,
    named.last_month as month,
    named.account_id,
    named.label
from named
inner join {{ ref('organizations') }} as organizations on named.org_id = organizations.id
left join accounts using (org_id, account_id)
where
    accounts.account_id is null
    and named.org_id in (select accounts_of.org_id from accounts as accounts_of)
