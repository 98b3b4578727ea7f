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
-- Only what loads have changed since the last build is read again: docs/decisions/020 has the measurement.
{%- set rules_hash = local_md5(model.raw_code) %}
with

organizations as (

    {{ due_organizations('landed_run_id', rules_hash) }}

),

changed as (

    select landed.*
    from organizations
    cross join lateral (
        select balances.*
        from {{ ref('stg_softbase__gl') }} as balances
        where balances.org_id = organizations.org_id and balances.run_id > organizations.covered_run
        -- Kept apart, so that each organization's rows are found by the index.
        offset 0
    ) as landed

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
    coalesce(changed.last_effective_at, changed.last_transaction_at)::date as last_effective_date,
    -- Budgets and other plans stand in the same table.
    coalesce({{ softbase_key('changed.account_field') }} = 'ACTUAL', false) as is_actual,
    changed.is_deleted,
    changed.extracted_at,
    changed.run_id as landed_run_id,
    greatest(now(), organizations.last_changed_at + interval '1 microsecond') as changed_at,
    '{{ rules_hash }}' as rules_hash
from changed
inner join organizations using (org_id)
