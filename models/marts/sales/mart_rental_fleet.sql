{{ config(unique_key=['org_id', 'snapshot_date'], upsert_scope='written') }}
-- One row per organization and day that its rental fleet was read on. Only the day of the last read is computed: rows
-- of days before stay as they were seen then, and those of an organization that can't be read stay as they are.
with

-- Who has no rental department has no fleet to speak of; it would be one of zero units.
reads as (

    select
        org_id,
        read_date,
        start_date,
        date_trunc('month', read_date)::date as month_start,
        {{ fiscal_year_start('read_date', 'fiscal_year_start_month') }} as fiscal_year_start
    from {{ ref('int_softbase__document_reads') }} as fleet_reads
    where
        subject = 'fleet'
        and exists (
            select
            from {{ ref('int_softbase__departments') }} as departments
            where departments.org_id = fleet_reads.org_id and departments.department = 'rental'
        )

),

units as (

    select * from {{ ref('int_softbase__rental_units') }}

),

running as (

    select * from {{ ref('int_softbase__running_rentals') }}

),

by_type as (

    select
        org_id,
        equipment_type,
        count(*) as units,
        count(*) filter (where state = 'rented') as rented_units,
        count(*) filter (where state = 'maintenance') as maintenance_units
    from units
    group by 1, 2

),

fleets as (

    select
        org_id,
        sum(units) as total_units,
        sum(rented_units) as rented_units,
        sum(maintenance_units) as maintenance_units,
        jsonb_object_agg(equipment_type, units) as units_by_type
    from by_type
    group by 1

),

revenue as (

    select
        reads.org_id,
        -- The rental department's invoices. A day that nobody can read makes its sums unknown, and so do days before
        -- the connection's start.
        case
            when reads.start_date > reads.month_start then null
            when coalesce(bool_and(days.sales_date < reads.month_start or days.rental_revenue is not null), true)
                then coalesce(sum(days.rental_revenue) filter (where days.sales_date >= reads.month_start), 0)
        end as rental_revenue_mtd,
        case
            when reads.start_date > reads.fiscal_year_start then null
            when count(days.sales_date) = count(days.rental_revenue) then coalesce(sum(days.rental_revenue), 0)
        end as rental_revenue_ytd
    from reads
    left join {{ ref('int_softbase__invoice_days') }} as days
        on
            reads.org_id = days.org_id
            and days.sales_date between reads.fiscal_year_start and reads.read_date
    group by reads.org_id, reads.start_date, reads.month_start, reads.fiscal_year_start

),

revenue_by_type as (

    select
        reads.org_id,
        count(billed.equipment_type) = count(billed.rent_amount) as is_known,
        jsonb_object_agg(billed.equipment_type, round(billed.rent_amount, 2)) filter (
            where billed.equipment_type is not null
        ) as revenue_by_type
    from reads
    inner join {{ ref('int_softbase__reads') }} as history_reads
        on
            reads.org_id = history_reads.org_id
            and history_reads.subject = 'rental_history'
            -- What was last read before the fiscal year began says nothing of it.
            and reads.fiscal_year_start <= history_reads.read_date
    left join {{ ref('int_softbase__rental_revenue') }} as billed on reads.org_id = billed.org_id
    group by reads.org_id

),

customers as (

    select
        billed.org_id,
        count(distinct billed.bill_to) as active_rental_customers
    from (
        select
            units.org_id,
            running.bill_to
        from units
        inner join running on units.org_id = running.org_id and units.unit_key = running.unit_key
        union all
        select
            units.org_id,
            running.bill_to
        from units
        inner join running on units.org_id = running.org_id and units.unit_no = running.unit_no
    ) as billed
    group by billed.org_id

)

select
    reads.org_id,
    reads.read_date as snapshot_date,
    extract(year from reads.read_date)::int as year,
    extract(month from reads.read_date)::int as month,
    coalesce(fleets.total_units, 0)::int as total_units,
    coalesce(fleets.total_units - fleets.rented_units - fleets.maintenance_units, 0)::int as available_units,
    coalesce(fleets.rented_units, 0)::int as rented_units,
    coalesce(fleets.maintenance_units, 0)::int as maintenance_units,
    {{ fitting_numeric('100.0 * fleets.rented_units / nullif(fleets.total_units, 0)', 5, 2) }} as utilization_rate,
    {{ fitting_numeric('revenue.rental_revenue_mtd', 18, 2) }} as rental_revenue_mtd,
    {{ fitting_numeric('revenue.rental_revenue_ytd', 18, 2) }} as rental_revenue_ytd,
    coalesce(fleets.units_by_type, '{}') as units_by_type,
    case when revenue_by_type.is_known then coalesce(revenue_by_type.revenue_by_type, '{}') end as revenue_by_type,
    coalesce(customers.active_rental_customers, 0)::int as active_rental_customers,
    'softbase'::varchar(50) as source_system
from reads
inner join revenue on reads.org_id = revenue.org_id
left join fleets on reads.org_id = fleets.org_id
left join revenue_by_type on reads.org_id = revenue_by_type.org_id
left join customers on reads.org_id = customers.org_id
