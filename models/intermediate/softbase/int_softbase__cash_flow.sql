-- One row per organization and month of the ledger: the indirect method, unrounded, as docs/decisions/025 works it out.
with

months as (

    select
        org_id,
        month_start,
        -- Debits are positive; what is owed, owned by shareholders and earned is turned round.
        sum(balance) filter (where kind = 'cash') as cash,
        {%- for kind in ['receivable', 'inventory', 'other_current_asset', 'fixed_asset', 'accumulated_depreciation'] %}
        {{ kind_balance(kind) }} as {{ kind }},
        {%- endfor %}
        {%- for kind in ['payable', 'other_current_liability', 'debt', 'equity'] %}
        -{{ kind_balance(kind) }} as {{ kind }},
        {%- endfor %}
        case
            when coalesce(bool_and(movement is not null) filter (where {{ account_side('kind') }} = 'income'), true)
                then -coalesce(sum(movement) filter (where {{ account_side('kind') }} = 'income'), 0)
        end as net_income,
        case
            when coalesce(bool_and(balance is not null) filter (where {{ account_side('kind') }} = 'income'), true)
                then -coalesce(sum(balance) filter (where {{ account_side('kind') }} = 'income'), 0)
        end as net_income_ytd,
        -- 0 where the books add up.
        case when count(*) = count(balance) then sum(balance) end as imbalance,
        not coalesce(bool_or(is_used) filter (where kind = 'unknown'), false) as is_complete
    from {{ ref('int_softbase__ledger_balances') }}
    group by org_id, month_start

),

with_previous as (

    select
        months.*,
        previous.org_id is not null as has_previous,
        months.cash - previous.cash as cash_change,
        {%- for kind in [
            'receivable', 'inventory', 'other_current_asset', 'fixed_asset', 'accumulated_depreciation',
            'payable', 'other_current_liability', 'debt', 'equity'
        ] %}
        months.{{ kind }} - previous.{{ kind }} as {{ kind }}_change,
        {%- endfor %}
        -- What left the income statement without being a movement of the month: a year's result, closed into equity.
        previous.net_income_ytd - (months.net_income_ytd - months.net_income) as closed_income,
        months.net_income_ytd = months.net_income as is_begun_anew,
        previous.imbalance as previous_imbalance
    from months
    left join months as previous
        on
            months.org_id = previous.org_id
            and months.month_start = previous.month_start + interval '1 month'

),

-- The result of a year that has ended and is not closed yet: it left the income statement, and is nowhere else.
years as (

    select
        *,
        case
            when is_begun_anew and imbalance - previous_imbalance = closed_income then closed_income
            else 0
        end as left_open,
        count(*) filter (where imbalance = 0) over (partition by org_id order by month_start) as balanced_months
    from with_previous

),

outstanding as (

    select
        *,
        sum(left_open) over (partition by org_id, balanced_months order by month_start) as open_income
    from years

),

-- Closing it later is no more of a flow. A ledger may begin in between; anything else that does not add up stays so.
closings as (

    select
        *,
        case
            when imbalance <> 0 then 0
            when previous_imbalance = lag(open_income) over by_month then previous_imbalance
            when lag(balanced_months) over by_month = 0 and previous_imbalance = equity_change then previous_imbalance
            else 0
        end as closed_later
    from outstanding
    window by_month as (partition by org_id order by month_start)

),

flows as (

    select
        *,
        -accumulated_depreciation_change as depreciation,
        -other_current_asset_change + other_current_liability_change as other_working_capital,
        -fixed_asset_change as fixed_assets,
        equity_change - (closed_income - left_open) - closed_later as equity_flow
    from closings

)

select
    org_id,
    month_start,
    has_previous,
    is_complete,
    cash as cash_balance,
    cash_change,
    net_income,
    depreciation,
    receivable_change,
    inventory_change,
    payable_change,
    other_working_capital,
    fixed_assets,
    debt_change as debt,
    equity_flow as equity,
    closed_income,
    net_income + depreciation - receivable_change - inventory_change + payable_change + other_working_capital
        as operating_cash_flow,
    fixed_assets as investing_cash_flow,
    debt_change + equity_flow as financing_cash_flow
from flows
