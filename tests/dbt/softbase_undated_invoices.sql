{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_sales_daily') }}
-- Invoices that stand on no day, because their date is missing, can't be read or lies before softbase_first_date; and
-- those whose amount can't be read, which leave their day's revenue NULL.
select
    organizations.slug as organization,
    register.invoice_no,
    register.invoice_date,
    case when register.invoice_date is null then 'has no date' else 'has an amount that is not readable' end as problem
from {{ ref('int_softbase__invoice_register') }} as register
inner join {{ ref('organizations') }} as organizations on register.org_id = organizations.id
where
    not register.is_deleted
    and (register.invoice_date is null or register.revenue is null)
    and register.extracted_at >= current_timestamp - interval '{{ var("recheck_days") }} days'
