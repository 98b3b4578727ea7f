{{ config(materialized='table') }}
-- One row per organization, basis and month that QuickBooks reported. The cash flow report has no basis of its own:
-- it stands on every basis of its organization, and alone (basis 'none') where no other report landed for the month.
with

reports as (

    select *
    from {{ ref('int_quickbooks__reports') }}
    where not is_deleted and not is_total and period_start is not null

),

group_lines as (

    select
        org_id,
        report,
        record_id,
        line_path,
        line_group,
        has_children,
        -- Of operations what the lines below add up to. Net income is one of them and has no group in some companies'
        -- reports; the section's own summary covers the adjustments alone in others.
        case
            when line_group = 'OperatingActivities' and has_children then own_amount + children_amount
            else amount
        end as amount
    from {{ ref('int_quickbooks__report_lines') }}
    -- And the report itself, which tells whether it has lines at all. What landed while the build was under way is not
    -- walked yet and has none of either: it is no report of zeros, and joins nothing.
    where line_group is not null or line_path = ''

),

profit_and_loss as (

    select
        reports.org_id,
        reports.basis,
        reports.period_start,
        {{ group_amount('Income', absent=zero_in('profit_and_loss')) }} as income,
        {{ group_amount('COGS', absent=zero_in('profit_and_loss')) }} as cost_of_goods_sold,
        {{ group_amount('Expenses', absent=zero_in('profit_and_loss')) }} as expenses,
        {{ group_amount('OtherIncome', absent=zero_in('profit_and_loss')) }} as other_income,
        {{ group_amount('OtherExpenses', absent=zero_in('profit_and_loss')) }} as other_expenses,
        {{ group_amount('GrossProfit', absent='null') }} as reported_gross_profit,
        {{ group_amount('NetIncome', absent='null') }} as reported_net_income,
        coalesce(bool_or(group_lines.line_group = 'NetIncome'), false) as has_net_income
    from reports
    inner join group_lines using (org_id, report, record_id)
    where reports.report = 'profit_and_loss'
    group by 1, 2, 3

),

balance_sheet as (

    select
        reports.org_id,
        reports.basis,
        reports.period_start,
        {{ group_amount('TotalAssets', absent=zero_in('balance_sheet')) }} as total_assets,
        {{ group_amount('Liabilities', absent=zero_in('balance_sheet')) }} as total_liabilities,
        {{ group_amount('Equity', absent=zero_in('balance_sheet')) }} as total_equity,
        {{ group_amount('BankAccounts', absent=zero_in('balance_sheet')) }} as cash_balance,
        {{ group_amount('AR', absent=zero_in('balance_sheet')) }} as accounts_receivable,
        {{ group_amount('AP', absent=zero_in('balance_sheet')) }} as accounts_payable
    from reports
    inner join group_lines using (org_id, report, record_id)
    where reports.report = 'balance_sheet'
    group by 1, 2, 3

),

cash_flow as (

    select
        reports.org_id,
        reports.period_start,
        case
            -- Where no lines stand below the section, what stands elsewhere; its summary only where it is all there is.
            when
                bool_or(group_lines.line_group = 'OperatingActivities' and group_lines.has_children) is not true
                and bool_or(group_lines.line_group in ('NetIncome', 'OperatingAdjustments'))
                then
                    {{ group_amount('NetIncome', absent=zero_in('cash_flow')) }}
                    + {{ group_amount('OperatingAdjustments', absent=zero_in('cash_flow')) }}
            else {{ group_amount('OperatingActivities', absent=zero_in('cash_flow')) }}
        end as operating_cash_flow,
        {{ group_amount('InvestingActivities', absent=zero_in('cash_flow')) }} as investing_cash_flow,
        {{ group_amount(['FinancingActivities', 'FinancingActivites'], absent=zero_in('cash_flow')) }}
            as financing_cash_flow,
        {{ group_amount('CashIncrease', absent='null') }} as cash_increase
    from reports
    inner join group_lines using (org_id, report, record_id)
    where reports.report = 'cash_flow'
    group by 1, 2

),

statements as (

    select
        org_id,
        basis,
        period_start,
        profit_and_loss.org_id is not null as has_profit_and_loss,
        balance_sheet.org_id is not null as has_balance_sheet,
        profit_and_loss.income,
        profit_and_loss.cost_of_goods_sold,
        profit_and_loss.expenses,
        profit_and_loss.other_income,
        profit_and_loss.other_expenses,
        profit_and_loss.reported_gross_profit,
        case
            when profit_and_loss.has_net_income then profit_and_loss.reported_net_income
            else
                profit_and_loss.income + profit_and_loss.other_income - profit_and_loss.cost_of_goods_sold
                - profit_and_loss.expenses - profit_and_loss.other_expenses
        end as net_income,
        balance_sheet.total_assets,
        balance_sheet.total_liabilities,
        balance_sheet.total_equity,
        balance_sheet.cash_balance,
        balance_sheet.accounts_receivable,
        balance_sheet.accounts_payable
    from profit_and_loss
    full join balance_sheet using (org_id, basis, period_start)

)

select
    org_id,
    coalesce(statements.basis, 'none') as basis,
    period_start,
    coalesce(statements.has_profit_and_loss, false) as has_profit_and_loss,
    coalesce(statements.has_balance_sheet, false) as has_balance_sheet,
    cash_flow.org_id is not null as has_cash_flow,
    statements.income,
    statements.cost_of_goods_sold,
    statements.expenses,
    statements.other_income,
    statements.other_expenses,
    statements.reported_gross_profit,
    statements.net_income,
    statements.total_assets,
    statements.total_liabilities,
    statements.total_equity,
    statements.cash_balance,
    statements.accounts_receivable,
    statements.accounts_payable,
    cash_flow.operating_cash_flow,
    cash_flow.investing_cash_flow,
    cash_flow.financing_cash_flow,
    cash_flow.cash_increase
from statements
full join cash_flow using (org_id, period_start)
