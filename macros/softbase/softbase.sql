{% macro softbase_key(expression) -%}
    nullif(upper(btrim({{ expression }})), '')
{%- endmacro %}


{% macro softbase_read(subject, reads='int_softbase__reads') -%}
    {#- Not a ref(): an upsert_scope is settled while dbt parses. The view is built before every mart that reads it. -#}
    org_id in (
        select reads.org_id from intermediate.{{ reads }} as reads where reads.subject = '{{ subject }}'
    )
{%- endmacro %}


{% macro softbase_date(instant) -%}
    case when {{ instant }} >= '{{ var("softbase_first_date") }}' then {{ instant }}::date end
{%- endmacro %}
