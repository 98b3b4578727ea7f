-- One row per organization and subject (contacts, deals) that was read: the date that what landed stands for.
with

-- What a portal does not let be read leaves no state.
reads as (

    select
        org_id,
        stream,
        -- By the portal's clock where it tells one.
        coalesce({{ readable_timestamp("state ->> 'read_at'") }}, last_success_at) as read_at
    from {{ source('ops', 'watermarks') }}
    where source = 'hubspot' and state <> '{}'

),

-- Deals say who won only beside the stages they were at. Stages of another night would count them by other rules: while
-- one of the two can't be read, deals have no new snapshot.
subjects as (

    select
        org_id,
        'contacts' as subject,
        read_at
    from reads
    where stream = 'contacts'

    union all

    select
        deals.org_id,
        'deals' as subject,
        deals.read_at
    from reads as deals
    inner join reads as pipelines
        on
            deals.org_id = pipelines.org_id
            and pipelines.stream = 'pipelines'
            and deals.read_at - pipelines.read_at between interval '-12 hours' and interval '12 hours'
    where
        deals.stream = 'deals'
        -- Every portal has a pipeline of deals: none means that it may not be read.
        and exists (
            select stages.org_id from {{ ref('int_hubspot__deal_stages') }} as stages
            where stages.org_id = deals.org_id
        )

)

select
    subjects.org_id,
    subjects.subject,
    subjects.read_at,
    (subjects.read_at at time zone organizations.timezone)::date as snapshot_date
from subjects
inner join {{ source('ops', 'organizations') }} as organizations on subjects.org_id = organizations.id
-- What is held back is not snapshotted: the days before stay the last ones.
where {{ publishable('hubspot', 'subjects.org_id') }}
