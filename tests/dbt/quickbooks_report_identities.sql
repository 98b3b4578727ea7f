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

-- Months and totals side by side and then summed, not joined: nothing tells the planner how many periods there are, and
-- for a few it would look through all lines once for each.
compared as (

    select
        periods.org_id,
        periods.report,
        periods.total_id,
        periods.period_start,
        coalesce(lines.line_group, 'account ' || lines.account_id) as line,
        lines.amount,
        true as is_month
    from periods
    inner join {{ ref('int_quickbooks__report_lines') }} as lines
        on
            periods.org_id = lines.org_id
            and periods.report = lines.report
            and periods.month_id = lines.record_id
    where
        periods.is_current
        and periods.is_complete
        -- Balances don't add up: the last month's is the total's.
        and (periods.report <> 'balance_sheet' or periods.is_last)

    union all

    select
        periods.org_id,
        periods.report,
        periods.total_id,
        periods.period_start,
        coalesce(lines.line_group, 'account ' || lines.account_id) as line,
        lines.amount,
        false as is_month
    from periods
    inner join {{ ref('int_quickbooks__report_lines') }} as lines
        on
            periods.org_id = lines.org_id
            and periods.report = lines.report
            and periods.total_id = lines.record_id
    where
        periods.is_current
        and periods.is_complete
        and periods.is_last

),

totals as (

    select
        org_id,
        period_start,
        report,
        line || ': months add up to ' || total_id as rule,
        sum(amount) filter (where is_month) as expected,
        sum(amount) filter (where not is_month) as actual
    from compared
    where line is not null and line not in ('BeginningCash', 'EndingCash')
    group by org_id, report, total_id, period_start, line
    having
        count(*) = count(amount)
        and sum(amount) filter (where is_month) <> sum(amount) filter (where not is_month)

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
