{% macro fiscal_year_start(day, start_month) -%}
    {{ return(adapter.dispatch('fiscal_year_start', 'aiop')(day, start_month)) }}
{%- endmacro %}

{% macro postgres__fiscal_year_start(day, start_month) -%}
    make_date(
        (extract(year from {{ day }}) - case when extract(month from {{ day }}) < {{ start_month }} then 1 else 0 end)::int,
        {{ start_month }},
        1
    )
{%- endmacro %}


{% macro ledger_month_start(year, month, start_month) -%}
    {{ return(adapter.dispatch('ledger_month_start', 'aiop')(year, month, start_month)) }}
{%- endmacro %}

{% macro postgres__ledger_month_start(year, month, start_month) -%}
    {#- A fiscal year is named after the year it ends in. -#}
    (
        make_date({{ year }} - case when {{ start_month }} > 1 then 1 else 0 end, {{ start_month }}, 1)
        + make_interval(months => {{ month }} - 1)
    )::date
{%- endmacro %}


{% macro account_side(kind) -%}
    case
        when {{ kind }} in (
            'cash', 'receivable', 'inventory', 'other_current_asset', 'fixed_asset', 'accumulated_depreciation'
        ) then 'assets'
        when {{ kind }} in ('payable', 'other_current_liability', 'debt', 'equity') then 'credits'
        when {{ kind }} in ('revenue', 'cost', 'expense') then 'income'
    end
{%- endmacro %}


{% macro kind_balance(kind) -%}
    (
        case
            when coalesce(bool_and(balance is not null) filter (where kind = '{{ kind }}'), true)
                then coalesce(sum(balance) filter (where kind = '{{ kind }}'), 0)
        end
    )
{%- endmacro %}
