{{ config(unique_key='calendar_date', upsert_scope='all', open_to_all=true) }}
-- One row per day of a range (vars calendar_start and calendar_end). No column changes as time passes.
with

days as (

    select date '{{ var("calendar_start") }}' + offset_days as calendar_date
    from generate_series(0, date '{{ var("calendar_end") }}' - date '{{ var("calendar_start") }}') as offset_days

),

parts as (

    select
        calendar_date,
        extract(year from calendar_date)::int as year,
        extract(month from calendar_date)::int as month,
        extract(isodow from calendar_date)::int as iso_day_of_week,
        date_trunc('month', calendar_date::timestamp)::date as month_start_date,
        date_trunc('quarter', calendar_date::timestamp)::date as quarter_start_date
    from days

),

periods as (

    select
        *,
        (month_start_date + interval '1 month - 1 day')::date as month_end_date,
        (quarter_start_date + interval '3 months - 1 day')::date as quarter_end_date,
        make_date(year, 1, 1) as year_start_date,
        make_date(year, 12, 31) as year_end_date
    from parts

)

select
    calendar_date,
    year,
    (month - 1) / 3 + 1 as quarter,
    month,
    extract(day from calendar_date)::int as day_of_month,
    calendar_date - year_start_date + 1 as day_of_year,
    iso_day_of_week % 7 as day_of_week,
    to_char(calendar_date, 'FMMonth') as month_name,
    to_char(calendar_date, 'FMDay') as day_name,
    to_char(calendar_date, 'YYYY-MM') as year_month,
    iso_day_of_week >= 6 as is_weekend,
    extract(isoyear from calendar_date)::int as iso_year,
    extract(week from calendar_date)::int as iso_week,
    iso_day_of_week,
    calendar_date - iso_day_of_week + 1 as iso_week_start_date,
    calendar_date - iso_day_of_week + 7 as iso_week_end_date,
    month_start_date,
    month_end_date,
    quarter_start_date,
    quarter_end_date,
    year_start_date,
    year_end_date,
    calendar_date = month_start_date as is_month_start,
    calendar_date = month_end_date as is_month_end,
    calendar_date = quarter_start_date as is_quarter_start,
    calendar_date = quarter_end_date as is_quarter_end,
    calendar_date = year_start_date as is_year_start,
    calendar_date = year_end_date as is_year_end
from periods
