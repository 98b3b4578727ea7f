-- One row per organization and contact that is neither archived nor merged into another.
with

merged as (

    select
        org_id,
        record_id as contact_id
    from {{ ref('int_hubspot__merged_records') }}
    where object_type = 'contacts'

)

select
    contacts.org_id,
    contacts.contact_id,
    -- Stages of a portal's own are numbers; what HubSpot may add one day is none of these either.
    case
        when
            contacts.lifecycle_stage in (
                'subscriber',
                'lead',
                'marketingqualifiedlead',
                'salesqualifiedlead',
                'opportunity',
                'customer',
                'evangelist'
            )
            then contacts.lifecycle_stage
        else 'other'
    end as lifecycle,
    contacts.created_at
from {{ ref('stg_hubspot__contacts') }} as contacts
left join merged using (org_id, contact_id)
where not contacts.is_deleted and merged.contact_id is null
