{% macro postgres__process_schema_changes(on_schema_change, source_relation, target_relation) -%}
    {%- if config.get('incremental_strategy') != 'upsert' -%}
        {{ return(dbt.default__process_schema_changes(on_schema_change, source_relation, target_relation)) }}
    {%- endif -%}
    {%- set blocking = [] -%}
    {%- for change in run_query(upsert_schema_differences(source_relation, target_relation)) -%}
        {%- set name = adapter.quote(change.name) -%}
        {%- if change.kind == 'new' -%}
            {%- do upsert_add_column(target_relation, model.columns[change.name]) -%}
        {%- elif change.kind == 'removed' -%}
            {%- do blocking.append(
                'column ' ~ change.name ~ ' is stored but no longer in the contract; to give it and its values up:'
                ~ '\n    alter table ' ~ target_relation ~ ' drop column ' ~ name ~ ';'
            ) -%}
        {%- elif change.kind == 'type' -%}
            {%- do blocking.append(
                'column ' ~ change.name ~ ' is stored as ' ~ change.stored ~ ' but the contract says ' ~ change.wanted ~ '; to convert it in place:'
                ~ '\n    alter table ' ~ target_relation ~ ' alter column ' ~ name ~ ' type ' ~ change.wanted
                ~ ' using ' ~ name ~ '::' ~ change.wanted ~ ';'
            ) -%}
        {%- elif change.kind == 'default' -%}
            {%- do run_query(
                'alter table ' ~ target_relation ~ ' alter column ' ~ name
                ~ (' set default ' ~ change.wanted if change.wanted else ' drop default')
            ) -%}
        {%- elif change.kind == 'optional' -%}
            {%- do run_query('alter table ' ~ target_relation ~ ' alter column ' ~ name ~ ' drop not null') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if blocking -%}
        {%- do exceptions.raise_compiler_error(
            'upsert: the contract of ' ~ target_relation ~ ' differs from the table in a way that is not changed under its'
            ~ ' readers. Nothing was changed.\n  ' ~ blocking | join('\n  ')
            ~ '\nViews on the column must be dropped before and made again after. Then build again.'
        ) -%}
    {%- endif -%}
    {{ return(adapter.get_columns_in_relation(source_relation)) }}
{%- endmacro %}


{% macro upsert_schema_differences(result, target) -%}
    with described as (
        select
            a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull,
            pg_get_expr(d.adbin, d.adrelid) as default_value
        from pg_attribute as a
        left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid in ('{{ result }}'::regclass, '{{ target }}'::regclass) and a.attnum > 0 and not a.attisdropped
    ),
    wanted as (
        select attname, type, attnotnull, default_value, false as generated
        from described where attrelid = '{{ result }}'::regclass
        {%- for name, column in model.columns.items() if upsert_generated(column) %}
        union all
        select '{{ name }}', '{{ column.data_type }}'::regtype::text, null, null, true
        {%- endfor %}
    ),
    stored as (
        select attname, type, attnotnull, default_value from described where attrelid = '{{ target }}'::regclass
    )
    select name, kind, wanted, stored
    from wanted full join stored using (attname)
    cross join lateral (
        values
        ('new', stored.attname is null, null, null),
        ('removed', wanted.attname is null, null, null),
        ('type', wanted.type <> stored.type, wanted.type, stored.type),
        ('default', not generated and wanted.attname is not null and stored.attname is not null
            and wanted.default_value is distinct from stored.default_value, wanted.default_value, stored.default_value),
        ('optional', stored.attnotnull and not wanted.attnotnull, null, null)
    ) as change (kind, applies, wanted, stored)
    cross join lateral (select attname::text as name) as named
    where applies
    order by name, kind
{%- endmacro %}


{% macro upsert_add_column(relation, column) -%}
    {#- Not null comes at the end of the merge, when every row has a value. -#}
    {%- set optional = {
        'name': column.name, 'data_type': column.data_type, 'quote': column.quote,
        'constraints': column.constraints | rejectattr('type', 'equalto', 'not_null') | list
    } -%}
    {%- set definition = adapter.render_raw_columns_constraints(raw_columns={column.name: optional}) | first -%}
    {%- do run_query('alter table ' ~ relation ~ ' add column ' ~ definition) -%}
{%- endmacro %}


{% macro postgres__create_indexes(relation) -%}
    {%- if config.get('incremental_strategy') != 'upsert' -%}
        {{ dbt.default__create_indexes(relation) }}
    {%- else -%}
        {#- The name says the definition, so that one look tells which are missing. dbt's own names hold the time. A document's own name goes before. -#}
        {%- set wanted = {} -%}
        {%- for index in config.get('indexes', []) -%}
            {%- set definition = (
                ('unique ' if index.get('unique')) ~ (index.get('type') or 'btree') ~ ' ' ~ index.columns | join(', ')
            ) -%}
            {%- do wanted.update({index.get('name') or relation.identifier[:50] ~ '_' ~ local_md5(definition)[:8]: index}) -%}
        {%- endfor -%}
        {%- if wanted -%}
            {%- set present = run_query(
                "select relname from pg_index inner join pg_class on pg_class.oid = indexrelid where indrelid = '"
                ~ relation ~ "'::regclass"
            ).columns[0].values() -%}
            {%- for name, index in wanted.items() if name not in present -%}
                {%- do run_query(
                    'create' ~ (' unique' if index.get('unique')) ~ ' index ' ~ adapter.quote(name) ~ ' on ' ~ relation
                    ~ ' using ' ~ (index.get('type') or 'btree') ~ ' (' ~ index.columns | join(', ') ~ ')'
                ) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
