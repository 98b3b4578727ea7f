{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_financial_metrics') }}
-- Report lines whose amount could not be read: what is computed from them is NULL.
select
    organizations.slug as organization,
    reports.period_start as month,
    reports.report,
    reports.basis,
    lines.label as line,
    lines.line_group,
    lines.unreadable_text
from {{ ref('int_quickbooks__report_lines') }} as lines
inner join {{ ref('int_quickbooks__reports') }} as reports using (org_id, report, record_id)
inner join {{ ref('organizations') }} as organizations on lines.org_id = organizations.id
where lines.unreadable_text is not null
