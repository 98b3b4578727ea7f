{% macro get_incremental_upsert_sql(arg_dict) -%}
    {%- do create_indexes(arg_dict.target_relation) -%}
    {{ return(upsert_merge(arg_dict.target_relation, arg_dict.temp_relation)) }}
{%- endmacro %}


{% macro upsert_merge(target, result) -%}
    {%- set key = upsert_key() -%}
    {%- set columns = upsert_columns().keys() | list -%}
    {%- set compared = columns | reject('in', key) | list -%}
    {%- set scope = upsert_scope(result) -%}
    {%- set on_insert = upsert_stamps(['inserted_at', 'updated_at']) -%}
    {%- set on_update = upsert_stamps(['updated_at']) -%}
    {%- set assignments = [] -%}
    {%- for name in compared -%}
        {%- do assignments.append(adapter.quote(name) ~ ' = result.' ~ adapter.quote(name)) -%}
    {%- endfor -%}
    {%- for name, now in on_update.items() -%}
        {%- do assignments.append(adapter.quote(name) ~ ' = ' ~ now) -%}
    {%- endfor -%}
    {%- set required = [] -%}
    {%- for name, column in upsert_columns().items() if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
        {%- do required.append(name) -%}
    {%- endfor -%}
do $upsert$
declare
    rows_result bigint;
    rows_stored bigint;
    rows_inserted bigint := 0;
    rows_updated bigint := 0;
    rows_deleted bigint := 0;
    rows_total bigint;
    offending text;
    column_name name;
begin
    -- Both sides of a million rows then meet in memory; given back at the end of the transaction.
    if pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('128MB') then
        perform set_config('work_mem', '128MB', true);
    end if;

    select count(*) into rows_result from {{ result }};
    {%- if scope != 'true' %}

    select concat_ws(', ', {{ key | join(', ') }}) into offending from {{ result }} where ({{ scope }}) is not true limit 1;
    if offending is not null then
        raise exception 'upsert: % returns a row outside its upsert_scope: ({{ key | join(', ') }}) = (%)', '{{ target }}', offending
            using hint = 'The scope is the part of the table the model speaks for; widen it or filter the model.';
    end if;
    {%- endif %}

    -- One pass over both sides; what is the same on both goes no further.
    create temporary table upsert_difference on commit drop as
    select result.ctid as result_row, stored.ctid as stored_row
    from {{ result }} as result
    full join (select ctid, * from {{ target }} where {{ scope }}) as stored
        on {% for name in key %}result.{{ name }} = stored.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
    where result.{{ key[0] }} is null
        or stored.{{ key[0] }} is null
        {%- if compared %}
        or ({% for name in compared %}result.{{ adapter.quote(name) }}{{ ', ' if not loop.last }}{% endfor %})
            is distinct from ({% for name in compared %}stored.{{ adapter.quote(name) }}{{ ', ' if not loop.last }}{% endfor %})
        {%- endif %};
    select count(*) into rows_stored from {{ target }} where {{ scope }};
    select count(*) filter (where stored_row is null), count(*) filter (where result_row is null)
    into rows_inserted, rows_deleted
    from upsert_difference;

    -- As many result rows as stored rows are matched, or a key stands twice in the result. New keys are counted apart.
    if rows_result - rows_inserted <> rows_stored - rows_deleted or exists (
        select from upsert_difference inner join {{ result }} as result on result.ctid = result_row
        where stored_row is null
        group by {% for name in key %}result.{{ name }}{{ ', ' if not loop.last }}{% endfor %} having count(*) > 1
    ) then
        select string_agg(format('(%s) %s times', duplicate.key, duplicate.times), '; ') into offending
        from (
            select concat_ws(', ', {{ key | join(', ') }}) as key, count(*) as times from {{ result }}
            group by {{ key | join(', ') }} having count(*) > 1
            order by {{ key | join(', ') }} limit 5
        ) as duplicate;
        raise exception 'upsert: % returns rows with the same key ({{ key | join(', ') }}): %', '{{ target }}', offending
            using errcode = 'unique_violation', hint = 'Nothing was changed. The model must return one row a key.';
    end if;

    if rows_deleted > 0 then
        delete from {{ target }} where ctid in (select stored_row from upsert_difference where result_row is null);
    end if;
    {%- if compared %}

    update {{ target }} as stored set
        {{ assignments | join(',\n        ') }}
    from upsert_difference
    inner join {{ result }} as result on result.ctid = result_row
    where stored.ctid = stored_row;
    get diagnostics rows_updated = row_count;
    {%- endif %}

    -- In the key's order, so that the first build numbers rows as a reader would. Existing rows use up no number.
    if rows_inserted > 0 then
        insert into {{ target }} ({{ get_quoted_csv(columns + on_insert.keys() | list) }})
        select {% for name in columns %}result.{{ adapter.quote(name) }}{{ ', ' if not loop.last }}{% endfor %}
            {%- for now in on_insert.values() %}, {{ now }}{% endfor %}
        from upsert_difference
        inner join {{ result }} as result on result.ctid = result_row
        where stored_row is null
        order by {% for name in key %}result.{{ name }}{{ ', ' if not loop.last }}{% endfor %};
    end if;
    {%- if required %}

    -- Columns that came to a filled table: only now does every row have a value.
    for column_name in
        select attname from pg_attribute
        where attrelid = '{{ target }}'::regclass and not attnotnull and attname in ('{{ required | join("', '") }}')
    loop
        execute format('alter table {{ target }} alter column %I set not null', column_name);
    end loop;
    {%- endif %}

    {% if scope == 'true' %}rows_total := rows_result;{% else %}select count(*) into rows_total from {{ target }};{% endif %}
    insert into ops.build_models as noted
        (build_id, model, rows_inserted, rows_updated, rows_deleted, rows_total, seconds, finished_at)
    values (
        '{{ invocation_id }}', '{{ target.schema }}.{{ target.identifier }}', rows_inserted, rows_updated, rows_deleted,
        rows_total, extract(epoch from clock_timestamp() - now()), clock_timestamp()
    )
    on conflict (build_id, model) do update set
        rows_inserted = noted.rows_inserted + excluded.rows_inserted,
        rows_updated = noted.rows_updated + excluded.rows_updated,
        rows_deleted = noted.rows_deleted + excluded.rows_deleted,
        rows_total = excluded.rows_total, seconds = excluded.seconds, finished_at = excluded.finished_at;
end
$upsert$;
{%- endmacro %}
