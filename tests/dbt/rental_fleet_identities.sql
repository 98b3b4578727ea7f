-- What a snapshot of the fleet states must follow from what it states beside it: one row per contradiction.
select
    organizations.slug as organization,
    mart.snapshot_date,
    identity.rule,
    identity.expected,
    identity.actual
from {{ ref('mart_rental_fleet') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
cross join
    lateral (
        select sum(of_type.units::numeric) as units
        from jsonb_each_text(mart.units_by_type) as of_type (equipment_type, units)
    ) as typed
cross join
    lateral (
        values
        (
            'available, rented and maintained units add up to total_units',
            mart.total_units::numeric,
            (mart.available_units + mart.rented_units + mart.maintenance_units)::numeric
        ),
        ('units_by_type add up to total_units', mart.total_units::numeric, coalesce(typed.units, 0)),
        (
            'no more units are rented, or held back, than there are',
            0,
            (
                greatest(mart.rented_units - mart.total_units, 0)
                + greatest(-mart.available_units, -mart.rented_units, -mart.maintenance_units, 0)
            )::numeric
        ),
        (
            'utilization_rate is rented_units by total_units',
            round(100.0 * mart.rented_units / nullif(mart.total_units, 0), 2),
            mart.utilization_rate
        )
    ) as identity (rule, expected, actual)
where
    mart.updated_at >= (current_timestamp at time zone 'utc') - interval '{{ var("recheck_days") }} days'
    and identity.expected is distinct from identity.actual
