{% macro publishable(source, column='org_id') -%}
    {#-
        Not a source(): an upsert_scope is settled while dbt parses, when source() doesn't know relations yet.
        Qualified: an unqualified org_id inside would be the table's own.
    -#}
    {{ column }} not in (
        select held.org_id from ops.held_back as held where held.source = '{{ source }}' and held.released_at is null
    )
{%- endmacro %}
