-- One row per organization and unit and month, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    field."SerialNo" as serial_no,
    {{ readable_number('field."Year"') }} as year,
    {{ readable_number('field."Month"') }} as month,
    {{ readable_number('field."DaysRented"') }} as days_rented,
    {{ readable_number('field."RentAmount"') }} as rent_amount,
    {{ readable_local_timestamp('field."CreationTime"') }} as created_at,
    {{ readable_local_timestamp('field."LastModificationTime"') }} as modified_at,
    landed.source_updated_at,
    (
        landed.deleted_at is not null
        or coalesce({{ readable_flag('field."IsDeleted"') }}, false)
        or nullif(field."DeletionTime", '') is not null
    ) as is_deleted,
    landed.extracted_at,
    landed.run_id,
    {{ unreadable_fields({
        'Year': 'number',
        'Month': 'number',
        'DaysRented': 'number',
        'RentAmount': 'number',
        'CreationTime': 'local_timestamp',
        'LastModificationTime': 'local_timestamp',
        'IsDeleted': 'flag'
    }) }} as unreadable_fields
from {{ source('softbase', 'rental_history') }} as landed
cross join {{ json_fields('landed.payload', {
    'SerialNo': 'text',
    'Year': 'text',
    'Month': 'text',
    'DaysRented': 'text',
    'RentAmount': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
