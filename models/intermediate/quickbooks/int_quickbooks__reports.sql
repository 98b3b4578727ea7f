-- One row per organization, report, basis and month (or requested period, for totals): the three reports in one.
{% set reports = ['profit_and_loss', 'balance_sheet', 'cash_flow'] %}

{% for report in reports %}
select
    org_id,
    record_id,
    '{{ report }}' as report,
    basis,
    period_start,
    period_end,
    is_total,
    has_no_data,
    currency_code,
    report_rows,
    payload_hash,
    is_deleted,
    extracted_at,
    run_id
from {{ ref('stg_quickbooks__' ~ report) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
