-- One row per organization and subject (sales, fleet, rental_history, ledger) that was read: the date it stands for.
with

-- What a dealership does not let be read leaves no state.
reads as (

    select
        org_id,
        stream,
        -- By the database's clock, and on the dealership's own calendar, where the read noted them.
        coalesce({{ readable_timestamp("state ->> 'read_at'") }}, last_success_at) as read_at,
        {{ readable_date("state ->> 'read_on'") }} as read_on
    from {{ source('ops', 'watermarks') }}
    where source = 'softbase' and state <> '{}'

),

needed (subject, stream, hours_apart) as (

    values
    ('sales', 'invoice_reg', null),
    ('sales', 'wo', null),
    -- A unit is on rent by three tables together: of different nights, they would contradict each other.
    ('fleet', 'equipment', 12),
    ('fleet', 'wo', 12),
    ('fleet', 'wo_rental', 12),
    ('fleet', 'dept', 12),
    ('fleet', 'invoice_reg', 12),
    ('rental_history', 'rental_history', null),
    ('ledger', 'gl', null),
    ('ledger', 'chart_of_accounts', null)

),

subjects as (

    select
        organizations.id as org_id,
        needed.subject,
        -- Nothing is said of a day that one of the streams has not seen.
        min(reads.read_at) as read_at,
        min(
            coalesce(
                reads.read_on,
                (
                    reads.read_at
                    at time zone coalesce(connections.settings ->> 'timezone', organizations.timezone)
                )::date
            )
        ) as read_date,
        min({{ readable_date("connections.settings ->> 'start_date'") }}) as start_date
    from {{ source('ops', 'organizations') }} as organizations
    cross join needed
    left join reads
        on
            organizations.id = reads.org_id
            and needed.stream = reads.stream
    left join {{ source('ops', 'connections') }} as connections
        on
            organizations.id = connections.org_id
            and connections.source = 'softbase'
    group by 1, 2
    having
        bool_and(reads.org_id is not null)
        and coalesce(max(reads.read_at) - min(reads.read_at) <= make_interval(hours => min(needed.hours_apart)), true)

)

select
    subjects.org_id,
    subjects.subject,
    subjects.read_at,
    subjects.read_date,
    subjects.start_date,
    organizations.fiscal_year_start_month
from subjects
inner join {{ source('ops', 'organizations') }} as organizations on subjects.org_id = organizations.id
-- What is held back is not published: what stands stays.
where {{ publishable('softbase', 'subjects.org_id') }}
