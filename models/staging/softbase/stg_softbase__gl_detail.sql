-- One row per organization and posting, deleted ones too.
select
    landed.org_id,
    landed.record_id,
    field."Journal" as journal,
    field."AccountNo" as account_no,
    field."AccountField" as account_field,
    field."ControlNo" as control_no,
    field."Source" as posting_source,
    field."InvoiceNo" as invoice_no,
    field."CustomerNo" as customer_no,
    field."VendorNo" as vendor_no,
    {{ readable_local_timestamp('field."EffectiveDate"') }} as effective_at,
    {{ readable_local_timestamp('field."PostedDate"') }} as posted_at,
    {{ readable_flag('field."Posted"') }} as is_posted,
    {{ readable_number('field."Amount"') }} as amount,
    {{ readable_flag('field."HistoryFlag"') }} as is_history,
    {{ readable_local_timestamp('field."CreationTime"') }} as created_at,
    {{ readable_local_timestamp('field."LastModificationTime"') }} as modified_at,
    landed.source_updated_at,
    (
        landed.deleted_at is not null
        or coalesce({{ readable_flag('field."IsDeleted"') }}, false)
        or nullif(field."DeletionTime", '') is not null
    ) as is_deleted,
    landed.extracted_at,
    landed.run_id,
    {{ unreadable_fields({
        'EffectiveDate': 'local_timestamp',
        'PostedDate': 'local_timestamp',
        'Posted': 'flag',
        'Amount': 'number',
        'HistoryFlag': 'flag',
        'CreationTime': 'local_timestamp',
        'LastModificationTime': 'local_timestamp',
        'IsDeleted': 'flag'
    }) }} as unreadable_fields
from {{ source('softbase', 'gl_detail') }} as landed
cross join {{ json_fields('landed.payload', {
    'Journal': 'text',
    'AccountNo': 'text',
    'AccountField': 'text',
    'ControlNo': 'text',
    'Source': 'text',
    'InvoiceNo': 'text',
    'CustomerNo': 'text',
    'VendorNo': 'text',
    'EffectiveDate': 'text',
    'PostedDate': 'text',
    'Posted': 'text',
    'Amount': 'text',
    'HistoryFlag': 'text',
    'CreationTime': 'text',
    'LastModificationTime': 'text',
    'IsDeleted': 'text',
    'DeletionTime': 'text'
}) }}
