-- One row per organization and item, deleted ones too.
select
    landed.org_id,
    landed.record_id as item_id,
    field."Name" as item_name,
    field."FullyQualifiedName" as fully_qualified_name,
    field."Type" as item_type,
    {{ readable_boolean('field."Active"') }} as is_active,
    {{ readable_number('field."UnitPrice"') }} as unit_price,
    {{ readable_number('field."PurchaseCost"') }} as purchase_cost,
    {{ readable_number('field."QtyOnHand"') }} as quantity_on_hand,
    {{ json_text('field."IncomeAccountRef"', 'value') }} as income_account_id,
    {{ json_text('field."ExpenseAccountRef"', 'value') }} as expense_account_id,
    {{ readable_timestamp(json_text('field."MetaData"', 'CreateTime')) }} as created_at,
    landed.source_updated_at,
    landed.deleted_at is not null as is_deleted,
    landed.extracted_at,
    {{ unreadable_fields({
        'Active': 'boolean',
        'UnitPrice': 'number',
        'PurchaseCost': 'number',
        'QtyOnHand': 'number',
        'MetaData.CreateTime': 'timestamp'
    }) }} as unreadable_fields
from {{ source('quickbooks', 'item') }} as landed
cross join {{ json_fields('landed.payload', {
    'Name': 'text',
    'FullyQualifiedName': 'text',
    'Type': 'text',
    'Active': 'text',
    'UnitPrice': 'text',
    'PurchaseCost': 'text',
    'QtyOnHand': 'text',
    'IncomeAccountRef': 'jsonb',
    'ExpenseAccountRef': 'jsonb',
    'MetaData': 'jsonb'
}) }}
