-- One row per organization and day that Zoom reports.
select
    landed.org_id,
    landed.record_id as report_key,
    {{ readable_date('field."date"') }} as report_date,
    {{ readable_number('field.new_users') }} as new_users,
    {{ readable_number('field.meetings') }} as meetings,
    {{ readable_number('field.participants') }} as participants,
    {{ readable_number('field.meeting_minutes') }} as meeting_minutes,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'date': 'date',
        'new_users': 'number',
        'meetings': 'number',
        'participants': 'number',
        'meeting_minutes': 'number'
    }) }} as unreadable_fields
from {{ source('zoom', 'daily_report') }} as landed
cross join {{ json_fields('landed.payload', {
    'date': 'text',
    'new_users': 'text',
    'meetings': 'text',
    'participants': 'text',
    'meeting_minutes': 'text'
}) }}
