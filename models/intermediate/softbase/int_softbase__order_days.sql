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

),

orders as (

    select
        org_id,
        opened_date,
        closed_date,
        -- Closed before it was opened: it was open on no day.
        greatest(opened_date, closed_date) as ended_date
    from {{ ref('int_softbase__work_orders') }}
    where not is_quote and not is_deleted

),

counted as (

    select
        due.org_id,
        due.order_date,
        1 as opened,
        0 as closed,
        0 as ended
    from due
    inner join orders on due.org_id = orders.org_id and due.order_date = orders.opened_date

    union all

    select
        due.org_id,
        due.order_date,
        0 as opened,
        1 as closed,
        0 as ended
    from due
    inner join orders on due.org_id = orders.org_id and due.order_date = orders.closed_date

    union all

    select
        due.org_id,
        due.order_date,
        0 as opened,
        0 as closed,
        1 as ended
    from due
    inner join orders on due.org_id = orders.org_id and due.order_date = orders.ended_date
    where orders.opened_date is not null and orders.closed_date is not null

)

select
    due.org_id,
    due.order_date,
    coalesce(sum(counted.opened), 0) as opened_orders,
    coalesce(sum(counted.closed), 0) as closed_orders,
    coalesce(sum(counted.ended), 0) as ended_orders,
    organizations.orders_covered_now as orders_covered,
    organizations.rules_hash
from due
inner join organizations using (org_id)
left join counted using (org_id, order_date)
group by due.org_id, due.order_date, organizations.orders_covered_now, organizations.rules_hash
