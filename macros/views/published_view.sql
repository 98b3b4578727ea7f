{#-
    dbt's own view is swapped each time: users' views on it would go with it, and readers would wait. This one is only
    touched where its definition changed, and never reads with its owner's rights, not even before the post-hook.
-#}
{% materialization published_view, adapter='postgres' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- if existing is not none and not existing.is_view -%}
        {%- do exceptions.raise_compiler_error(
            'published_view: ' ~ this ~ ' is a table. Nothing that others read is swapped; drop it first: drop table ' ~ this ~ ';'
        ) -%}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- do get_assert_columns_equivalent(sql) -%}
    {%- set build_sql = published_view_change(target_relation, existing, sql) -%}
    {% call statement('main') -%}
        {{ build_sql }}
    {%- endcall %}
    {%- do persist_docs(target_relation, model) -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- do adapter.commit() -%}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro published_view_change(target, existing, sql) -%}
    {%- set create = 'create or replace view ' ~ target ~ ' with (security_invoker = true) as (\n' ~ sql ~ '\n)' -%}
    {%- if existing is none -%}
        {{ return(create) }}
    {%- endif -%}
    {#- Postgres prints a view's definition in one form, whoever wrote it: equal text, equal view. -#}
    {%- set wanted = target.identifier[:50] ~ '__wanted' -%}
    {%- do run_query('create temporary view ' ~ wanted ~ ' as (\n' ~ sql ~ '\n)') -%}
    {%- set difference = run_query(
        "select pg_get_viewdef('" ~ target ~ "'::regclass) = pg_get_viewdef('" ~ wanted ~ "'::regclass) as is_same, ("
        ~ "select string_agg(stored.attname, ', ' order by stored.attnum) from pg_attribute as stored"
        ~ " left join pg_attribute as wanted on wanted.attrelid = '" ~ wanted ~ "'::regclass and wanted.attnum = stored.attnum"
        ~ " and wanted.attname = stored.attname and wanted.atttypid = stored.atttypid and wanted.atttypmod = stored.atttypmod"
        ~ " where stored.attrelid = '" ~ target ~ "'::regclass and stored.attnum > 0 and wanted.attname is null) as lost"
    ).rows[0] -%}
    {%- do run_query('drop view ' ~ wanted) -%}
    {%- if difference.is_same -%}
        {{ return('select ' ~ "'unchanged'") }}
    {%- endif -%}
    {%- if difference.lost -%}
        {%- do exceptions.raise_compiler_error(
            'published_view: columns of ' ~ target ~ ' would be removed, moved or change their type under its readers: '
            ~ difference.lost ~ '. New columns go to the end. To give the view up with what stands on it, and build it anew:'
            ~ '\n    drop view ' ~ target ~ ' cascade;'
        ) -%}
    {%- endif -%}
    {{ return(create) }}
{%- endmacro %}
