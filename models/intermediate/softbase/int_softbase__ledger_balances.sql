{{ config(materialized='table') }}
-- One row per organization, month of the ledger and kind of account, unknown where nothing says. Debits are positive.
with

reads as (

    select
        org_id,
        read_date
    from {{ ref('int_softbase__reads') }}
    where subject = 'ledger'

),

actual as (

    select
        ledger.org_id,
        ledger.account_no,
        {{ ledger_month_start(
            'ledger.ledger_year',
            'ledger.ledger_month',
            "case calendars.gl_calendar when 'fiscal' then calendars.start_month else 1 end"
        ) }} as month_start,
        calendars.start_month,
        ledger.ytd_amount,
        ledger.mtd_amount
    from {{ ref('int_softbase__ledger') }} as ledger
    inner join {{ ref('int_softbase__ledger_calendars') }} as calendars using (org_id)
    where
        ledger.is_actual
        and not ledger.is_deleted
        and ledger.account_no is not null
        and ledger.ledger_year is not null
        and ledger.ledger_month is not null

),

-- Nothing is said of months that have not begun.
known as (

    select actual.*
    from actual
    inner join reads on actual.org_id = reads.org_id and actual.month_start <= reads.read_date

),

-- What stood on an account before its first row is what that row says less its own movement.
accounts as (

    select distinct on (known.org_id, known.account_no)
        known.org_id,
        known.account_no,
        known.ytd_amount - known.mtd_amount as opening_balance,
        {{ fiscal_year_start('known.month_start', 'known.start_month') }} as first_fiscal_year,
        coalesce(kinds.kind, 'unknown') as kind
    from known
    left join {{ ref('int_softbase__accounts') }} as kinds using (org_id, account_no)
    order by known.org_id, known.account_no, known.month_start

),

months as (

    select distinct
        org_id,
        month_start,
        {{ fiscal_year_start('month_start', 'start_month') }} as fiscal_year_start
    from known

),

-- Some ledgers have no row for an account and month without movement.
filled as (

    select
        accounts.org_id,
        months.month_start,
        months.fiscal_year_start,
        accounts.account_no,
        accounts.kind,
        accounts.opening_balance,
        accounts.first_fiscal_year,
        known.account_no is not null as is_stated,
        known.ytd_amount,
        known.mtd_amount,
        count(known.account_no) over (
            partition by accounts.org_id, accounts.account_no order by months.month_start
        ) as statement_no
    from accounts
    inner join months using (org_id)
    left join known
        on
            accounts.org_id = known.org_id
            and accounts.account_no = known.account_no
            and months.month_start = known.month_start

),

balances as (

    select
        org_id,
        month_start,
        account_no,
        kind,
        case
            when is_stated then ytd_amount
            when statement_no = 0 and {{ account_side('kind') }} = 'income' and fiscal_year_start < first_fiscal_year
                then 0
            when statement_no = 0 then opening_balance
            -- Income and expenses start anew with the fiscal year; everything else is carried on.
            when {{ account_side('kind') }} = 'income'
                and first_value(fiscal_year_start) over statement <> fiscal_year_start
                then 0
            else first_value(ytd_amount) over statement
        end as balance,
        case when is_stated then mtd_amount else 0 end as movement
    from filled
    window statement as (partition by org_id, account_no, statement_no order by month_start)

)

select
    org_id,
    month_start,
    kind,
    case when count(*) = count(balance) then sum(balance) end as balance,
    case when count(*) = count(movement) then sum(movement) end as movement,
    -- Whether there is something on one of the accounts, or nobody can tell.
    coalesce(bool_or((balance = 0 and movement = 0) is not true), false) as is_used
from balances
group by org_id, month_start, kind
