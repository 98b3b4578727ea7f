-- One row per organization and rental order that is open on the day the fleet was last read.
select
    orders.org_id,
    orders.work_order_no,
    orders.bill_to,
    reads.read_date
from {{ ref('int_softbase__work_orders') }} as orders
inner join {{ ref('int_softbase__reads') }} as reads
    on
        orders.org_id = reads.org_id
        and reads.subject = 'fleet'
where
    orders.work_order_type = 'R'
    and not orders.is_quote
    and not orders.is_deleted
    and coalesce(orders.closed_date > reads.read_date, true)
    and coalesce(orders.opened_date <= reads.read_date, true)
