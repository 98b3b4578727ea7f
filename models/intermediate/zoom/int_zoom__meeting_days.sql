-- One row per organization and day of whose meetings something is known.
-- The daily report is Zoom's own count; where it can't be read, or has no say yet, meetings are added up host by host.
with

landed_report as (

    select distinct on (report.org_id, report.report_date)
        report.org_id,
        report.report_date as metric_date,
        report.meetings,
        report.participants,
        report.meeting_minutes,
        reads.read_on
    from {{ ref('stg_zoom__daily_report') }} as report
    inner join {{ ref('int_zoom__reads') }} as reads
        on
            report.org_id = reads.org_id
            and reads.stream = 'daily_report'
    where not report.is_deleted
    order by report.org_id asc, report.report_date asc, report.extracted_at desc

),

-- A month may be listed whole, with zeros for days that are still to come, and a day that has only just ended may stand
-- there as zero before Zoom has counted it: neither is a word on the day.
report as (

    select
        org_id,
        metric_date,
        meetings,
        participants,
        meeting_minutes
    from landed_report
    where metric_date <= read_on and (metric_date < read_on - 1 or meetings is distinct from 0)

),

last_reported as (

    select
        org_id,
        max(metric_date) as metric_date
    from report
    group by org_id

),

-- Zoom need not list days without meetings. A day that is not in the report had none once the report is past it.
unlisted as (

    select
        days.org_id,
        days.metric_date
    from {{ ref('int_zoom__covered_days') }} as days
    left join last_reported on days.org_id = last_reported.org_id
    left join report
        on
            days.org_id = report.org_id
            and days.metric_date = report.metric_date
    where
        days.stream = 'daily_report'
        and (days.metric_date < last_reported.metric_date or days.metric_date < days.read_on - 1)
        and report.org_id is null

),

reported as (

    select * from report

    union all

    select
        org_id,
        metric_date,
        0 as meetings,
        0 as participants,
        0 as meeting_minutes
    from unlisted

),

meetings as (

    select
        meetings.org_id,
        coalesce((meetings.started_at at time zone reads.timezone)::date, meetings.started_on) as metric_date,
        meetings.participants,
        meetings.participant_minutes,
        meetings.duration_minutes
    from {{ ref('stg_zoom__meetings') }} as meetings
    inner join {{ ref('int_zoom__reads') }} as reads
        on
            meetings.org_id = reads.org_id
            and reads.stream = 'meetings'
    where not meetings.is_deleted

),

-- Sums are unknown as soon as one of their parts is.
by_host as (

    select
        org_id,
        metric_date,
        count(*) as meetings,
        case when count(*) = count(participants) then sum(participants) end as participants,
        case when count(*) = count(participant_minutes) then sum(participant_minutes) end as meeting_minutes,
        case when count(*) = count(duration_minutes) then avg(duration_minutes) end as average_minutes
    from meetings
    group by org_id, metric_date

),

hosted as (

    select
        days.org_id,
        days.metric_date,
        coalesce(by_host.meetings, 0) as meetings,
        case when by_host.org_id is null then 0 else by_host.participants end as participants,
        case when by_host.org_id is null then 0 else by_host.meeting_minutes end as meeting_minutes,
        by_host.average_minutes
    from {{ ref('int_zoom__covered_days') }} as days
    left join by_host
        on
            days.org_id = by_host.org_id
            and days.metric_date = by_host.metric_date
    where days.stream = 'meetings'

),

-- All three counts of a day are of one origin.
counted as (

    select
        org_id,
        metric_date,
        'report' as origin,
        meetings,
        participants,
        meeting_minutes
    from reported

    union all

    select
        hosted.org_id,
        hosted.metric_date,
        'hosts' as origin,
        hosted.meetings,
        hosted.participants,
        hosted.meeting_minutes
    from hosted
    left join reported
        on
            hosted.org_id = reported.org_id
            and hosted.metric_date = reported.metric_date
    where reported.org_id is null

)

select
    counted.org_id,
    counted.metric_date,
    counted.origin,
    counted.meetings,
    counted.participants,
    counted.meeting_minutes,
    hosted.average_minutes
from counted
left join hosted
    on
        counted.org_id = hosted.org_id
        and counted.metric_date = hosted.metric_date
