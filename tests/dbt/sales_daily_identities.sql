-- What a day of sales states must follow from what it states beside it: one row per contradiction.
with

days as (

    select
        mart.*,
        coalesce(invoice_days.unmapped_revenue, 0) as unmapped_revenue,
        coalesce(invoice_days.unmapped_invoices, 0) as unmapped_invoices,
        coalesce(order_days.opened_orders, 0) as opened_orders,
        coalesce(order_days.ended_orders, 0) as ended_orders,
        lag(mart.open_work_orders) over (partition by mart.org_id order by mart.sales_date) as open_the_day_before,
        lag(mart.sales_date) over (partition by mart.org_id order by mart.sales_date) as day_before
    from {{ ref('mart_sales_daily') }} as mart
    left join {{ ref('int_softbase__invoice_days') }} as invoice_days using (org_id, sales_date)
    left join {{ ref('int_softbase__order_days') }} as order_days
        on
            mart.org_id = order_days.org_id
            and mart.sales_date = order_days.order_date

)

select
    organizations.slug as organization,
    days.sales_date,
    identity.rule,
    identity.expected,
    identity.actual
from days
inner join {{ ref('organizations') }} as organizations on days.org_id = organizations.id
cross join
    lateral (
        values
        (
            'departments and what is assigned to none add up to total_invoices',
            days.total_invoices::numeric,
            (
                days.service_invoices + days.parts_invoices + days.rental_invoices + days.sales_invoices
                + days.unmapped_invoices
            )::numeric
        ),
        -- Half a cent for each: every part was rounded once.
        (
            'departments and what is assigned to none add up to total_revenue',
            0,
            greatest(
                abs(
                    days.service_revenue + days.parts_revenue + days.rental_revenue + days.sales_revenue
                    + days.unmapped_revenue - days.total_revenue
                ) - 0.025,
                0
            )
        ),
        (
            'open work orders are those of the day before, what was opened and what was closed',
            (days.open_the_day_before + days.opened_orders - days.ended_orders)::numeric,
            days.open_work_orders::numeric
        ),
        ('no day is missing', 1, (days.sales_date - days.day_before)::numeric)
    ) as identity (rule, expected, actual)
where
    days.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    -- Of an organization that is held back none of it was published, and its own check says why.
    and {{ publishable('softbase', 'days.org_id') }}
    and identity.expected <> identity.actual
