{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if config.get('incremental_strategy') != 'upsert' -%}
        {{ dbt.postgres__create_table_as(temporary, relation, sql) }}
    {%- else -%}
        {%- do upsert_assert_config() -%}
        {%- do upsert_assert_contract(sql) -%}
        {%- if temporary -%}
            -- Before the result is computed: a build that waits here for another one then sees what that one read.
            lock table {{ this }} in share row exclusive mode;
            {{ upsert_result(relation, sql) }}
        {%- else -%}
            {{ upsert_first_build(relation, sql) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro upsert_first_build(relation, sql) -%}
    {%- if relation.identifier != this.identifier -%}
        {%- do exceptions.raise_compiler_error(
            'upsert: ' ~ this ~ ' is not a table. The strategy never swaps a relation that others read; drop it first:'
            ~ ' drop view ' ~ this ~ ';'
        ) -%}
    {%- endif -%}
    {%- set result = make_temp_relation(relation) -%}
    -- Two first builds at once: the second waits here and finds the table made.
    lock table ops.build_models in share update exclusive mode;
    create table if not exists {{ relation }} {{ get_table_columns_and_constraints() }};
    lock table {{ relation }} in share row exclusive mode;
    {{ upsert_result(result, sql) }}
    {{ upsert_merge(relation, result) }}
{%- endmacro %}


{% macro upsert_result(relation, sql) -%}
    {#- Stored types, so that what only rounding would change is not a change; defaults to be compared with stored ones. -#}
    {%- set columns = {} -%}
    {%- for name, column in upsert_columns().items() -%}
        {%- set constraints = column.constraints | selectattr('type', 'in', ['not_null', 'custom']) | list -%}
        {%- do columns.update({name: {
            'name': name, 'data_type': column.data_type, 'quote': column.quote, 'constraints': constraints
        }}) -%}
    {%- endfor -%}
    create temporary table {{ relation }} (
        {{ adapter.render_raw_columns_constraints(raw_columns=columns) | join(',\n        ') }}
    ) on commit drop;
    -- Assigned, not cast: a text too long for its column is an error here, where a cast would cut it off.
    insert into {{ relation }} ({{ get_quoted_csv(columns) }})
    select {{ get_quoted_csv(columns) }}
    from (
        {{ sql }}
    ) as model_result;
{%- endmacro %}
