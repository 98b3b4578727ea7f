-- One row per organization and stream of Zoom that was read: when, and the local date then.
with

-- What the account does not let be read leaves no state.
reads as (

    select
        org_id,
        stream,
        state,
        -- By Zoom's clock where it tells one.
        coalesce({{ readable_timestamp("state ->> 'read_at'") }}, last_success_at) as read_at
    from {{ source('ops', 'watermarks') }}
    where source = 'zoom' and state <> '{}'

)

select
    reads.org_id,
    reads.stream,
    reads.read_at,
    (reads.read_at at time zone organizations.timezone)::date as read_on,
    organizations.timezone,
    {{ json_array('reads.state', 'covered') }} as covered
from reads
inner join {{ source('ops', 'organizations') }} as organizations on reads.org_id = organizations.id
-- Of what is held back, nothing new is published.
where {{ publishable('zoom', 'reads.org_id') }}
