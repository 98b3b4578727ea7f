{{ config(materialized='published_view', unique_key=['org_id', 'calendar_date']) }}
-- One row per organization and day. A view: stored, ten thousand organizations would repeat the same few days.
-- What a query filters by is whole numbers of the stored day's; dates are computed only where they are asked for.
with

days as (

    select
        organizations.id as org_id,
        organizations.fiscal_year_start_month,
        -- 1 in the month that the fiscal year starts in.
        (calendar.month - organizations.fiscal_year_start_month + 12) % 12 + 1 as fiscal_month,
        calendar.*
    from {{ ref('organizations') }} as organizations
    cross join {{ ref('calendar') }} as calendar

),

fiscal as (

    select
        *,
        -- As accountants do: the calendar year it ends in. One that starts in January is the calendar year.
        year + (fiscal_year_start_month > 1 and month >= fiscal_year_start_month)::int as fiscal_year,
        (fiscal_month - 1) / 3 + 1 as fiscal_quarter,
        (month_start_date - (fiscal_month - 1) * interval '1 month')::date as fiscal_year_start_date,
        (month_start_date - (fiscal_month - 1) % 3 * interval '1 month')::date as fiscal_quarter_start_date
    from days

),

periods as (

    select
        *,
        (fiscal_year_start_date + interval '1 year - 1 day')::date as fiscal_year_end_date,
        (fiscal_quarter_start_date + interval '3 months - 1 day')::date as fiscal_quarter_end_date
    from fiscal

)

select
    org_id,
    calendar_date,
    fiscal_year_start_month,
    fiscal_year,
    fiscal_quarter,
    fiscal_month,
    'FY' || fiscal_year || '-Q' || fiscal_quarter as fiscal_quarter_name,
    'FY' || fiscal_year || '-P' || lpad(fiscal_month::text, 2, '0') as fiscal_period,
    calendar_date - fiscal_year_start_date + 1 as day_of_fiscal_year,
    fiscal_quarter_start_date,
    fiscal_quarter_end_date,
    fiscal_year_start_date,
    fiscal_year_end_date,
    calendar_date = fiscal_quarter_start_date as is_fiscal_quarter_start,
    calendar_date = fiscal_quarter_end_date as is_fiscal_quarter_end,
    calendar_date = fiscal_year_start_date as is_fiscal_year_start,
    calendar_date = fiscal_year_end_date as is_fiscal_year_end,
    year,
    quarter,
    month,
    day_of_month,
    day_of_year,
    day_of_week,
    month_name,
    day_name,
    year_month,
    is_weekend,
    iso_year,
    iso_week,
    iso_day_of_week,
    iso_week_start_date,
    iso_week_end_date,
    month_start_date,
    month_end_date,
    quarter_start_date,
    quarter_end_date,
    year_start_date,
    year_end_date,
    is_month_start,
    is_month_end,
    is_quarter_start,
    is_quarter_end,
    is_year_start,
    is_year_end
from periods
