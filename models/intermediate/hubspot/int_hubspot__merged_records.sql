-- One row per organization, object type and record that was merged into another: what is left of it is in the winner.
with

winners as (

    select
        org_id,
        'contacts' as object_type,
        contact_id as winner_id,
        merged_ids
    from {{ ref('stg_hubspot__contacts') }}
    where merged_ids is not null

    union all

    select
        org_id,
        'deals' as object_type,
        deal_id as winner_id,
        merged_ids
    from {{ ref('stg_hubspot__deals') }}
    where merged_ids is not null

)

select distinct
    winners.org_id,
    winners.object_type,
    loser.record_id
from winners
-- "7", or "7:1700000000000" with the time of the merge.
cross join
    lateral (
        select split_part(btrim(merged), ':', 1) as record_id
        from regexp_split_to_table(winners.merged_ids, ';') as merged
    ) as loser
-- Contacts name themselves among their parts.
where loser.record_id not in ('', winners.winner_id)
