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
        previous.net_income_ytd - (months.net_income_ytd - months.net_income) as closed_income
    from months
    left join months as previous
        on
            months.org_id = previous.org_id
            and months.month_start = previous.month_start + interval '1 month'

),

flows as (

    select
        *,
        -accumulated_depreciation_change as depreciation,
        -other_current_asset_change + other_current_liability_change as other_working_capital,
        -fixed_asset_change as fixed_assets,
        equity_change - closed_income as equity_flow
    from with_previous

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
