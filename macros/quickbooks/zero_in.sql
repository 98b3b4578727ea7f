{% macro zero_in(report) -%}
    {%- set groups = {
        'profit_and_loss': [
            'Income', 'COGS', 'GrossProfit', 'Expenses', 'NetOperatingIncome', 'OtherIncome', 'OtherExpenses', 'NetOtherIncome',
            'NetIncome',
        ],
        'balance_sheet': [
            'TotalAssets', 'CurrentAssets', 'BankAccounts', 'AR', 'OtherCurrentAssets', 'FixedAssets', 'OtherAssets',
            'TotalLiabilitiesAndEquity', 'Liabilities', 'CurrentLiabilities', 'AP', 'CreditCards', 'OtherCurrentLiabilities',
            'LongTermLiabilities', 'Equity',
        ],
        'cash_flow': [
            'OperatingActivities', 'NetIncome', 'OperatingAdjustments', 'InvestingActivities', 'FinancingActivities',
            'FinancingActivites', 'CashIncrease', 'BeginningCash', 'EndingCash',
        ],
    }[report] -%}
    case
        when
            not coalesce(bool_or(group_lines.line_path = '' and group_lines.has_children), false)
            or bool_or(reports.has_no_data)
            or bool_or(group_lines.line_group in ('{{ groups | join("', '") }}'))
            then 0
    end
{%- endmacro %}
