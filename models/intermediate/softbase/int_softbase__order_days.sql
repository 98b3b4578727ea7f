{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['org_id', 'order_date'],
        on_schema_change='sync_all_columns',
        indexes=[{'columns': ['org_id', 'order_date'], 'unique': true}],
    )
}}
-- One row per organization and day that a work order is or was opened or closed on.
-- Only days of orders that changed are counted again, those they were on before too: docs/decisions/024.
with

rules as (

    select
        id as org_id,
        '{{ local_md5(model.raw_code) }}' as rules_hash
    from {{ source('ops', 'organizations') }}

),

organizations as (

    {{ recount_organizations('rules', {'orders_covered': ref('int_softbase__work_orders')}) }}

),

changed as (

    {{ changed_since('organizations', 'orders_covered', ref('int_softbase__work_orders')) }}

),

due as (

    select distinct
        org_id,
        unnest(known_dates) as order_date
    from changed
    {%- if is_incremental() %}

    union distinct

    select
        stored.org_id,
        stored.order_date
    from {{ this }} as stored
    inner join organizations using (org_id)
    where organizations.is_whole
    {%- endif %}

)

select
    due.org_id,
    due.order_date,
    opened.orders as opened_orders,
    closed.orders as closed_orders,
    opened.ended_orders + closed.ended_orders as ended_orders,
    organizations.orders_covered_now as orders_covered,
    organizations.rules_hash
from due
inner join organizations using (org_id)
-- Each day by itself, by the index: a night's days are few.
cross join
    lateral (
        select
            count(*) as orders,
            -- Closed before it was opened: it was open on no day.
            count(*) filter (where orders.closed_date < due.order_date) as ended_orders
        from {{ ref('int_softbase__work_orders') }} as orders
        where
            orders.org_id = due.org_id
            and orders.opened_date = due.order_date
            and not orders.is_quote
            and not orders.is_deleted
    ) as opened
cross join
    lateral (
        select
            count(*) as orders,
            count(*) filter (where orders.opened_date <= due.order_date) as ended_orders
        from {{ ref('int_softbase__work_orders') }} as orders
        where
            orders.org_id = due.org_id
            and orders.closed_date = due.order_date
            and not orders.is_quote
            and not orders.is_deleted
    ) as closed
