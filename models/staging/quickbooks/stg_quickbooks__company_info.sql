-- One row per organization and company info, deleted ones too.
select
    landed.org_id,
    landed.record_id as company_info_id,
    field."CompanyName" as company_name,
    field."LegalName" as legal_name,
    field."Country" as country_code,
    field."FiscalYearStartMonth" as fiscal_year_start_month_name,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'company_info') }} as landed
cross join {{ json_fields('landed.payload', {
    'CompanyName': 'text',
    'LegalName': 'text',
    'Country': 'text',
    'FiscalYearStartMonth': 'text',
    'MetaData': 'jsonb'
}) }}
