{% macro analyze_new() -%}
    {{ return(adapter.dispatch('analyze_new', 'aiop')()) }}
{%- endmacro %}

{% macro postgres__analyze_new() -%}
    {#- The server does so by itself, but a minute later: what reads the table in the same build is planned by then. -#}
    {%- if execute and config.get('materialized') in ('incremental', 'table') -%}
        {%- set known = run_query("select reltuples >= 0 from pg_class where oid = '" ~ this ~ "'::regclass") -%}
        {%- if not known[0][0] -%}
            analyze {{ this }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
