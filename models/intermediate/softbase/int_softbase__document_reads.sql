{%- set invoice_register, work_orders = ref('int_softbase__invoice_register'), ref('int_softbase__work_orders') %}
-- One row per organization and subject that was read and is counted from invoices and orders (sales, fleet).
-- What lands while a build is under way is the next build's: registers of an earlier read would answer for it.
select
    reads.org_id,
    reads.subject,
    reads.read_date,
    reads.start_date,
    reads.fiscal_year_start_month
from {{ ref('int_softbase__reads') }} as reads
where
    reads.subject in ('sales', 'fleet')
    and {{ holds_what_landed(invoice_register, ref('stg_softbase__invoice_reg'), 'reads.org_id') }}
    and {{ holds_what_landed(work_orders, ref('stg_softbase__wo'), 'reads.org_id') }}
