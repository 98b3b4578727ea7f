{#- What a model's contract says to the upsert strategy. -#}

{% macro upsert_generated(column) -%}
    {{ return(column.config.get('meta', {}).get('generated')) }}
{%- endmacro %}


{% macro upsert_columns() -%}
    {%- set given = {} -%}
    {%- for name, column in model.columns.items() if not upsert_generated(column) -%}
        {%- do given.update({name: column}) -%}
    {%- endfor -%}
    {{ return(given) }}
{%- endmacro %}


{% macro upsert_stamps(kinds) -%}
    {#- {column: expression} of the timestamps that upsert sets itself, in UTC where the type has no time zone. -#}
    {%- set stamps = {} -%}
    {%- for name, column in model.columns.items() if upsert_generated(column) in kinds -%}
        {%- set zoned = column.data_type | lower in ('timestamptz', 'timestamp with time zone') -%}
        {%- do stamps.update({name: 'now()' if zoned else "now() at time zone 'utc'"}) -%}
    {%- endfor -%}
    {{ return(stamps) }}
{%- endmacro %}


{% macro upsert_key() -%}
    {%- set key = config.get('unique_key') -%}
    {{ return([key] if key is string else key | list) }}
{%- endmacro %}


{% macro upsert_scope(result) -%}
    {%- set scope = config.get('upsert_scope') -%}
    {%- set key = upsert_key() | join(', ') -%}
    {#- Nothing but what the result itself speaks of: no stored row can lack its result row. -#}
    {%- set written = '(' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ result ~ ')' -%}
    {{ return({'all': 'true', 'written': written}.get(scope, scope)) }}
{%- endmacro %}


{% macro upsert_assert_config() -%}
    {%- set problems = [] -%}
    {%- if not config.get('contract').enforced -%}
        {%- do problems.append('needs an enforced contract: it says which columns and types the table has') -%}
    {%- endif -%}
    {%- if not config.get('unique_key') -%}
        {%- do problems.append('needs a unique_key: it says which stored row a result row is') -%}
    {%- else -%}
        {%- for name in upsert_key() -%}
            {%- set types = model.columns.get(name, {}).get('constraints', []) | map(attribute='type') | list -%}
            {%- if 'not_null' not in types and 'primary_key' not in types -%}
                {%- do problems.append('needs a not_null constraint on ' ~ name ~ ', which is part of its unique_key') -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if not config.get('upsert_scope') -%}
        {%- do problems.append(
            "needs an upsert_scope: 'all', 'written' (nothing is deleted), or the condition on stored rows that may be deleted"
            ~ ' when the result lacks them'
        ) -%}
    {%- endif -%}
    {%- if problems -%}
        {%- do exceptions.raise_compiler_error('upsert: ' ~ this ~ ' ' ~ problems | join('; ')) -%}
    {%- endif -%}
{%- endmacro %}


{% macro upsert_assert_contract(sql) -%}
    {#- dbt's own assertion would demand the generated columns of the select too. -#}
    {%- set wanted = format_columns(get_column_schema_from_query(get_empty_schema_sql(upsert_columns()))) -%}
    {%- set given = format_columns(get_column_schema_from_query(sql, config.get('sql_header'))) -%}
    {%- if wanted | map(attribute='formatted') | sort != given | map(attribute='formatted') | sort -%}
        {%- do exceptions.raise_contract_error(wanted, given) -%}
    {%- endif -%}
{%- endmacro %}
