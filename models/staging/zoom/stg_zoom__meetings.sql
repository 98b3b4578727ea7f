-- One row per organization and occurrence of a meeting.
select
    landed.org_id,
    landed.record_id as meeting_uuid,
    nullif(field."id", '') as meeting_number,
    nullif(field.topic, '') as topic,
    nullif(field.user_email, '') as host_email,
    {{ readable_timestamp('field.start_time') }} as started_at,
    {{ readable_local_date('field.start_time') }} as started_on,
    {{ readable_timestamp('field.end_time') }} as ended_at,
    {{ readable_number('field.duration') }} as duration_minutes,
    {{ readable_number('field.total_minutes') }} as participant_minutes,
    {{ readable_number('field.participants_count') }} as participants,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'start_time': 'instant',
        'end_time': 'timestamp',
        'duration': 'number',
        'total_minutes': 'number',
        'participants_count': 'number'
    }) }} as unreadable_fields
from {{ source('zoom', 'meetings') }} as landed
cross join {{ json_fields('landed.payload', {
    'id': 'text',
    'topic': 'text',
    'user_email': 'text',
    'start_time': 'text',
    'end_time': 'text',
    'duration': 'text',
    'total_minutes': 'text',
    'participants_count': 'text'
}) }}
