{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_zoom_metrics') }}
-- Results of calls that nobody has said of whether they are missed: such calls never are.
select
    organizations.slug as organization,
    coalesce(legs.call_result, '(none)') as call_result,
    count(*) as legs
from {{ ref('stg_zoom__call_history') }} as legs
inner join {{ ref('organizations') }} as organizations on legs.org_id = organizations.id
left join {{ ref('zoom_call_results') }} as results on lower(legs.call_result) = results.call_result
where
    results.call_result is null
    and not legs.is_deleted
    and legs.extracted_at >= current_timestamp - interval '{{ var("recheck_days") }} days'
group by 1, 2
