-- One row per organization: a hash of all that assigns its sales to departments.
with

rules as (

    select
        org_id,
        concat_ws(' ', 'code', sale_code, department) as rule
    from {{ ref('int_softbase__code_departments') }}

    union all

    select
        org_id,
        concat_ws(' ', 'department', branch, department_number, department) as rule
    from {{ ref('int_softbase__departments') }}

)

select
    organizations.id as org_id,
    md5(coalesce(string_agg(rules.rule, ', ' order by rules.rule), '')) as mapping_hash
from {{ source('ops', 'organizations') }} as organizations
left join rules on organizations.id = rules.org_id
group by organizations.id
