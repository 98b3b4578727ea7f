-- One row per organization and leg of a call.
select
    landed.org_id,
    landed.record_id as leg_uuid,
    nullif(field.call_id, '') as call_id,
    nullif(field.direction, '') as direction,
    nullif(field.call_result, '') as call_result,
    {{ readable_timestamp('field.start_time') }} as started_at,
    {{ readable_local_date('field.start_time') }} as started_on,
    {{ readable_local_timestamp('field.start_time') }} as started_local,
    {{ readable_number('field.duration') }} as duration_seconds,
    nullif(field.call_type, '') as call_type,
    nullif(field.connect_type, '') as connect_type,
    nullif(field.recording_status, '') as recording_status,
    nullif(field.department, '') as department,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'start_time': 'instant',
        'duration': 'number'
    }) }} as unreadable_fields
from {{ source('zoom', 'call_history') }} as landed
cross join {{ json_fields('landed.payload', {
    'call_id': 'text',
    'direction': 'text',
    'call_result': 'text',
    'start_time': 'text',
    'duration': 'text',
    'call_type': 'text',
    'connect_type': 'text',
    'recording_status': 'text',
    'department': 'text'
}) }}
