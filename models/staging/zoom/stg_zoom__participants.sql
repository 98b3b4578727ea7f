-- One row per organization, meeting and time that somebody joined it.
select
    landed.org_id,
    landed.record_id as stay_key,
    nullif(field.meeting_uuid, '') as meeting_uuid,
    nullif(field.user_id, '') as session_user_id,
    nullif(field."name", '') as name,
    nullif(field.user_email, '') as email,
    {{ readable_timestamp('field.join_time') }} as joined_at,
    {{ readable_timestamp('field.leave_time') }} as left_at,
    {{ readable_number('field.duration') }} as duration_seconds,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'join_time': 'timestamp',
        'leave_time': 'timestamp',
        'duration': 'number'
    }) }} as unreadable_fields
from {{ source('zoom', 'participants') }} as landed
cross join {{ json_fields('landed.payload', {
    'meeting_uuid': 'text',
    'user_id': 'text',
    'name': 'text',
    'user_email': 'text',
    'join_time': 'text',
    'leave_time': 'text',
    'duration': 'text'
}) }}
