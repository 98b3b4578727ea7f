{{ config(unique_key=['org_id', 'snapshot_date'], upsert_scope='written') }}
-- One row per organization and day that HubSpot was read on. Only the day of the last read is computed: rows of days
-- before stay as they were seen then, and those of an organization that can't be read stay as they are.
with

snapshots as (

    select
        snapshot.org_id,
        snapshot.snapshot_date,
        organizations.timezone
    from {{ ref('int_hubspot__snapshots') }} as snapshot
    inner join {{ source('ops', 'organizations') }} as organizations on snapshot.org_id = organizations.id
    where snapshot.subject = 'contacts'

),

contacts as (

    select
        snapshots.org_id,
        snapshots.snapshot_date,
        contact.contact_id,
        contact.lifecycle,
        -- 0 for those made on the day of the snapshot.
        snapshots.snapshot_date - (contact.created_at at time zone snapshots.timezone)::date as age_days
    from snapshots
    left join {{ ref('int_hubspot__contacts') }} as contact on snapshots.org_id = contact.org_id

)

select
    org_id,
    snapshot_date,
    count(contact_id)::int as total_contacts,
    (count(*) filter (where age_days between 0 and 29))::int as new_contacts_30d,
    (count(*) filter (where age_days between 0 and 6))::int as new_contacts_7d,
    (count(*) filter (where lifecycle = 'subscriber'))::int as subscribers,
    (count(*) filter (where lifecycle = 'lead'))::int as leads,
    (count(*) filter (where lifecycle = 'marketingqualifiedlead'))::int as marketing_qualified,
    (count(*) filter (where lifecycle = 'salesqualifiedlead'))::int as sales_qualified,
    (count(*) filter (where lifecycle = 'opportunity'))::int as opportunities,
    (count(*) filter (where lifecycle = 'customer'))::int as customers,
    (count(*) filter (where lifecycle = 'evangelist'))::int as evangelists,
    (count(*) filter (where lifecycle = 'other'))::int as other_lifecycle,
    'hubspot'::varchar(50) as source_system
from contacts
group by org_id, snapshot_date
