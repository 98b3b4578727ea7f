-- One row per organization and line, deleted ones too.
select
    landed.org_id,
    landed.record_id as line_id,
    field."WONo" as work_order_no,
    field."SerialNo" as serial_no,
    field."UnitNo" as unit_no,
    field."Make" as make,
    field."Model" as model,
    {{ readable_number('field."Sell"') }} as amount,
    {{ readable_number('field."Cost"') }} as cost,
    field."SaleCode" as sale_code,
    {{ readable_number('field."DayRent"') }} as day_rent,
    {{ readable_number('field."WeekRent"') }} as week_rent,
    {{ readable_number('field."FourWeekRent"') }} as four_week_rent,
    {{ readable_number('field."MonthRent"') }} as month_rent,
    {{ readable_number('field."PeriodsBilled"') }} as periods_billed,
    field."SwapOutStatus" as swap_out_status,
    {{ readable_local_timestamp('field."SwapStartDate"') }} as swap_started_at,
    {{ readable_local_timestamp('field."SwapEndDate"') }} as swap_ended_at,
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
        'Sell': 'number',
        'Cost': 'number',
        'DayRent': 'number',
        'WeekRent': 'number',
        'FourWeekRent': 'number',
        'MonthRent': 'number',
        'PeriodsBilled': 'number',
        'SwapStartDate': 'local_timestamp',
        'SwapEndDate': 'local_timestamp',
        'CreationTime': 'local_timestamp',
        'LastModificationTime': 'local_timestamp',
        'IsDeleted': 'flag'
    }) }} as unreadable_fields
from {{ source('softbase', 'wo_rental') }} as landed
cross join {{ json_fields('landed.payload', {
    'WONo': 'text',
    'SerialNo': 'text',
    'UnitNo': 'text',
    'Make': 'text',
    'Model': 'text',
    'Sell': 'text',
    'Cost': 'text',
    'SaleCode': 'text',
    'DayRent': 'text',
    'WeekRent': 'text',
    'FourWeekRent': 'text',
    'MonthRent': 'text',
    'PeriodsBilled': 'text',
    'SwapOutStatus': 'text',
    'SwapStartDate': 'text',
    'SwapEndDate': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
