{{ config(unique_key=['org_id', 'snapshot_date'], upsert_scope='written') }}
-- One row per organization and day that the case table was read on. Only the day of the last read is computed: rows of
-- days before stay as they were seen then, and those of an organization that can't be read stay as they are.
with

cases as (

    select
        snapshots.org_id,
        snapshots.snapshot_date,
        one.record_id,
        one.case_type,
        one.workflow_status,
        one.category,
        -- 0 for those made or closed on the day of the snapshot.
        snapshots.snapshot_date - one.case_create_date as age_days,
        snapshots.snapshot_date - one.closed_date as closed_days
    from {{ ref('int_azure_sql__snapshots') }} as snapshots
    left join {{ ref('int_azure_sql__cases') }} as one on snapshots.org_id = one.org_id

),

groups as (

    select
        org_id,
        snapshot_date,
        coalesce(jsonb_object_agg(label, cases) filter (where dimension = 'type'), '{}') as cases_by_type,
        coalesce(jsonb_object_agg(label, cases) filter (where dimension = 'status'), '{}') as cases_by_status,
        coalesce(jsonb_object_agg(label, cases) filter (where dimension = 'category'), '{}') as cases_by_category
    from (
        select
            cases.org_id,
            cases.snapshot_date,
            part.dimension,
            part.label,
            count(*) as cases
        from cases
        cross join
            lateral (
                values
                ('type', cases.case_type), ('status', cases.workflow_status), ('category', cases.category)
            ) as part (dimension, label)
        where cases.record_id is not null
        group by cases.org_id, cases.snapshot_date, part.dimension, part.label
    ) as counted
    group by org_id, snapshot_date

),

totals as (

    select
        org_id,
        snapshot_date,
        count(record_id)::int as total_cases,
        (count(*) filter (where age_days between 0 and 29))::int as new_cases_30d,
        (count(*) filter (where closed_days between 0 and 29))::int as closed_cases_30d
    from cases
    group by org_id, snapshot_date

)

select
    totals.org_id,
    totals.snapshot_date,
    totals.total_cases,
    totals.new_cases_30d,
    totals.closed_cases_30d,
    coalesce(groups.cases_by_type, '{}') as cases_by_type,
    coalesce(groups.cases_by_status, '{}') as cases_by_status,
    coalesce(groups.cases_by_category, '{}') as cases_by_category,
    'azure_sql'::varchar(50) as source_system,
    'Case_Data_Summary_NOPHI'::varchar(100) as source_table
from totals
left join groups on totals.org_id = groups.org_id and totals.snapshot_date = groups.snapshot_date
