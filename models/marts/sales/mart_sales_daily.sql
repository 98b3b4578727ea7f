{{
    config(
        unique_key=['org_id', 'sales_date'],
        upsert_scope=softbase_read('sales', reads='int_softbase__document_reads'),
        indexes=[{'name': 'idx_mart_sales_org_year_month', 'columns': ['org_id', 'year', 'month']}],
    )
}}
-- One row per organization and day from its first invoice to the day Softbase was last read on, local dates.
-- Amounts exclude tax. 0: the day was read and nothing was sold. NULL: an amount of the day can't be read.
-- An organization that is held back, or was never read, keeps the rows it had.
with

reads as (

    select
        org_id,
        read_date,
        start_date
    from {{ ref('int_softbase__document_reads') }}
    where subject = 'sales'

),

invoice_days as (

    select * from {{ ref('int_softbase__invoice_days') }}

),

order_days as (

    select * from {{ ref('int_softbase__order_days') }}

),

first_invoices as (

    select
        org_id,
        min(sales_date) as first_date
    from invoice_days
    where total_invoices > 0
    group by 1

),

first_orders as (

    select
        order_days.org_id,
        -- What was sold before the connection's start nobody has read.
        greatest(min(order_days.order_date), min(reads.start_date)) as first_date
    from order_days
    inner join reads on order_days.org_id = reads.org_id
    where order_days.opened_orders > 0 and order_days.order_date >= '{{ var("softbase_first_date") }}'
    group by 1

),

starts as (

    select
        reads.org_id,
        reads.read_date,
        -- Before anything was sold, from the first order on; before that, the day of the read alone.
        least(reads.read_date, coalesce(first_invoices.first_date, first_orders.first_date)) as first_date
    from reads
    left join first_invoices using (org_id)
    left join first_orders using (org_id)

),

calendar as (

    select
        starts.org_id,
        day.sales_date::date as sales_date
    from starts
    cross join generate_series(starts.first_date, starts.read_date, interval '1 day') as day (sales_date)

),

-- Orders from before the first day are open on it, too.
carried as (

    select
        starts.org_id,
        sum(order_days.opened_orders - order_days.ended_orders) as open_orders
    from starts
    inner join order_days on starts.org_id = order_days.org_id and starts.first_date > order_days.order_date
    group by starts.org_id

),

days as (

    select
        calendar.org_id,
        calendar.sales_date,
        {%- for department in ['service', 'parts', 'rental', 'sales', 'total'] %}
        case when invoice_days.org_id is null then 0 else invoice_days.{{ department }}_revenue end
            as {{ department }}_revenue,
        coalesce(invoice_days.{{ department }}_invoices, 0) as {{ department }}_invoices,
        {%- endfor %}
        coalesce(order_days.closed_orders, 0) as closed_orders,
        coalesce(carried.open_orders, 0) + sum(
            coalesce(order_days.opened_orders - order_days.ended_orders, 0)
        ) over (partition by calendar.org_id order by calendar.sales_date) as open_orders
    from calendar
    left join invoice_days using (org_id, sales_date)
    left join order_days on calendar.org_id = order_days.org_id and calendar.sales_date = order_days.order_date
    left join carried on calendar.org_id = carried.org_id

)

select
    org_id,
    sales_date,
    extract(year from sales_date)::int as year,
    extract(month from sales_date)::int as month,
    extract(dow from sales_date)::int as day_of_week,
    {%- for department in ['service', 'parts', 'rental', 'sales', 'total'] %}
    {{ fitting_numeric(department ~ '_revenue', 18, 2) }} as {{ department }}_revenue,
    {%- endfor %}
    {%- for department in ['service', 'parts', 'rental', 'sales', 'total'] %}
    {{ department }}_invoices::int as {{ department }}_invoices,
    {%- endfor %}
    open_orders::int as open_work_orders,
    closed_orders::int as closed_work_orders,
    'softbase'::varchar(50) as source_system
from days
