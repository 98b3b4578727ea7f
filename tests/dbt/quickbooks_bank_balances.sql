{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_financial_metrics') }}
-- Bank accounts' current balances add up to the newest balance sheet's, where both were read on one day of its month.
-- A warning: entries dated ahead stand in the one and not in the other.
with

read_at as (

    select
        org_id,
        max(last_success_at) filter (where stream = 'account') as accounts_at,
        max(last_success_at) filter (where stream = 'balance_sheet') as balance_sheet_at
    from {{ source('ops', 'watermarks') }}
    where source = 'quickbooks'
    group by 1

),

balances as (

    select
        org_id,
        min(currency_code) as currency_code,
        sum(current_balance) as account_balance
    from {{ ref('stg_quickbooks__account') }}
    where account_type = 'Bank' and not is_deleted
    group by 1
    -- Balances in several currencies have no sum.
    having count(distinct currency_code) <= 1 and count(*) = count(current_balance)

),

newest as (

    select distinct on (org_id)
        org_id,
        period_start,
        cash_balance
    from {{ ref('mart_financial_metrics') }}
    where cash_balance is not null
    order by org_id asc, period_start desc

)

select
    organizations.slug as organization,
    newest.period_start as month,
    newest.cash_balance,
    balances.account_balance
from newest
inner join balances using (org_id)
inner join read_at using (org_id)
inner join {{ ref('organizations') }} as organizations on newest.org_id = organizations.id
where
    -- A balance sheet is in the currency of the books, whatever that of an account is.
    coalesce(balances.currency_code, organizations.currency) = organizations.currency
    and newest.cash_balance <> balances.account_balance
    and read_at.accounts_at - read_at.balance_sheet_at between interval '-1 day' and interval '1 day'
    and date_trunc('month', read_at.balance_sheet_at at time zone organizations.timezone) = newest.period_start
