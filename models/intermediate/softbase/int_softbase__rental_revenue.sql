-- One row per organization and type of equipment that was billed for in the fiscal year its fleet was last read in.
with

equipment as (

    select distinct on (org_id, unit_key)
        org_id,
        coalesce({{ softbase_key('serial_no') }}, {{ softbase_key('record_id') }}) as unit_key,
        coalesce({{ trimmed('model_group') }}, {{ trimmed('model') }}, {{ trimmed('make') }}) as equipment_type
    from {{ ref('stg_softbase__equipment') }}
    -- Also what has left the fleet: it was billed for before.
    order by org_id, unit_key, is_deleted

),

history as (

    select
        rented.org_id,
        {{ softbase_key('rented.serial_no') }} as unit_key,
        case
            when rented.year between 1900 and 2999 and rented.month in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
                then make_date(rented.year::int, rented.month::int, 1)
        end as month_start,
        rented.rent_amount,
        coalesce('RentAmount' = any(string_to_array(rented.unreadable_fields, ', ')), false) as is_unreadable
    from {{ ref('stg_softbase__rental_history') }} as rented
    where not rented.is_deleted

)

select
    history.org_id,
    coalesce(equipment.equipment_type, 'unknown') as equipment_type,
    case when not bool_or(history.is_unreadable) then coalesce(sum(history.rent_amount), 0) end as rent_amount
from history
inner join {{ ref('int_softbase__reads') }} as reads
    on
        history.org_id = reads.org_id
        and reads.subject = 'fleet'
left join equipment on history.org_id = equipment.org_id and history.unit_key = equipment.unit_key
where
    history.month_start >= {{ fiscal_year_start('reads.read_date', 'reads.fiscal_year_start_month') }}
    and history.month_start <= reads.read_date
group by 1, 2
