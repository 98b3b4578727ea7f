-- depends_on: {{ ref('mart_case_metrics') }}
-- As many cases have landed as the case database counted in the transaction that read them: one row otherwise.
with

reads as (

    select
        org_id,
        {{ readable_number("state ->> 'rows'") }} as counted_rows
    from {{ source('ops', 'watermarks') }}
    where source = 'azure_sql' and stream = 'case_data_summary_nophi'

),

landed as (

    select
        org_id,
        count(*) filter (where deleted_at is null) as landed_rows
    from {{ source('azure_sql', 'case_data_summary_nophi') }}
    group by org_id

)

select
    organizations.slug as organization,
    reads.counted_rows,
    coalesce(landed.landed_rows, 0) as landed_rows
from reads
inner join {{ ref('organizations') }} as organizations on reads.org_id = organizations.id
left join landed on reads.org_id = landed.org_id
where reads.counted_rows <> coalesce(landed.landed_rows, 0)
