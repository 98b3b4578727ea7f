-- depends_on: {{ ref('mart_financial_metrics') }}
-- What QuickBooks' reports state must follow from what they state beside it: one row per contradiction.
with

reports as (

    select * from {{ ref('int_quickbooks__reports') }}
    where not is_deleted

),

-- Leaves and headings add up to the summary, at every level.
sections as (

    select
        reports.org_id,
        reports.period_start,
        reports.report,
        'line ' || lines.label || ': own amount and lines below it = its total' as rule,
        lines.own_amount + lines.children_amount as expected,
        lines.amount as actual
    from {{ ref('int_quickbooks__report_lines') }} as lines
    inner join reports using (org_id, report, record_id)
    where
        lines.has_children
        and lines.own_amount + lines.children_amount <> lines.amount
        -- Its summary covers the adjustments alone in some companies' reports.
        and lines.line_group is distinct from 'OperatingActivities'

),

monthly as (

    select
        monthly.org_id,
        monthly.period_start,
        identity.report,
        identity.rule,
        identity.expected,
        identity.actual
    from {{ ref('int_quickbooks__monthly_financials') }} as monthly
    cross join
        lateral (
            values
            (
                'balance_sheet',
                'liabilities + equity = assets',
                monthly.total_liabilities + monthly.total_equity,
                monthly.total_assets
            ),
            (
                'profit_and_loss',
                'income - costs and expenses = net income',
                monthly.income + monthly.other_income
                - monthly.cost_of_goods_sold - monthly.expenses - monthly.other_expenses,
                monthly.net_income
            ),
            (
                'profit_and_loss',
                'income - cost of goods sold = gross profit',
                monthly.income - monthly.cost_of_goods_sold,
                monthly.reported_gross_profit
            )
        ) as identity (report, rule, expected, actual)
    where identity.expected <> identity.actual

),

-- A total and its months, where the total is not older than one of them: those landed together.
periods as (

    select
        total.org_id,
        total.record_id as total_id,
        total.report,
        total.period_start,
        month.record_id as month_id,
        total.run_id >= max(month.run_id) over of_total as is_current,
        month.period_start = max(month.period_start) over of_total as is_last,
        count(*) over of_total = (
            12 * (extract(year from total.period_end) - extract(year from total.period_start))
            + extract(month from total.period_end) - extract(month from total.period_start) + 1
        ) as is_complete
    from reports as total
    inner join reports as month
        on
            total.org_id = month.org_id
            and total.report = month.report
            and total.basis = month.basis
            and not month.is_total
            and month.period_start between date_trunc('month', total.period_start) and total.period_end
    where
        total.is_total
        and total.extracted_at >= current_timestamp - interval '{{ var("recheck_days") }} days'
    window of_total as (partition by total.org_id, total.report, total.record_id)

),

records as (

    select
        org_id,
        report,
        total_id as record_id
    from periods
    where is_current and is_complete

    union distinct

    select
        org_id,
        report,
        month_id as record_id
    from periods
    where
        is_current
        and is_complete
        -- Balances don't add up: the last month's is the total's.
        and (report <> 'balance_sheet' or is_last)

),

identified as (

    select
        org_id,
        report,
        record_id,
        coalesce(lines.line_group, 'account ' || lines.account_id) as line,
        case when count(*) = count(lines.amount) then sum(lines.amount) end as amount
    from records
    inner join {{ ref('int_quickbooks__report_lines') }} as lines using (org_id, report, record_id)
    where coalesce(lines.line_group, lines.account_id) is not null
    group by 1, 2, 3, 4

),

month_sums as (

    select
        periods.org_id,
        periods.total_id,
        periods.report,
        periods.period_start,
        identified.line,
        sum(identified.amount) as amount
    from periods
    inner join identified
        on
            periods.org_id = identified.org_id
            and periods.report = identified.report
            and periods.month_id = identified.record_id
    where
        periods.is_current
        and periods.is_complete
        and identified.line not in ('BeginningCash', 'EndingCash')
    group by 1, 2, 3, 4, 5
    having count(*) = count(identified.amount)

),

totals as (

    select
        month_sums.org_id,
        month_sums.period_start,
        month_sums.report,
        month_sums.line || ': months add up to ' || month_sums.total_id as rule,
        month_sums.amount as expected,
        identified.amount as actual
    from month_sums
    inner join identified
        on
            month_sums.org_id = identified.org_id
            and month_sums.report = identified.report
            and month_sums.total_id = identified.record_id
            and month_sums.line = identified.line
    where month_sums.amount <> identified.amount

),

contradictions as (

    select * from sections
    union all
    select * from monthly
    union all
    select * from totals

)

select
    organizations.slug as organization,
    contradictions.period_start as month,
    contradictions.report,
    contradictions.rule,
    contradictions.expected,
    contradictions.actual
from contradictions
inner join {{ ref('organizations') }} as organizations on contradictions.org_id = organizations.id
-- Of an organization that is held back none of it was published, and its own check says why.
where {{ publishable('quickbooks', 'contradictions.org_id') }}
