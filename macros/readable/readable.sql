{#-
    Casts that never fail: NULL for what can't be read. Written out for Postgres, which has no safe cast before version
    16; every branch of a CASE is guarded by the one before it, because AND promises no order.
-#}

{% macro readable_date(text) -%}
    {{ return(adapter.dispatch('readable_date', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_date(text) -%}
    case
        when {{ text }} ~ '^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' then case
            when right({{ text }}, 2)::int <= extract(
                day from make_date(left({{ text }}, 4)::int, substr({{ text }}, 6, 2)::int, 1) + interval '1 month - 1 day'
            ) then ({{ text }})::date
        end
    end
{%- endmacro %}


{% macro readable_timestamp(text) -%}
    {{ return(adapter.dispatch('readable_timestamp', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_timestamp(text) -%}
    case
        when {{ text }} ~ '^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-](0\d|1[0-5]):?[0-5]\d)$' then case
            when {{ readable_date('left(' ~ text ~ ', 10)') }} is not null then ({{ text }})::timestamptz
        end
    end
{%- endmacro %}


{% macro readable_instant(text) -%}
    {{ return(adapter.dispatch('readable_instant', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_instant(text) -%}
    coalesce(({{ readable_timestamp(text) }})::text, ({{ readable_local_date(text) }})::text)
{%- endmacro %}


{% macro readable_number(text) -%}
    {{ return(adapter.dispatch('readable_number', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_number(text) -%}
    {#- Some sources write binary fractions out in full, with 50 decimals and more. Counted in the pattern, they would cost
        Postgres several times as long. #}
    case
        when length({{ text }}) <= 300 and {{ text }} ~ '^-?\d{1,30}(\.\d+)?([eE][+-]?\d{1,2})?$' then ({{ text }})::numeric
    end
{%- endmacro %}


{% macro trimmed(text) -%}
    {{ return(adapter.dispatch('trimmed', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__trimmed(text) -%}
    {#- btrim() alone takes blanks off; what is pasted into a database ends in tabs, line breaks and no-break spaces, too. -#}
    nullif(btrim({{ text }}, e' \t\n\x0b\f\r\u00a0'), '')
{%- endmacro %}


{% macro readable_boolean(text) -%}
    {{ return(adapter.dispatch('readable_boolean', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_boolean(text) -%}
    case {{ text }} when 'true' then true when 'false' then false end
{%- endmacro %}


{% macro readable_local_timestamp(text) -%}
    {{ return(adapter.dispatch('readable_local_timestamp', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_local_timestamp(text) -%}
    {#- Cut off, not rounded: the last tenth of a microsecond of a day is still that day. #}
    case
        when {{ text }} ~ '^\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?)?$' then case
            when {{ readable_date('left(' ~ text ~ ', 10)') }} is not null then left({{ text }}, 26)::timestamp
        end
    end
{%- endmacro %}


{% macro readable_flag(text) -%}
    {{ return(adapter.dispatch('readable_flag', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_flag(text) -%}
    case {{ text }} when 'true' then true when '1' then true when '-1' then true when 'false' then false when '0' then false end
{%- endmacro %}


{% macro readable_amount(text) -%}
    {{ return(adapter.dispatch('readable_amount', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_amount(text) -%}
    case
        when {{ text }} = '' then 0
        when {{ text }} ~ '^-?(\d{1,30}|\d{1,3}(,\d{3}){1,9})(\.\d{1,30})?$' or {{ text }} ~ '^-?\.\d{1,30}$'
            then replace({{ text }}, ',', '')::numeric
        when {{ text }} ~ '^\((\d{1,30}|\d{1,3}(,\d{3}){1,9})(\.\d{1,30})?\)$'
            then -translate({{ text }}, '(),', '')::numeric
    end
{%- endmacro %}


{% macro unreadable_fields(fields) -%}
    {{ return(adapter.dispatch('unreadable_fields', 'aiop')(fields)) }}
{%- endmacro %}

{% macro postgres__unreadable_fields(fields) -%}
    {%- set readers = {
        'date': readable_date, 'timestamp': readable_timestamp, 'number': readable_number, 'boolean': readable_boolean,
        'local_date': readable_local_date, 'local_timestamp': readable_local_timestamp, 'instant': readable_instant,
        'flag': readable_flag
    } -%}
    nullif(concat_ws(', ',
        {%- for path, kind in fields.items() %}
        {%- set name, _, below = path.partition('.') %}
        {%- set text = 'field."' ~ name ~ '"' %}
        {%- set text = json_text(text, below) if below else text %}
        case when {{ text }} <> '' and {{ readers[kind](text) }} is null then '{{ path }}' end
        {{- ',' if not loop.last }}
        {%- endfor %}
    ), '')
{%- endmacro %}


{% macro fitting_numeric(expression, precision, scale) -%}
    {{ return(adapter.dispatch('fitting_numeric', 'aiop')(expression, precision, scale)) }}
{%- endmacro %}

{% macro postgres__fitting_numeric(expression, precision, scale) -%}
    case
        when abs(round({{ expression }}, {{ scale }})) < 1e{{ precision - scale }}
            then round({{ expression }}, {{ scale }})::numeric({{ precision }}, {{ scale }})
    end
{%- endmacro %}
