-- The calendar holds every day of its range once, and every organization has its first and last day: a row otherwise.
select
    'calendar' as object,
    min(calendar_date) as first_day,
    max(calendar_date) as last_day,
    count(*) as days
from {{ ref('calendar') }}
having
    (min(calendar_date), max(calendar_date))
    is distinct from (date '{{ var("calendar_start") }}', date '{{ var("calendar_end") }}')
    or count(*) <> date '{{ var("calendar_end") }}' - date '{{ var("calendar_start") }}' + 1
union all
select
    organizations.slug as object,
    min(days.calendar_date) as first_day,
    max(days.calendar_date) as last_day,
    count(days.calendar_date) as days
from {{ ref('organizations') }} as organizations
left join {{ ref('organization_calendar') }} as days
    on
        organizations.id = days.org_id
        and days.calendar_date in (date '{{ var("calendar_start") }}', date '{{ var("calendar_end") }}')
group by 1
having count(days.calendar_date) <> 2
