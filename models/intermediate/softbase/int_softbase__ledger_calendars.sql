-- One row per organization: whether Year and Month of its ledger are the calendar's or the fiscal year's.
with

settings as (

    select
        organizations.id as org_id,
        organizations.fiscal_year_start_month as start_month,
        lower(coalesce(connections.settings ->> 'gl_calendar', '{{ var("softbase_gl_calendar") }}')) as gl_calendar
    from {{ source('ops', 'organizations') }} as organizations
    left join {{ source('ops', 'connections') }} as connections
        on
            organizations.id = connections.org_id
            and connections.source = 'softbase'

),

-- Each balance speaks for one of the two, or for none: by the month of its last posting; in the income statement also
-- by whether the year's amount starts anew.
spoken as (

    select
        ledger.org_id,
        case
            when ledger.last_effective_date is null then null
            when
                date_trunc('month', ledger.last_effective_date)
                = {{ ledger_month_start('ledger.ledger_year', 'ledger.ledger_month', '1') }} then 'calendar'
            when
                date_trunc('month', ledger.last_effective_date)
                = {{ ledger_month_start('ledger.ledger_year', 'ledger.ledger_month', 'settings.start_month') }}
                then 'fiscal'
        end as by_posting,
        case
            when ledger.ytd_amount = 0 or {{ account_side('accounts.kind') }} <> 'income' then null
            when ledger.ledger_month = 1
                then case when ledger.ytd_amount = ledger.mtd_amount then 'fiscal' else 'calendar' end
            when ledger.ledger_month = settings.start_month
                then case when ledger.ytd_amount = ledger.mtd_amount then 'calendar' else 'fiscal' end
        end as by_restart
    from {{ ref('int_softbase__ledger') }} as ledger
    inner join settings using (org_id)
    left join {{ ref('int_softbase__accounts') }} as accounts using (org_id, account_no)
    where
        ledger.is_actual
        and not ledger.is_deleted
        and ledger.ledger_year is not null
        and ledger.ledger_month is not null
        and settings.gl_calendar not in ('calendar', 'fiscal')
        and settings.start_month <> 1

),

counted as (

    select
        org_id,
        count(*) filter (where by_posting = 'fiscal') + count(*) filter (where by_restart = 'fiscal') as fiscal,
        count(*) filter (where by_posting = 'calendar') + count(*) filter (where by_restart = 'calendar') as calendar
    from spoken
    group by org_id

)

select
    settings.org_id,
    settings.start_month,
    case
        when settings.gl_calendar in ('calendar', 'fiscal') then settings.gl_calendar
        when counted.fiscal > counted.calendar then 'fiscal'
        else 'calendar'
    end as gl_calendar
from settings
left join counted using (org_id)
