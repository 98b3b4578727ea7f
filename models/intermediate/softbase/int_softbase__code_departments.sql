{{ config(materialized='table', indexes=[{'columns': ['org_id', 'sale_code']}]) }}
-- One row per organization and sale code that has a department, the organization's own choice before the default.
select distinct on (organizations.id, {{ softbase_key('codes.sale_code') }})
    organizations.id as org_id,
    {{ softbase_key('codes.sale_code') }} as sale_code,
    codes.department
from {{ source('ops', 'organizations') }} as organizations
inner join {{ ref('softbase_sale_codes') }} as codes on codes.org_slug in (organizations.slug, '*')
order by organizations.id asc, {{ softbase_key('codes.sale_code') }} asc, codes.org_slug = '*' asc
