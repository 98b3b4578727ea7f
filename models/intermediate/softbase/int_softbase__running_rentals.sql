-- One row per organization and line that keeps a unit on an open rental order, on the day the fleet was last read.
select
    lines.org_id,
    lines.line_id,
    orders.work_order_no,
    orders.bill_to,
    {{ softbase_key('lines.serial_no') }} as unit_key,
    -- Where the line names no serial number.
    case when {{ softbase_key('lines.serial_no') }} is null then {{ softbase_key('lines.unit_no') }} end as unit_no
from {{ ref('stg_softbase__wo_rental') }} as lines
inner join {{ ref('int_softbase__work_orders') }} as orders
    on
        lines.org_id = orders.org_id
        and btrim(lines.work_order_no) = orders.work_order_no
inner join {{ ref('int_softbase__document_reads') }} as reads
    on
        lines.org_id = reads.org_id
        and reads.subject = 'fleet'
where
    not lines.is_deleted
    -- From then on another unit is out for it.
    and coalesce({{ softbase_date('lines.swap_ended_at') }} > reads.read_date, true)
    and orders.work_order_type = 'R'
    and not orders.is_quote
    and not orders.is_deleted
    and coalesce(orders.closed_date > reads.read_date, true)
    and coalesce(orders.opened_date <= reads.read_date, true)
