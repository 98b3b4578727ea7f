{% macro readable_local_date(text) -%}
    {{ return(adapter.dispatch('readable_local_date', 'aiop')(text)) }}
{%- endmacro %}

{% macro postgres__readable_local_date(text) -%}
    case
        when {{ text }} ~ '^\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?)?$'
            then {{ readable_date('left(' ~ text ~ ', 10)') }}
    end
{%- endmacro %}
