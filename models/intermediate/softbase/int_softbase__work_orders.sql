{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['org_id', 'work_order_no'],
        on_schema_change='sync_all_columns',
        indexes=[
            {'columns': ['org_id', 'work_order_no'], 'unique': true},
            {'columns': ['org_id', 'opened_date']},
            {'columns': ['org_id', 'closed_date']},
            {'columns': ['org_id', 'landed_run_id']},
            {'columns': ['org_id', 'changed_at']},
        ],
        pre_hook="{{ index_landed_runs('wo') }}",
    )
}}
-- One row per organization and work order, quotes and deleted ones too, as far as figures follow from it.
-- Only what loads have changed since the last build is read again: docs/decisions/024 has the measurement.
{%- set rules_hash = local_md5(model.raw_code) %}
with

organizations as (

    {{ due_organizations('landed_run_id', rules_hash) }}

),

changed as (

    {{ landed_since('organizations', ref('stg_softbase__wo')) }}

),

orders as (

    select
        org_id,
        work_order_no,
        {{ softbase_key('work_order_type') }} as work_order_type,
        disposition,
        -- Quotes have numbers of their own, and keep them when they are accepted: what is done then is another order.
        coalesce(disposition in (11, 13), false) or work_order_no ~ '^9\d*$' as is_quote,
        {{ softbase_key('bill_to') }} as bill_to,
        {{ softbase_date('opened_at') }} as opened_date,
        {{ softbase_date('closed_at') }} as closed_date,
        is_deleted,
        extracted_at,
        run_id
    from changed

),

remembered as (

    {%- if is_incremental() %}
    select
        org_id,
        work_order_no,
        known_dates
    from {{ this }}
    {%- else %}
    select
        null::int as org_id,
        null as work_order_no,
        null::date[] as known_dates
    {%- endif %}

),

dated as (

    select
        orders.*,
        -- The days it was opened and closed on before have to be counted again, too.
        remembered.known_dates || orders.opened_date || orders.closed_date as all_dates
    from orders
    left join remembered using (org_id, work_order_no)

)

select
    orders.org_id,
    orders.work_order_no,
    orders.work_order_type,
    orders.disposition,
    orders.is_quote,
    orders.bill_to,
    orders.opened_date,
    orders.closed_date,
    orders.is_deleted,
    array(
        select distinct day
        from unnest(orders.all_dates) as day
        where day is not null
        order by day
    ) as known_dates,
    orders.extracted_at,
    orders.run_id as landed_run_id,
    -- Never as early as a change before, whatever the clock does.
    greatest(now(), organizations.last_changed_at + interval '1 microsecond') as changed_at,
    '{{ rules_hash }}' as rules_hash
from dated as orders
inner join organizations using (org_id)
