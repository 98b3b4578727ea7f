{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['org_id', 'record_id'],
        on_schema_change='sync_all_columns',
        indexes=[
            {'columns': ['org_id', 'record_id'], 'unique': true},
            {'columns': ['org_id', 'landed_run_id']},
            {'columns': ['org_id', 'changed_at']},
        ],
        pre_hook="{{ index_landed_runs('gl') }}",
    )
}}
-- One row per organization and balance of the ledger, budgets and deleted ones too.
-- Only what loads have changed since the last build is read again: docs/decisions/024 has the measurement.
{%- set rules_hash = local_md5(model.raw_code) %}
with

organizations as (

    {{ due_organizations('landed_run_id', rules_hash) }}

),

changed as (

    {{ landed_since('organizations', ref('stg_softbase__gl')) }}

)

select
    changed.org_id,
    changed.record_id,
    {{ softbase_key('changed.account_no') }} as account_no,
    case when changed.ledger_year between 1900 and 2999 then changed.ledger_year::int end as ledger_year,
    case
        when changed.ledger_month in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) then changed.ledger_month::int
    end as ledger_month,
    changed.ytd_amount,
    changed.mtd_amount,
    coalesce(
        {{ softbase_date('changed.last_effective_at') }}, {{ softbase_date('changed.last_transaction_at') }}
    ) as last_effective_date,
    -- Budgets and other plans stand in the same table.
    coalesce({{ softbase_key('changed.account_field') }} = 'ACTUAL', false) as is_actual,
    changed.is_deleted,
    changed.extracted_at,
    changed.run_id as landed_run_id,
    greatest(now(), organizations.last_changed_at + interval '1 microsecond') as changed_at,
    '{{ rules_hash }}' as rules_hash
from changed
inner join organizations using (org_id)
