{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {#- Only comments that differ: each one written takes a lock and a catalog row. -#}
    {%- set wanted = {} -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do wanted.update({'': model.description}) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() -%}
        {%- for name, column in model.columns.items() if column.description -%}
            {%- do wanted.update({name: column.description}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if wanted -%}
        {%- set stored = {} -%}
        {%- for row in run_query(described_columns(relation)) -%}
            {%- do stored.update({row.name: row.comment}) -%}
        {%- endfor -%}
        {%- set statements = [] -%}
        {%- for name, comment in wanted.items() if name in stored and stored[name] != comment -%}
            {%- if name -%}
                {%- do statements.append(
                    'comment on column ' ~ relation ~ '.' ~ adapter.quote(name) ~ ' is ' ~ postgres_escape_comment(comment)
                ) -%}
            {%- else -%}
                {%- do statements.append(
                    'comment on ' ~ relation.type ~ ' ' ~ relation ~ ' is ' ~ postgres_escape_comment(comment)
                ) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if statements -%}
            {%- do run_query(statements | join(';\n')) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro described_columns(relation) -%}
    select '' as name, coalesce(obj_description('{{ relation }}'::regclass, 'pg_class'), '') as comment
    union all
    select attname::text, coalesce(col_description(attrelid, attnum), '')
    from pg_attribute
    where attrelid = '{{ relation }}'::regclass and attnum > 0 and not attisdropped
{%- endmacro %}
