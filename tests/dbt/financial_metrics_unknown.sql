{{ config(severity='warn') }}
-- Metrics that are NULL although their report landed: unreadable, of a report without any known group, too large for
-- their type, or a ratio over zero.
select
    organizations.slug as organization,
    mart.period_start as month,
    metric.name as metric,
    metric.reason
from {{ ref('mart_financial_metrics') }} as mart
inner join {{ ref('organizations') }} as organizations on mart.org_id = organizations.id
inner join {{ ref('int_quickbooks__reporting_basis') }} as organization_basis on mart.org_id = organization_basis.org_id
inner join {{ ref('int_quickbooks__monthly_financials') }} as monthly
    on
        mart.org_id = monthly.org_id
        and mart.period_start = monthly.period_start
        and organization_basis.basis = monthly.basis
cross join (values ('unreadable, of a report without known groups, or too large')) as unknown (reason)
cross join
    lateral (
        values
        ('total_revenue', mart.total_revenue is null and monthly.has_profit_and_loss, unknown.reason),
        ('total_expenses', mart.total_expenses is null and monthly.has_profit_and_loss, unknown.reason),
        ('net_income', mart.net_income is null and monthly.has_profit_and_loss, unknown.reason),
        ('gross_profit', mart.gross_profit is null and monthly.has_profit_and_loss, unknown.reason),
        (
            'gross_margin_pct', mart.gross_margin_pct is null and monthly.income <> 0 and mart.gross_profit is not null,
            'does not fit numeric(5,2)'
        ),
        -- Nothing earned and nothing spent is no ratio, and nothing to report.
        ('gross_margin_pct', monthly.income = 0 and mart.gross_profit <> 0, 'there is no income to divide by'),
        ('total_assets', mart.total_assets is null and monthly.has_balance_sheet, unknown.reason),
        ('total_liabilities', mart.total_liabilities is null and monthly.has_balance_sheet, unknown.reason),
        ('total_equity', mart.total_equity is null and monthly.has_balance_sheet, unknown.reason),
        ('cash_balance', mart.cash_balance is null and monthly.has_balance_sheet, unknown.reason),
        (
            'accounts_receivable',
            mart.accounts_receivable is null and monthly.has_balance_sheet,
            unknown.reason
        ),
        ('accounts_payable', mart.accounts_payable is null and monthly.has_balance_sheet, unknown.reason),
        ('operating_cash_flow', mart.operating_cash_flow is null and monthly.has_cash_flow, unknown.reason)
    ) as metric (name, applies, reason)
where metric.applies
