{#- JSON as landed: of any shape, whatever the source's documentation says. None of these fails on it. -#}

{% macro json_fields(document, fields, name='field') -%}
    {{ return(adapter.dispatch('json_fields', 'aiop')(document, fields, name)) }}
{%- endmacro %}

{% macro postgres__json_fields(document, fields, name='field') -%}
    {#- One pass over the document: asking for field after field would decompress a large one each time. -#}
    lateral jsonb_to_record(case jsonb_typeof({{ document }}) when 'object' then {{ document }} else '{}' end) as {{ name }} (
        {%- for field_name, type in fields.items() %}
        "{{ field_name }}" {{ type }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{% macro json_text(document, path) -%}
    {{ return(adapter.dispatch('json_text', 'aiop')(document, path)) }}
{%- endmacro %}

{% macro postgres__json_text(document, path) -%}
    {%- set keys = path.split('.') -%}
    {%- if keys | length == 1 -%}
        {{ document }} ->> '{{ path }}'
    {%- else -%}
        {{ document }} #>> '{{ '{' ~ keys | join(',') ~ '}' }}'
    {%- endif -%}
{%- endmacro %}


{% macro json_array(document, path) -%}
    {{ return(adapter.dispatch('json_array', 'aiop')(document, path)) }}
{%- endmacro %}

{% macro postgres__json_array(document, path) -%}
    {%- set value = document ~ " #> '{" ~ path.split('.') | join(',') ~ "}'" -%}
    case jsonb_typeof({{ value }}) when 'array' then {{ value }} else '[]' end
{%- endmacro %}
