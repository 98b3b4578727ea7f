{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_sales_daily') }}
-- Sale codes that no seed and no department's title assigns to a department: what is sold under them counts in the
-- total alone, until seeds/reference/softbase_sale_codes.csv has them.
with

-- A look at the days first: as a rule there are none.
days as (

    select
        org_id,
        sales_date
    from {{ ref('int_softbase__invoice_days') }}
    where unmapped_invoices > 0

)

select
    organizations.slug as organization,
    invoices.sale_code,
    invoices.sale_branch,
    invoices.sale_department_number,
    count(*) as invoices,
    sum(invoices.revenue) as revenue,
    max(invoices.invoice_date) as last_invoice_date
from days
inner join {{ ref('int_softbase__invoices') }} as invoices
    on
        days.org_id = invoices.org_id
        and days.sales_date = invoices.invoice_date
inner join {{ ref('organizations') }} as organizations on invoices.org_id = organizations.id
where invoices.department is null
group by 1, 2, 3, 4
