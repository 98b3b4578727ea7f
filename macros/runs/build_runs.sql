{% macro record_build_start() -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        insert into ops.build_runs (build_id, command, started_at, status, dagster_run_id)
        values (
            '{{ invocation_id }}', 'dbt {{ flags.WHICH }}', '{{ run_started_at }}', 'running',
            nullif('{{ env_var("AIOP_DAGSTER_RUN_ID", "") | replace("'", "") }}', '')
        )
        on conflict (build_id) do nothing
    {%- endif -%}
{%- endmacro %}


{% macro record_build_end(results) -%}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set failed = results | selectattr('status', 'in', ['error', 'fail', 'runtime error']) | list -%}
        {#- Of the nodes, side by side: more than the clock on several threads. -#}
        update ops.build_runs set
            finished_at = clock_timestamp(),
            status = '{{ "failed" if failed else "succeeded" }}',
            seconds_dbt = {{ results | sum(attribute='execution_time') | round(3) }}
        where build_id = '{{ invocation_id }}'
    {%- endif -%}
{%- endmacro %}
