-- A day's total is what its invoices say as they landed: deleted ones and quotes are none of it, and neither is tax.
-- One row per day that says otherwise. Looked at are days that were written of late, of which nothing landed meanwhile:
-- a whole history is unpacked after the first build alone.
with

days as (

    select
        mart.org_id,
        mart.sales_date,
        mart.total_invoices,
        mart.total_revenue
    from {{ ref('mart_sales_daily') }} as mart
    where
        mart.updated_at >= (current_timestamp at time zone 'utc') - interval '2 days'
        and {{ publishable('softbase', 'mart.org_id') }}

),

invoices as (

    select
        days.org_id,
        days.sales_date,
        (
            register.landed_run_id = landed.run_id
            and orders.landed_run_id is not distinct from landed_orders.run_id
        ) as is_as_built,
        (
            landed.deleted_at is null
            and not coalesce({{ readable_flag("landed.payload ->> 'IsDeleted'") }}, false)
            and nullif(landed.payload ->> 'DeletionTime', '') is null
            and {{ readable_local_timestamp("landed.payload ->> 'InvoiceDate'") }}::date = days.sales_date
            -- Whose order is a quote is a quote, whatever its number looks like; deleted orders say nothing.
            and (
                landed_orders.deleted_at is not null
                or coalesce({{ readable_flag("landed_orders.payload ->> 'IsDeleted'") }}, false)
                or nullif(landed_orders.payload ->> 'DeletionTime', '') is not null
                or coalesce({{ readable_number("landed_orders.payload ->> 'Disposition'") }} not in (11, 13), true)
            )
        ) as counts,
        (
            select coalesce(sum({{ readable_number('landed.payload ->> charge.name') }}), 0)
            from
                unnest(
                    array[
                        'PartsTaxable', 'LaborTaxable', 'MiscTaxable', 'RentalTaxable', 'EquipmentTaxable',
                        'PartsNonTax', 'LaborNonTax', 'MiscNonTax', 'RentalNonTax', 'EquipmentNonTax'
                    ]
                ) as charge (name)
        ) as amount
    from days
    inner join {{ ref('int_softbase__invoice_register') }} as register
        on
            days.org_id = register.org_id
            and days.sales_date = register.invoice_date
    inner join {{ source('softbase', 'invoice_reg') }} as landed
        on
            register.org_id = landed.org_id
            and register.invoice_no = landed.record_id
    left join {{ source('softbase', 'wo') }} as landed_orders
        on
            landed.org_id = landed_orders.org_id
            and landed.record_id = landed_orders.record_id
    left join {{ ref('int_softbase__work_orders') }} as orders
        on
            landed.org_id = orders.org_id
            and landed.record_id = orders.work_order_no

),

counted as (

    select
        org_id,
        sales_date,
        count(*) filter (where counts) as invoices,
        coalesce(sum(amount) filter (where counts), 0) as revenue,
        bool_and(is_as_built) as is_as_built
    from invoices
    group by org_id, sales_date

)

select
    organizations.slug as organization,
    days.sales_date,
    identity.rule,
    identity.expected,
    identity.actual
from days
inner join {{ ref('organizations') }} as organizations on days.org_id = organizations.id
left join counted on days.org_id = counted.org_id and days.sales_date = counted.sales_date
cross join
    lateral (
        values
        (
            'total_invoices are the invoices that landed',
            coalesce(counted.invoices, 0)::numeric,
            days.total_invoices::numeric
        ),
        -- NULL where an amount can't be read, which a check of its own names.
        (
            'total_revenue is what they charge, without tax',
            round(coalesce(counted.revenue, 0), 2),
            days.total_revenue
        )
    ) as identity (rule, expected, actual)
where
    coalesce(counted.is_as_built, true)
    and identity.expected <> identity.actual
