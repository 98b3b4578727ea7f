-- One row per organization and case that the case table has now.
select
    org_id,
    record_id,
    case_create_date,
    closed_date,
    -- What is not said is counted, too: the parts of a snapshot add up to the whole.
    coalesce(case_type, 'unknown') as case_type,
    coalesce(workflow_status, 'unknown') as workflow_status,
    coalesce(presenting_problem, 'unknown') as category
from {{ ref('stg_azure_sql__case_data_summary_nophi') }}
where not is_deleted
