{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_rental_fleet') }}
-- What the figures of the fleet could not make sense of: statuses that no pattern of softbase_rental_statuses fits,
-- whose units count as available, and dealerships with equipment none of whose departments rents.
select
    organizations.slug as organization,
    'status of a unit' as subject,
    units.rental_status as unknown,
    count(*) as units
from {{ ref('int_softbase__rental_units') }} as units
inner join {{ ref('organizations') }} as organizations on units.org_id = organizations.id
where not units.is_status_known
group by 1, 2, 3

union all

select
    organizations.slug as organization,
    'rental department' as subject,
    null as unknown,
    count(*) as units
from {{ ref('stg_softbase__equipment') }} as equipment
inner join {{ ref('int_softbase__reads') }} as reads
    on
        equipment.org_id = reads.org_id
        and reads.subject = 'fleet'
inner join {{ ref('organizations') }} as organizations on equipment.org_id = organizations.id
where
    not equipment.is_deleted
    and not exists (
        select
        from {{ ref('int_softbase__departments') }} as departments
        where departments.org_id = equipment.org_id and departments.department = 'rental'
    )
group by 1, 2, 3
