{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['org_id', 'sales_date'],
        on_schema_change='sync_all_columns',
        indexes=[{'columns': ['org_id', 'sales_date'], 'unique': true}],
    )
}}
-- One row per organization and day that an invoice is or was dated on.
-- Only days of invoices that changed are counted again, those they were on before too: docs/decisions/024.
{%- set departments = ['service', 'parts', 'rental', 'sales', 'unmapped'] %}
with

rules as (

    select
        org_id,
        -- Which invoices count, a view says: another rule there makes all days due, as another text here does.
        md5(mapping_hash || '{{ local_md5(model.raw_code ~ text_of("int_softbase__invoices")) }}') as rules_hash
    from {{ ref('int_softbase__mapping_versions') }}

),

organizations as (

    {{ recount_organizations('rules', {
        'invoices_covered': ref('int_softbase__invoice_register'),
        'orders_covered': ref('int_softbase__work_orders')
    }) }}

),

changed_invoices as (

    {{ changed_since('organizations', 'invoices_covered', ref('int_softbase__invoice_register')) }}

),

changed_orders as (

    {{ changed_since('organizations', 'orders_covered', ref('int_softbase__work_orders')) }}

),

due as (

    select
        org_id,
        unnest(known_dates) as sales_date
    from changed_invoices

    union distinct

    -- An order that turns out to be a quote takes its invoice with it.
    select
        changed_orders.org_id,
        unnest(register.known_dates) as sales_date
    from changed_orders
    inner join {{ ref('int_softbase__invoice_register') }} as register
        on
            changed_orders.org_id = register.org_id
            and changed_orders.work_order_no = register.invoice_no
    {%- if is_incremental() %}

    union distinct

    select
        stored.org_id,
        stored.sales_date
    from {{ this }} as stored
    inner join organizations using (org_id)
    where organizations.is_whole
    {%- endif %}

),

by_department as (

    select
        due.org_id,
        due.sales_date,
        coalesce(invoices.department, 'unmapped') as department,
        count(*) as invoices,
        -- A sum with a part that nobody can read is not known.
        case when count(*) = count(invoices.revenue) then sum(invoices.revenue) end as revenue
    from due
    -- Each day by itself, by the index: a night's days are few.
    cross join
        lateral (
            select
                counted.department,
                counted.revenue
            from {{ ref('int_softbase__invoices') }} as counted
            where counted.org_id = due.org_id and counted.invoice_date = due.sales_date
            order by counted.invoice_no
            offset 0
        ) as invoices
    group by 1, 2, 3

)

select
    due.org_id,
    due.sales_date,
    {%- for department in departments %}
    coalesce(sum(counted.invoices) filter (where counted.department = '{{ department }}'), 0)
        as {{ department }}_invoices,
    case
        -- One row a department at most: NULL where it is there and its revenue is not known.
        when coalesce(bool_and(counted.department <> '{{ department }}' or counted.revenue is not null), true)
            then coalesce(sum(counted.revenue) filter (where counted.department = '{{ department }}'), 0)
    end as {{ department }}_revenue,
    {%- endfor %}
    coalesce(sum(counted.invoices), 0) as total_invoices,
    case when count(counted.department) = count(counted.revenue) then coalesce(sum(counted.revenue), 0) end
        as total_revenue,
    organizations.invoices_covered_now as invoices_covered,
    organizations.orders_covered_now as orders_covered,
    organizations.rules_hash
from due
inner join organizations using (org_id)
left join by_department as counted using (org_id, sales_date)
group by
    due.org_id,
    due.sales_date,
    organizations.invoices_covered_now,
    organizations.orders_covered_now,
    organizations.rules_hash
