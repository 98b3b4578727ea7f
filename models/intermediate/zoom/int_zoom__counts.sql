-- One row per organization and kind (users, phone users, call queues): how many there were when they were last read.
with

members as (

    select
        org_id,
        'users' as stream
    from {{ ref('stg_zoom__users') }}
    -- Whoever was only invited has no account yet, whoever was deactivated has it no more.
    where not is_deleted and lower(status) = 'active'

    union all

    select
        org_id,
        'phone_users' as stream
    from {{ ref('stg_zoom__phone_users') }}
    where not is_deleted and lower(status) = 'activate'

    union all

    select
        org_id,
        'call_queues' as stream
    from {{ ref('stg_zoom__call_queues') }}
    -- Older answers know no status of queues: all they list are active.
    where not is_deleted and lower(coalesce(status, 'active')) = 'active'

)

select
    reads.org_id,
    reads.stream,
    reads.read_on as snapshot_date,
    count(members.org_id)::int as members
from {{ ref('int_zoom__reads') }} as reads
left join members
    on
        reads.org_id = members.org_id
        and reads.stream = members.stream
where reads.stream in ('users', 'phone_users', 'call_queues')
group by reads.org_id, reads.stream, reads.read_on
