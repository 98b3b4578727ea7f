{% macro ensure_landed_tables() -%}
    {#- A source that nobody is connected to yet has landed nothing, and the views over it must stand all the same. -#}
    {%- if execute and flags.WHICH in ('build', 'run', 'test') -%}
        {%- set present = run_query("select schemaname || '.' || tablename from pg_tables where schemaname like 'staging%'") -%}
        {%- set present = present.columns[0].values() -%}
        {%- for source in graph.sources.values() if source.schema.startswith('staging_') -%}
            {%- if source.schema ~ '.' ~ source.name not in present -%}
                {%- do run_query(landed_table_statements(source)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{% macro landed_table_statements(source) -%}
    {#- As the loader makes it, under the loader's lock: a sync may be making the same tables. -#}
    {%- set table = source.schema ~ '.' ~ source.name -%}
    {%- set lock = 'landed tables of ' ~ source.schema | replace('staging_', '', 1) -%}
    insert into ops.locks (name) values ('{{ lock }}') on conflict do nothing;
    commit;
    begin;
    select from ops.locks where name = '{{ lock }}' for update;
    create schema if not exists {{ source.schema }};
    create table if not exists {{ table }} (
        org_id int not null,
        record_id text not null,
        payload jsonb not null,
        payload_hash bytea not null,
        source_updated_at timestamptz,
        deleted_at timestamptz,
        extracted_at timestamptz not null,
        run_id bigint not null,
        primary key (org_id, record_id)
    );
    comment on table {{ table }} is {{ postgres_escape_comment(source.description) }};
    {%- for column in source.columns.values() %}
    comment on column {{ table }}.{{ column.name }} is {{ postgres_escape_comment(column.description) }};
    {%- endfor %}
    commit;
{%- endmacro %}
