{{ config(materialized='table', indexes=[{'columns': ['org_id', 'department_number', 'branch']}]) }}
-- One row per organization, branch and department number; branch * where all branches that have the number agree.
with

landed as (

    select
        depts.org_id,
        organizations.slug,
        trim_scale(depts.branch)::text as branch,
        trim_scale(depts.department_number)::text as department_number,
        depts.title
    from {{ ref('stg_softbase__dept') }} as depts
    inner join {{ source('ops', 'organizations') }} as organizations on depts.org_id = organizations.id
    where not depts.is_deleted and depts.branch is not null and depts.department_number is not null

),

numbered as (

    select
        organizations.id as org_id,
        rules.pattern as department_number,
        rules.department
    from {{ ref('softbase_departments') }} as rules
    inner join {{ source('ops', 'organizations') }} as organizations on rules.org_slug = organizations.slug
    where rules.match_on = 'number'

),

titled as (

    select distinct on (landed.org_id, landed.branch, landed.department_number)
        landed.org_id,
        landed.branch,
        landed.department_number,
        rules.department
    from landed
    left join {{ ref('softbase_departments') }} as rules
        on
            rules.org_slug in (landed.slug, '*')
            and rules.match_on = 'title'
            and lower(landed.title) ~ ('\m' || rules.pattern)
    order by
        landed.org_id asc,
        landed.branch asc,
        landed.department_number asc,
        rules.org_slug = '*' asc nulls last,
        rules.priority asc,
        rules.pattern asc

),

by_branch as (

    select
        titled.org_id,
        titled.branch,
        titled.department_number,
        coalesce(numbered.department, titled.department) as department
    from titled
    left join numbered using (org_id, department_number)

)

select * from by_branch

union all

select
    org_id,
    '*' as branch,
    department_number,
    coalesce(
        min(numbered.department),
        case
            when count(*) = count(by_branch.department) and count(distinct by_branch.department) = 1
                then min(by_branch.department)
        end
    ) as department
from by_branch
full join numbered using (org_id, department_number)
group by org_id, department_number
