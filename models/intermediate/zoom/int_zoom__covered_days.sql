-- One row per organization, stream and local date that has been read: a day here without records had none.
with

ranges as (

    select
        reads.org_id,
        reads.stream,
        reads.read_on,
        {{ readable_date('range.days ->> 0') }} as first_day,
        {{ readable_date('range.days ->> 1') }} as last_day
    from {{ ref('int_zoom__reads') }} as reads
    cross join lateral jsonb_array_elements(reads.covered) as range (days)
    where jsonb_typeof(range.days) = 'array'

)

select distinct
    ranges.org_id,
    ranges.stream,
    ranges.read_on,
    day.at::date as metric_date
from ranges
cross join lateral generate_series(ranges.first_day::timestamp, ranges.last_day::timestamp, '1 day') as day (at)
