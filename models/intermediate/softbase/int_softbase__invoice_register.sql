{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['org_id', 'invoice_no'],
        on_schema_change='sync_all_columns',
        indexes=[
            {'columns': ['org_id', 'invoice_no'], 'unique': true},
            {'columns': ['org_id', 'invoice_date']},
            {'columns': ['org_id', 'landed_run_id']},
            {'columns': ['org_id', 'changed_at']},
        ],
        pre_hook="{{ index_landed_runs('invoice_reg') }}",
    )
}}
-- One row per organization and invoice, deleted ones too, as far as figures follow from it.
-- Only what loads have changed since the last build is read again: docs/decisions/024 has the measurement.
{%- set rules_hash = local_md5(model.raw_code) %}
{%- set categories = ['parts', 'labor', 'miscellaneous', 'rental', 'equipment'] %}
{%- set charges = ['PartsTaxable', 'LaborTaxable', 'MiscTaxable', 'RentalTaxable', 'EquipmentTaxable',
    'PartsNonTax', 'LaborNonTax', 'MiscNonTax', 'RentalNonTax', 'EquipmentNonTax'] %}
with

organizations as (

    {{ due_organizations('landed_run_id', rules_hash) }}

),

changed as (

    {{ landed_since('organizations', ref('stg_softbase__invoice_reg')) }}

),

invoices as (

    select
        org_id,
        invoice_no,
        trim_scale(sale_branch)::text as sale_branch,
        trim_scale(sale_department_number)::text as sale_department_number,
        {{ softbase_key('sale_code') }} as sale_code,
        {{ softbase_date('invoiced_at') }} as invoice_date,
        case
            when
                string_to_array(unreadable_fields, ', ')
                && array['{{ charges | join("', '") }}']
                then null
            else
            {%- for category in categories %}
                coalesce({{ category }}_taxable, 0) + coalesce({{ category }}_non_taxable, 0)
                {{- ' +' if not loop.last }}
            {%- endfor %}
        end as revenue,
        is_deleted,
        extracted_at,
        run_id
    from changed

),

remembered as (

    {%- if is_incremental() %}
    select
        org_id,
        invoice_no,
        known_dates
    from {{ this }}
    {%- else %}
    select
        null::int as org_id,
        null as invoice_no,
        null::date[] as known_dates
    {%- endif %}

),

dated as (

    select
        invoices.*,
        -- The day it was on before has to be counted again, too.
        remembered.known_dates || invoices.invoice_date as all_dates
    from invoices
    left join remembered using (org_id, invoice_no)

)

select
    invoices.org_id,
    invoices.invoice_no,
    invoices.sale_branch,
    invoices.sale_department_number,
    invoices.sale_code,
    invoices.invoice_date,
    invoices.revenue,
    invoices.is_deleted,
    array(
        select distinct day
        from unnest(invoices.all_dates) as day
        where day is not null
        order by day
    ) as known_dates,
    invoices.extracted_at,
    invoices.run_id as landed_run_id,
    -- Never as early as a change before, whatever the clock does.
    greatest(now(), organizations.last_changed_at + interval '1 microsecond') as changed_at,
    '{{ rules_hash }}' as rules_hash
from dated as invoices
inner join organizations using (org_id)
