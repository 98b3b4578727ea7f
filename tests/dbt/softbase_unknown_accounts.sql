{{ config(severity='warn') }}
-- depends_on: {{ ref('mart_cash_flow') }}
-- Ledger accounts with an amount of which neither the chart nor their number says what they are: flows of these months
-- are NULL, until the chart flags them or seeds/reference/softbase_account_kinds.csv has them.
select
    organizations.slug as organization,
    ledger.account_no,
    accounts.description,
    count(*) as months,
    min(ledger.ledger_year * 100 + ledger.ledger_month) as first_ledger_month,
    max(ledger.ledger_year * 100 + ledger.ledger_month) as last_ledger_month
from {{ ref('int_softbase__ledger') }} as ledger
inner join {{ ref('int_softbase__accounts') }} as accounts using (org_id, account_no)
inner join {{ ref('organizations') }} as organizations on ledger.org_id = organizations.id
where
    accounts.kind is null
    and ledger.is_actual
    and not ledger.is_deleted
    and (ledger.ytd_amount = 0 and ledger.mtd_amount = 0) is not true
group by 1, 2, 3

union all

-- A row of no month: a thirteenth period, or an opening one.
select
    organizations.slug as organization,
    ledger.account_no,
    'balance of no month of a year' as description,
    count(*) as months,
    null as first_ledger_month,
    null as last_ledger_month
from {{ ref('int_softbase__ledger') }} as ledger
inner join {{ ref('organizations') }} as organizations on ledger.org_id = organizations.id
where
    ledger.is_actual
    and not ledger.is_deleted
    and (ledger.account_no is null or ledger.ledger_year is null or ledger.ledger_month is null)
    and (ledger.ytd_amount = 0 and ledger.mtd_amount = 0) is not true
group by 1, 2
