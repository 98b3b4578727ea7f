-- One row per organization and invoice that counts: dated, not deleted, and not a quote's.
select
    register.org_id,
    register.invoice_no,
    register.invoice_date,
    register.sale_branch,
    register.sale_department_number,
    register.sale_code,
    -- What the code says goes before the department it was sold in: a rental unit that is sold is a sale.
    coalesce(codes.department, own_branch.department, any_branch.department) as department,
    register.revenue,
    register.extracted_at
from {{ ref('int_softbase__invoice_register') }} as register
left join {{ ref('int_softbase__code_departments') }} as codes
    on
        register.org_id = codes.org_id
        and register.sale_code = codes.sale_code
left join {{ ref('int_softbase__departments') }} as own_branch
    on
        register.org_id = own_branch.org_id
        and register.sale_branch = own_branch.branch
        and register.sale_department_number = own_branch.department_number
left join {{ ref('int_softbase__departments') }} as any_branch
    on
        register.org_id = any_branch.org_id
        and any_branch.branch = '*'
        and register.sale_department_number = any_branch.department_number
where
    not register.is_deleted
    and register.invoice_date is not null
    -- By what the order itself says: an invoice with a number that looks like a quote's is an invoice. An order that is
    -- deleted says nothing: of one that is gone from Softbase, nobody who reads it anew would know.
    and coalesce(
        (
            select orders.is_deleted or orders.disposition not in (11, 13)
            from {{ ref('int_softbase__work_orders') }} as orders
            where orders.org_id = register.org_id and orders.work_order_no = register.invoice_no
        ),
        true
    )
