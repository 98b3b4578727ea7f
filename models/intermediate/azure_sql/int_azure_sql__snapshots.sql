-- One row per organization whose case table was read: the date that what landed stands for.
with

reads as (

    select
        org_id,
        -- By the database's clock where it tells one.
        coalesce({{ readable_timestamp("state ->> 'read_at'") }}, last_success_at) as read_at
    from {{ source('ops', 'watermarks') }}
    where source = 'azure_sql' and stream = 'case_data_summary_nophi' and state <> '{}'

)

select
    reads.org_id,
    reads.read_at,
    (reads.read_at at time zone organizations.timezone)::date as snapshot_date
from reads
inner join {{ source('ops', 'organizations') }} as organizations on reads.org_id = organizations.id
-- What is held back is not snapshotted: the days before stay the last ones.
where {{ publishable('azure_sql', 'reads.org_id') }}
