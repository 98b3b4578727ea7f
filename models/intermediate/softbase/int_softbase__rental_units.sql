-- One row per organization and unit of its rental fleet, as of the day it was last read.
with

reads as (

    select
        org_id,
        read_date
    from {{ ref('int_softbase__document_reads') }}
    where subject = 'fleet'

),

equipment as (

    select
        units.org_id,
        reads.read_date,
        coalesce({{ softbase_key('units.serial_no') }}, {{ softbase_key('units.record_id') }}) as unit_key,
        {{ softbase_key('units.unit_no') }} as unit_no,
        coalesce(
            {{ trimmed('units.model_group') }},
            {{ trimmed('units.model') }},
            {{ trimmed('units.make') }},
            'unknown'
        ) as equipment_type,
        nullif(lower(btrim(units.rental_status)), '') as rental_status,
        trim_scale(units.inventory_branch)::text as branch,
        trim_scale(units.inventory_department_number)::text as department_number
    from {{ ref('stg_softbase__equipment') }} as units
    inner join reads using (org_id)
    where
        not units.is_deleted
        and not coalesce(units.is_customer_owned, false)
        and coalesce({{ softbase_date('units.sold_at') }} > reads.read_date, true)

),

-- By the department's meaning, never by its number.
fleet as (

    select
        equipment.*,
        statuses.state
    from equipment
    left join {{ ref('int_softbase__departments') }} as own_branch using (org_id, branch, department_number)
    left join {{ ref('int_softbase__departments') }} as any_branch
        on
            equipment.org_id = any_branch.org_id
            and any_branch.branch = '*'
            and equipment.department_number = any_branch.department_number
    left join lateral (
        select rules.state
        from {{ ref('softbase_rental_statuses') }} as rules
        where
            case rules.match_on
                when 'start' then starts_with(equipment.rental_status, rules.pattern)
                else strpos(equipment.rental_status, rules.pattern) > 0
            end
        order by rules.priority, rules.pattern
        limit 1
    ) as statuses on true
    where
        coalesce(own_branch.department, any_branch.department) = 'rental'
        and statuses.state is distinct from 'gone'

),

running as (

    select * from {{ ref('int_softbase__running_rentals') }}

),

by_serial_no as (

    select distinct
        org_id,
        unit_key
    from running
    where unit_key is not null

),

by_unit_no as (

    select distinct
        org_id,
        unit_no
    from running
    where unit_no is not null

)

select
    fleet.org_id,
    fleet.unit_key,
    fleet.unit_no,
    fleet.equipment_type,
    fleet.rental_status,
    fleet.rental_status is null or fleet.state is not null as is_status_known,
    case
        -- What is on an open rental order is on rent, whatever somebody entered as its status.
        when by_serial_no.org_id is not null or by_unit_no.org_id is not null then 'rented'
        when fleet.state = 'maintenance' then 'maintenance'
        else 'available'
    end as state
from fleet
left join by_serial_no on fleet.org_id = by_serial_no.org_id and fleet.unit_key = by_serial_no.unit_key
left join by_unit_no on fleet.org_id = by_unit_no.org_id and fleet.unit_no = by_unit_no.unit_no
